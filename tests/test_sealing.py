"""Sealed days: closed for good, chained, and recomputed by verify down to the first thing that differs."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from lab.attempt import Arrival, Channel, Submission
from lab.database import closed_days, garbage, live_days, reports, rollups, seals, segments
from lab.errors import BadRequest, DaySealed, LabError
from lab.eventlog import SUBMISSIONS, chain, seal, table_of
from lab.jobs import Progress
from lab.metrics import Filter, Traffic
from lab.opening import Lab, open_lab
from lab.sealing import Caretaker, days_to_seal, rebuild, seal_now, states, verify_here
from lab.sealing import seal as seal_days
from lab.verify import verify

YESTERDAY = date(2026, 11, 19)


def sent(who: int, at=None, **fields) -> Arrival:
    submission = Submission("WEBSITE_FORM", "/demo", f"p{who}@example.org", "Ann", elapsed_ms=9_000, **fields)
    return Arrival(submission, Channel.API, at=at, client=f"10.0.0.{who % 250}", latency_ms=float(who))


@pytest.fixture
def filled(lab: Lab, clock) -> Lab:
    """Two past days in files and journal, and an open one."""
    for back in (2, 1, 0):
        at = clock() - timedelta(days=back)
        lab.gate.admit([sent(who + 100 * back, at + timedelta(minutes=who)) for who in range(-20, 0)])
        lab.gate.admit([sent(who + 100 * back, at, message="again") for who in range(-3, 0)])
        if back == 2:
            lab.log.flush("submissions")
    return lab


class Quiet(Progress):
    def __init__(self) -> None: ...

    def report(self, stage, done=0, total=0, **detail) -> None: ...


def figures(lab: Lab) -> list[object]:
    """Every public figure of the three days, as one comparable value."""
    metrics = lab.metrics
    first, last = YESTERDAY - timedelta(days=1), YESTERDAY + timedelta(days=1)
    shown: list[object] = [metrics.totals(), metrics.daily(first, last).rows(), metrics.cells(first, last).rows()]
    for traffic in Traffic:
        for day in (first, YESTERDAY, last):
            detail = metrics.day(day, traffic)
            shown += [value.rows() if hasattr(value, "rows") else value for value in vars(detail).values()]
    return shown


def test_a_sealed_day_is_one_ordered_file_with_the_same_rows_and_the_same_figures(filled, clock) -> None:
    """Compaction and rollup change nothing that anybody can see but the file count."""
    before = figures(filled)
    rows = filled.metrics.page(Filter(first=YESTERDAY, last=YESTERDAY), size=100).rows
    seal_now(filled, YESTERDAY)
    assert figures(filled) == before
    fresh = open_lab(filled.settings, clock, housekeeping=False)
    assert figures(fresh) == before
    assert fresh.metrics.page(Filter(first=YESTERDAY, last=YESTERDAY), size=100).rows.equals(rows)
    (file,) = next(one for one in fresh.log.view().days if one.day == YESTERDAY).files
    assert not os.stat(file).st_mode & 0o222
    fresh.close()


def test_sealed_days_are_answered_without_reading_their_files(filled, clock) -> None:
    """With the files out of the way every figure of the day is still there."""
    seal_now(filled, YESTERDAY)
    before = figures(filled)
    (file,) = next(one for one in filled.log.view().days if one.day == YESTERDAY).files
    aside = file.rename(file.with_suffix(".aside"))
    with open_lab(filled.settings, clock, housekeeping=False) as fresh:
        assert figures(fresh) == before
    aside.rename(file)


def test_a_sealed_day_takes_no_more_rows_and_the_error_names_it(filled) -> None:
    """Neither one by one nor in bulk; other days are not touched."""
    seal_now(filled, YESTERDAY)
    late = sent(900, filled.clock() - timedelta(days=1))
    with pytest.raises(DaySealed, match="2026-11-19 is sealed"):
        filled.gate.admit([late])
    with pytest.raises(DaySealed):
        filled.run_gate("r1").admit([late])
    assert list(filled.settings.data_dir.rglob("*.tmp")) == []
    filled.gate.admit([sent(901)])
    assert verify(filled.log, filled.database).mismatch is None


def test_a_day_that_has_not_ended_or_holds_nothing_is_not_sealed(filled) -> None:
    """One sentence with the remedy; nothing is marked."""
    with pytest.raises(BadRequest, match="has not ended in UTC"):
        seal_now(filled, YESTERDAY + timedelta(days=1))
    with pytest.raises(BadRequest, match="has not ended in UTC"):
        seal_now(filled, date.max)
    with pytest.raises(BadRequest, match="holds no attempt"):
        seal_now(filled, date.min)
    with pytest.raises(BadRequest, match="holds no attempt"):
        seal_now(filled, YESTERDAY - timedelta(days=30))
    assert states(filled) == {}


def test_sealing_twice_is_sealing_once(filled) -> None:
    """The second call gives the link there is."""
    assert seal_now(filled, YESTERDAY) == seal_now(filled, YESTERDAY)
    assert verify(filled.log, filled.database).links == 1


def test_without_a_day_every_ended_day_is_sealed_in_order(filled) -> None:
    """The chain is in order of sealing; the open day stays open."""
    done = seal_days(filled, None, Quiet())
    assert [(one["day"], one["number"]) for one in done["sealed"]] == [("2026-11-18", 1), ("2026-11-19", 2)]
    assert days_to_seal(filled) == []
    assert verify(filled.log, filled.database, head=done["head"]).mismatch is None


def test_only_live_days_are_sealed_by_themselves_and_only_after_the_grace(filled, clock) -> None:
    """Imported and backfilled days wait for somebody who asks."""
    with filled.database.write() as connection:
        connection.execute(live_days.insert().values(day=YESTERDAY))
    clock.at = clock.at.replace(hour=1)
    Caretaker(filled)()
    assert states(filled) == {}
    clock.advance(minutes=61)
    Caretaker(filled)()
    assert states(filled) == {YESTERDAY: "sealed"}


def test_a_seal_that_was_killed_is_taken_up_and_the_day_stays_closed_meanwhile(filled, clock, monkeypatch) -> None:
    """The mark comes first, so nothing slips in; the next look finishes it."""
    with monkeypatch.context() as patch:
        patch.setattr(seal, "_compact", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
        patch.setattr(seal, "delete", None)
        with pytest.raises(KeyboardInterrupt):
            seal_now(filled, YESTERDAY)
    assert states(filled) == {YESTERDAY: "sealing"}
    with pytest.raises(DaySealed):
        filled.gate.admit([sent(900, clock() - timedelta(days=1))])
    clock.advance(minutes=2)
    Caretaker(filled)()
    assert states(filled) == {YESTERDAY: "sealed"}


def test_a_seal_that_cannot_be_done_opens_the_day_again(filled) -> None:
    """A damaged file is named; the day goes on taking rows."""
    day = YESTERDAY - timedelta(days=1)
    (file,) = next(one for one in filled.log.view().days if one.day == day).files
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(LabError, match="is not what was written"):
        seal_now(filled, day)
    assert states(filled) == {}


def test_live_time_never_goes_back_into_a_sealed_day(filled, clock) -> None:
    """The clock steps back over midnight: the attempt is stored at the end of the sealed day, also after a restart."""
    with filled.database.write() as connection:
        connection.execute(live_days.insert().values(day=YESTERDAY))
    seal_now(filled, YESTERDAY)
    clock.advance(hours=-14)
    assert clock().date() == YESTERDAY
    midnight = clock().replace(hour=0) + timedelta(days=1)
    with open_lab(filled.settings, clock, housekeeping=False) as fresh:
        assert midnight <= fresh.gate.admit([sent(900)])[0].received_at < midnight + timedelta(minutes=1)


def test_a_report_of_a_sealed_day_is_final_and_a_link_of_the_chain(filled) -> None:
    """Changed words are found; a report of an unsealed day is provisional and no link."""
    assert filled.reports.write(YESTERDAY, analyst="rules").state == "provisional"
    seal_now(filled, YESTERDAY)
    assert filled.reports.write(YESTERDAY, analyst="rules").state == "final"
    found = verify(filled.log, filled.database)
    assert (found.links, found.mismatch) == (2, None)
    with filled.database.write() as connection:
        connection.execute(update(reports).where(reports.c.version == 2).values(facts="[]"))
    assert "report sealed as number 2" in (verify(filled.log, filled.database).mismatch or "")


def test_what_a_seal_replaced_is_garbage_and_its_run_cannot_be_withdrawn(filled) -> None:
    """The old files stay for readers; the run's rows are past changing."""
    at = filled.clock() - timedelta(days=1)
    filled.run_gate("import-1").admit([sent(800, at)])
    seal_now(filled, YESTERDAY)
    with filled.database.write() as connection:
        assert connection.scalars(select(garbage.c.file)).all()
        with pytest.raises(BadRequest, match="2026-11-19 is sealed, and a sealed day never changes"):
            filled.log.withdraw(connection, "submissions", "import-1")


