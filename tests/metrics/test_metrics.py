"""Metrics over a real log: what is remembered, what is read again, what happens when a file goes."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from lab.clock import ManualClock
from lab.errors import FileGone
from lab.eventlog import SUBMISSIONS, DayFiles, EventLog, table_of
from lab.metrics import Filter, Memo, Metrics, Traffic
from lab.metrics.measures import TOP, USERS, Reader
from lab.metrics.run import sql_text
from tests.metrics.rows import UTC_ZONE, StillLog, day_files, row


class Counting(Executor):
    """Runs at once and remembers each task's day, whether it read files, and how many journal rows."""

    def __init__(self) -> None:
        self.tasks: list[tuple[object, int, int]] = []

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        day: DayFiles = args[0]
        if day.files or day.journal is not None:
            self.tasks.append((day.day, len(day.files), day.journal.num_rows if day.journal is not None else 0))
        done: Future = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def test_rows_of_a_real_log_are_counted_wherever_they_are(log: EventLog, metrics: Metrics, clock: ManualClock) -> None:
    """Segment, journal, and journal made into a segment: the same figures."""
    yesterday = clock() - timedelta(days=1)
    log.append_table("submissions", table_of(SUBMISSIONS, [row(yesterday), row(clock())]))
    log.append("submissions", [row(clock(), failure_category="SPAM_SUSPECTED")])
    before = metrics.daily()
    assert before["attempts"].to_list() == [1, 2]
    assert metrics.page(Filter()).total == 3
    log.flush("submissions")
    assert metrics.daily().equals(before)
    assert Metrics(log, UTC_ZONE, clock).daily().equals(before)


def test_an_appended_attempt_is_seen_at_once(log: EventLog, metrics: Metrics, clock: ManualClock) -> None:
    """Remembered results carry the version of their rows."""
    for count in range(1, 4):
        log.append("submissions", [row(clock())])
        assert metrics.totals().attempts == count
        assert metrics.has_real()
        assert metrics.day(clock().date()).attempts == count


def test_an_append_to_the_last_day_reads_that_day_s_journal_and_nothing_else(
    log: EventLog, clock: ManualClock
) -> None:
    """Ninety-nine unchanged days cost nothing, and neither do the files of the open one."""
    counting = Counting()
    metrics = Metrics(log, UTC_ZONE, clock, executor=counting)
    for back in range(9, -1, -1):
        log.append_table("submissions", table_of(SUBMISSIONS, [row(clock() - timedelta(days=back))]))
    log.append("submissions", [row(clock())])
    first, today = clock().date() - timedelta(days=9), clock().date()
    metrics.trend(first, today)
    assert len({day for day, _, _ in counting.tasks}) == 10
    counting.tasks.clear()
    metrics.trend(first, today)
    assert counting.tasks == []
    log.append("submissions", [row(clock())])
    assert metrics.trend(first, today)["attempts"].to_list() == [1] * 9 + [3]
    assert set(counting.tasks) == {(today, 0, 2)}


def test_a_single_day_is_scanned_once_for_all_that_is_asked_of_its_users(tmp_path: Path, clock: ManualClock) -> None:
    """Who they were and how many there were come of one query, alike to asking each by itself."""
    asked: list[str] = []

    class Watching(Executor):
        def submit(self, fn, /, day, sql, *more):
            if day.day == clock().date():
                asked.append(sql)
            done: Future = Future()
            done.set_result(fn(day, sql, *more))
            return done

    rows = [row(clock() - timedelta(minutes=one), one, user_id=f"u_{one % 7}") for one in range(30)]
    log = StillLog([day_files(clock().date(), tmp_path, [rows])])
    found = Metrics(log, UTC_ZONE, clock, executor=Watching()).day(clock().date())
    assert sum(sql == sql_text("users") for sql in asked) == 1
    alone = Reader(Memo())
    assert alone.read(TOP, log.days)["user"].to_list()[:7] == found.users["user"].to_list()
    assert alone.read(USERS, log.days).row(0, named=True)["users"] == found.users_count == 7


