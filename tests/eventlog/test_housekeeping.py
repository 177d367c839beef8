import os

import pytest
from sqlalchemy import insert

from lab.database import leases
from lab.eventlog import SUBMISSIONS, table_of
from lab.eventlog.housekeeping import LEASE, Housekeeper, Rhythm, keep_house
from lab.ids import microseconds


def test_old_rows_are_flushed_and_young_ones_wait(log, make_row, clock) -> None:
    """Age decides when there are few rows."""
    log.append("submissions", [make_row()])
    keep_house(log, clock, "me")
    assert log.view().days[0].journal is not None
    clock.advance(minutes=16)
    keep_house(log, clock, "me")
    assert log.view().days[0].journal is None
    assert log.view().rows == 1


def test_many_rows_are_flushed_at_any_age(log, make_row, clock) -> None:
    """Size decides when there are many."""
    log.append("submissions", [make_row() for _ in range(10)])
    keep_house(log, clock, "me", Rhythm(flush_rows=11))
    assert log.view().days[0].journal is not None
    keep_house(log, clock, "me", Rhythm(flush_rows=10))
    assert log.view().days[0].journal is None


def test_only_the_holder_of_the_lease_keeps_house_until_it_expires(log, make_row, clock) -> None:
    """A process that died with the lease blocks nobody for longer than its span."""
    log.append("submissions", [make_row()])
    clock.advance(minutes=16)
    with log.database.write() as connection:
        connection.execute(
            insert(leases).values(name=LEASE, holder="dead", expires_us=microseconds(clock()) + 60_000_000)
        )
    assert not keep_house(log, clock, "me")
    assert log.view().days[0].journal is not None
    clock.advance(seconds=61)
    assert keep_house(log, clock, "me")
    assert log.view().days[0].journal is None


def test_withdrawn_files_stay_ten_minutes_and_then_go(log, make_row, clock) -> None:
    """A reader may still hold them."""
    log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]), run_id="r")
    (file,) = log.view().days[0].files
    with log.database.write() as connection:
        log.withdraw(connection, "submissions", "r")
    clock.advance(minutes=9)
    keep_house(log, clock, "me")
    assert file.exists()
    clock.advance(minutes=2)
    keep_house(log, clock, "me")
    assert not file.exists()


def test_a_housekeeper_looks_by_itself_and_stops_when_closed(log, make_row, clock) -> None:
    """Its other duties are called too; closing twice is closing once."""
    import threading

    called = threading.Event()
    keeper = Housekeeper(log, clock, Rhythm(every_s=0.01), duties=[called.set])
    keeper.start()
    assert called.wait(10)
    keeper.close()
    keeper.close()


def test_a_file_that_no_catalog_names_goes_once_it_is_old_and_was_seen_twice(log, make_row, clock) -> None:
    """What a kill left behind; a file in use, one just written and one in the garbage stay."""
    log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]))
    (file,) = log.view().days[0].files
    old, new = file.with_name("old.parquet"), file.with_name("new.parquet.tmp")
    now_s = clock().timestamp()
    for path, age_s in ((file, 9_000), (old, 9_000), (new, 60)):
        path.touch()
        os.utime(path, (now_s - age_s, now_s - age_s))
    rhythm = Rhythm(flush_rows=1, suspected_s=0.0)
    log.append("submissions", [make_row()])
    keep_house(log, clock, "me", rhythm._replace(suspected_s=60.0))
    assert old.exists()
    log.append("submissions", [make_row()])
    keep_house(log, clock, "me", rhythm)
    assert (old.exists(), new.exists(), file.exists()) == (False, True, True)


def test_a_file_that_cannot_be_unlinked_is_tried_again(log, make_row, clock, monkeypatch) -> None:
    """The disk refuses: nothing else changes, and the next look gets it."""
    log.append_table("submissions", table_of(SUBMISSIONS, [make_row()]), run_id="r")
    (file,) = log.view().days[0].files
    with log.database.write() as connection:
        log.withdraw(connection, "submissions", "r")
    clock.advance(minutes=11)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(type(file), "unlink", refuse)
        with pytest.raises(OSError, match="Input/output error"):
            keep_house(log, clock, "me")
    assert file.exists()
    keep_house(log, clock, "me")
    assert not file.exists()