def _flip(lab: Lab) -> None:
    (file,) = next(one for one in lab.log.view().days if one.day == YESTERDAY).files
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(file, 0o644)
    file.write_bytes(data)


def _change(table, **values):
    def change(lab: Lab) -> None:
        with lab.database.write() as connection:
            connection.execute(update(table).values(**values))

    return change


def _remove(table, *where):
    def change(lab: Lab) -> None:
        with lab.database.write() as connection:
            connection.execute(delete(table).where(*where))

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_flip, "is not what was written"),
        (lambda lab: next(one for one in lab.log.view().days if one.sealed).files[0].unlink(), "cannot be read"),
        (_change(seals, rows=1), "chain breaks at link 1: its fields"),
        (_change(seals, hash="0" * 64), "chain breaks at link 1"),
        (_change(segments, rows=1), "rows, not the 1"),
        (_change(segments, id=segments.c.id + "x"), "are not the one that was sealed"),
        (_remove(closed_days), "its mark is gone"),
        (_remove(seals, seals.c.number == 2), "is marked as sealed but has no link"),
        (_remove(seals, seals.c.number == 1), "chain breaks at link 1: the link is missing"),
        (_change(rollups, body=b"", sha256="0" * 64), "kept figures"),
    ],
)
def test_verify_names_the_first_thing_that_does_not_match(filled, change, named) -> None:
    """Files, counts, rollups, marks, links: each kind of change is found and named."""
    seal_days(filled, None, Quiet())
    assert verify(filled.log, filled.database).mismatch is None
    change(filled)
    assert named in (verify(filled.log, filled.database).mismatch or "nothing")