def test_a_file_that_housekeeping_took_away_leads_to_a_new_view(tmp_path: Path, clock: ManualClock) -> None:
    """Once, and without the reader noticing."""
    log = StillLog()
    old = day_files(clock().date(), tmp_path / "old", [[row(clock())], [row(clock())]])
    log.replace(old)
    metrics = Metrics(log, UTC_ZONE, clock)
    assert metrics.totals().attempts == 2
    log.days = (day_files(clock().date(), tmp_path / "new", [[row(clock()), row(clock())]]),)
    for file in old.files:
        file.unlink()
    assert metrics.daily()["users"].to_list() == [1]
    assert metrics.page(Filter()).rows.height == 2
    assert log.views == 2


def test_a_file_that_is_really_gone_is_named_after_one_more_look(tmp_path: Path, clock: ManualClock) -> None:
    """A second view that misses it too ends in a sentence with the remedy."""
    log = StillLog()
    log.replace(day_files(clock().date(), tmp_path, [[row(clock())]]))
    metrics = Metrics(log, UTC_ZONE, clock)
    metrics.totals()
    (tmp_path / f"{clock().date()}-0.parquet").unlink()
    with pytest.raises(FileGone, match=r"-0.parquet is missing; restore it"):
        metrics.page(Filter())
    assert log.views == 2


def test_pinned_figures_stay_together_while_the_log_goes_on(
    log: EventLog, metrics: Metrics, clock: ManualClock
) -> None:
    """A page whose numbers must agree asks them of one view."""
    log.append("submissions", [row(clock())])
    held = metrics.pinned()
    log.append("submissions", [row(clock())])
    assert (held.totals().attempts, held.daily()["attempts"].sum(), metrics.totals().attempts) == (1, 1, 2)


def test_pinned_figures_move_on_only_when_their_files_went(tmp_path: Path, clock: ManualClock) -> None:
    """They take one new view, and stay with that."""
    log = StillLog()
    log.replace(day_files(clock().date(), tmp_path, [[row(clock())]]))
    held = Metrics(log, UTC_ZONE, clock).pinned()
    (tmp_path / f"{clock().date()}-0.parquet").unlink()
    log.replace(day_files(clock().date(), tmp_path / "new", [[row(clock()), row(clock())]]))
    assert held.totals().attempts == 2
    log.replace()
    assert held.totals().attempts == 2


def test_another_room_may_ask_a_day_its_own_question(log: EventLog, metrics: Metrics, clock: ManualClock) -> None:
    """SQL over `attempts` with bound values; the day's version changes exactly when its rows do."""
    today = clock().date()
    log.append("submissions", [row(clock()), row(clock(), source="PARTNER_API")])
    before = metrics.day_version(today)
    sql = "select count(*) as stored from attempts where source = $source"
    assert metrics.of_day(today, sql, {"source": "PARTNER_API"}).item() == 1
    assert metrics.of_day(today - timedelta(days=1), sql, {"source": "PARTNER_API"}).item() == 0
    log.append("submissions", [row(clock() - timedelta(days=1))])
    assert metrics.day_version(today) == before
    log.append("submissions", [row(clock())])
    assert metrics.day_version(today) != before


def test_many_readers_at_once_get_the_same_figures(log: EventLog, metrics: Metrics, clock: ManualClock) -> None:
    """Sessions share one Metrics while attempts come in."""
    rows = [row(clock() - timedelta(days=back, minutes=number)) for back in range(5) for number in range(20)]
    log.append_table("submissions", table_of(SUBMISSIONS, rows))
    expected = metrics.daily(traffic=Traffic.REAL)
    fresh = Metrics(log, UTC_ZONE, clock)
    with ThreadPoolExecutor(6) as executor:
        found = list(executor.map(lambda _: fresh.daily(traffic=Traffic.REAL), range(24)))
    assert all(one.equals(expected) for one in found)


def test_an_empty_log_answers_every_question(metrics: Metrics, clock: ManualClock, tmp_path: Path) -> None:
    """The first minute of a lab is a normal state."""
    today = clock().date()
    assert metrics.daily().height == 0
    assert metrics.by("category").height == 0
    assert metrics.cells().height == 0
    assert metrics.trend(today, today)["attempts"].to_list() == [0]
    assert metrics.last_minutes(clock())["attempts"].sum() == 0
    assert metrics.expected_by_now(today, clock()).points == 0
    assert metrics.day(today).attempts == 0
    assert metrics.page(Filter()).total == 0
    assert metrics.one("x") is None
    assert metrics.around("u_1", clock()).height == 0
    assert metrics.export(Filter(), tmp_path / "out.csv") == 0
    assert metrics.is_open(today)
    assert not metrics.is_open(today - timedelta(days=1))