def test_a_head_noted_earlier_finds_a_tail_that_was_cut_cleanly(filled) -> None:
    """Somebody who removes link, mark, file row and rollup leaves a chain that holds by itself."""
    head = seal_days(filled, None, Quiet())["head"]
    _remove(seals, seals.c.number == 2)(filled)
    for table in (closed_days, segments, rollups):
        _remove(table, table.c.day == YESTERDAY)(filled)
    assert verify(filled.log, filled.database).mismatch is None
    assert "links were cut off" in (verify_here(filled, Quiet(), head)["mismatch"] or "")


def test_kept_figures_of_another_version_are_not_believed_and_can_be_rebuilt(filled, clock) -> None:
    """A newer lab reads the file instead until the figures are computed again."""
    seal_now(filled, YESTERDAY)
    before = figures(filled)
    _change(rollups, version="older", body=b"nonsense")(filled)
    with open_lab(filled.settings, clock, housekeeping=False) as fresh:
        assert figures(fresh) == before
    assert rebuild(filled, Quiet())["days"] == 1
    assert verify(filled.log, filled.database).mismatch is None


def test_the_chain_starts_from_zeros_and_each_link_carries_the_one_before(filled) -> None:
    """An empty chain has a head too."""
    assert verify(filled.log, filled.database).head == chain.GENESIS
    seal_days(filled, None, Quiet())
    with filled.database.read() as connection:
        one, two = chain.links(connection)
    assert (one.previous, two.previous) == (chain.GENESIS, one.hash)


def test_an_append_that_began_before_the_mark_is_refused_after_it(filled) -> None:
    """The check is made in the transaction that makes the rows exist."""
    table = table_of(SUBMISSIONS, [])
    seal_now(filled, YESTERDAY)
    (day,) = [one for one in filled.log.view().days if one.day == YESTERDAY]
    import pyarrow.parquet as pq

    table = pq.read_table(day.files[0], partitioning=None)
    with pytest.raises(DaySealed):
        filled.log.append_table("submissions", table)
    assert len(list(day.files[0].parent.glob("*.parquet"))) <= 2
