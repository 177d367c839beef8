"""Stored attempts, row by row."""

from concurrent.futures import Executor, Future
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.metrics import Cursor, Filter, Memo, Traffic
from lab.metrics.attempts import around, matching, page
from lab.metrics.attempts import one as open_one
from tests.metrics.rows import StillLog, day_files, row

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def log_of(rows: list, folder: Path = Path("unused")) -> StillLog:
    """The oldest half of each day in a file, the rest in the journal."""
    log = StillLog()
    days = []
    for day in {one.day for one in rows}:
        mine = [one for one in rows if one.day == day]
        half = len(mine) // 2 if folder.is_dir() else 0
        days.append(day_files(day, folder, [mine[:half]] if half else [], mine[half:]))
    log.replace(*days)
    return log


class Counting(Executor):
    """Runs at once and remembers which day each task read."""

    def __init__(self) -> None:
        self.days: list[date] = []

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        if args[0].journal is not None or args[0].files:
            self.days.append(args[0].day)
        done: Future = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=25), st.integers(1, 7))
def test_pages_hold_every_row_once_newest_first(hours: list[int], size: int) -> None:
    """Whatever the page's size, and with many rows of the same instant."""
    rows = [row(NOON - timedelta(hours=back), seq) for seq, back in enumerate(hours)]
    log, seen, cursor = log_of(rows), [], None
    while True:
        got = page(log, Filter(), cursor, size)
        assert got.total == len(rows)
        seen += got.rows["seq"].to_list()
        cursor = got.next
        if cursor is None:
            break
        assert got.rows.height == size
    assert seen == [one.seq for one in sorted(rows, key=lambda one: (one.received_at, one.seq), reverse=True)]


def test_a_page_reads_no_day_older_than_it_needs(tmp_path: Path) -> None:
    """Depth costs nothing: a page asks the newest days first and stops when it is full."""
    rows = [row(NOON - timedelta(days=back, minutes=number), back * 10 + number) for back in range(30) for number in range(10)]
    log, memo, counting = log_of(rows, tmp_path), Memo(), Counting()
    first = page(log, Filter(), size=15, memo=memo, executor=counting)
    counting.days.clear()
    again = page(log, Filter(), first.next, 5, memo=memo, executor=counting)
    assert set(counting.days) == {date(2026, 11, 20), date(2026, 11, 19), date(2026, 11, 18)}
    assert again.total == 300
    counting.days.clear()
    deep = page(log, Filter(), Cursor(NOON - timedelta(days=25, minutes=30), 0), 5, memo=memo, executor=counting)
    assert len(set(counting.days)) <= 3
    assert deep.rows["received_at"].max() == NOON - timedelta(days=26)


@pytest.mark.parametrize(
    ("asked", "seqs"),
    [
        (Filter(), [3, 2, 1, 0]),
        (Filter(outcome="FAILED"), [3, 1]),
        (Filter(category="SPAM_SUSPECTED"), [1]),
        (Filter(source="PARTNER_API"), [2]),
        (Filter(page="/ebook"), [1]),
        (Filter(user="u_7"), [2]),
        (Filter(user="c_1"), [3]),
        (Filter(kind="replay"), [0]),
        (Filter(traffic=Traffic.SIMULATED), [2]),
        (Filter(traffic=Traffic.REAL, outcome="SUCCESS"), [0]),
        (Filter(first=date(2026, 11, 20)), [3, 2]),
        (Filter(last=date(2026, 11, 19)), [1, 0]),
        (Filter(since=NOON - timedelta(hours=1), until=NOON), [2]),
        (Filter(text="100%"), [3]),
        (Filter(text="field_a"), [1]),
        (Filter(text="UPPER \\ case"), [3]),
        (Filter(text="%"), [3]),
        (Filter(text="' or 1=1 --"), []),
        (Filter(source="no such"), []),
    ],
)
def test_each_filter_finds_its_rows_and_counts_them(asked: Filter, seqs: list[int], tmp_path: Path) -> None:
    """Text is taken literally, quotes and wildcards included; the total is of all pages."""
    rows = [
        row(NOON - timedelta(days=2), 0, kind="replay"),
        row(NOON - timedelta(days=1), 1, failure_category="SPAM_SUSPECTED", page="/ebook", failure_reason="field_a"),
        row(NOON - timedelta(hours=1), 2, source="PARTNER_API", channel="simulator", user_id="u_7"),
        row(NOON, 3, failure_category="VALIDATION_FAILED", user_id=None, failure_reason="100% upper \\ Case"),
    ]
    for log in (log_of(rows), log_of(rows, tmp_path)):
        got = page(log, asked)
        assert got.rows["seq"].to_list() == seqs
        assert (got.total, got.next) == (len(seqs), None)


def test_a_page_tells_rows_and_the_attempts_they_stand_for() -> None:
    """A coalesced flood is one row of many attempts; a replay is a row and no attempt."""
    rows = [row(NOON, 1, failure_category="RATE_LIMIT_EXCEEDED", repeat_count=90), row(NOON, 2, kind="replay"), row(NOON, 3)]
    assert page(log_of(rows), Filter())[2:] == (3, 91)
    assert page(log_of(rows), Filter(since=NOON))[2:] == (3, 91)


def test_totals_of_unchanged_days_are_remembered() -> None:
    """A second look at a filtered list counts no day again."""
    rows = [row(NOON - timedelta(days=back), back, failure_category="SPAM_SUSPECTED") for back in range(5)]
    log, memo, counting = log_of(rows), Memo(), Counting()
    asked = Filter(text="refused")
    assert page(log, asked, size=1, memo=memo, executor=counting).total == 5
    counting.days.clear()
    assert page(log, asked, size=1, memo=memo, executor=counting).total == 5
    assert set(counting.days) == {NOON.date(), (NOON - timedelta(days=1)).date()}


def test_an_empty_log_has_one_empty_page() -> None:
    """With every column."""
    got = page(StillLog(), Filter())
    assert (got.rows.height, got.next, got.total, got.attempts) == (0, None, 0, 0)
    assert "received_at" in got.rows.columns
    assert "traffic" not in got.rows.columns


def test_one_attempt_is_found_with_its_context(tmp_path: Path) -> None:
    """Its refusal's context comes parsed; an unknown id is None."""
    rows = [row(NOON - timedelta(days=back), back) for back in range(3)]
    rows.append(row(NOON, 9, failure_category="VALIDATION_FAILED", failure_context='{"field": "email"}'))
    log = log_of(rows, tmp_path)
    found = open_one(log, rows[-1].attempt_id)
    assert found is not None
    assert (found["seq"], found["context"], found["received_at"]) == (9, {"field": "email"}, NOON)
    old = open_one(log, rows[2].attempt_id)
    assert old is not None
    assert (old["seq"], old["context"]) == (2, None)
    for unknown in ("no id", "", rows[0].attempt_id[:-1]):
        assert open_one(log, unknown) is None


def test_one_attempt_is_found_though_its_id_tells_another_day() -> None:
    """Imported and simulated rows may carry ids made on the day of the import."""
    made = row(NOON)._replace(received_at=datetime(2015, 5, 17, tzinfo=UTC), day=date(2015, 5, 17))
    found = open_one(log_of([made, row(NOON)]), made.attempt_id)
    assert found is not None
    assert found["day"] == date(2015, 5, 17)


def test_all_matching_rows_come_in_bounded_chunks(tmp_path: Path) -> None:
    """Rows of one instant are not lost between two chunks; a full last chunk ends well."""
    rows = [row(NOON - timedelta(minutes=number // 3), number) for number in range(12)]
    for size in (1, 2, 3, 5, 12, 13):
        chunks = list(matching(log_of(rows, tmp_path).days, Filter(), chunk_rows=size))
        assert max(chunk.height for chunk in chunks) <= size
        found = [seq for chunk in chunks for seq in chunk["seq"]]
        assert found == [one.seq for one in sorted(rows, key=lambda one: (one.received_at, one.seq), reverse=True)]


def test_around_shows_the_same_user_before_and_after(tmp_path: Path) -> None:
    """Oldest first, over days, with the attempt itself; others are not shown."""
    rows = [row(NOON + timedelta(hours=12 * step), step + 20) for step in range(-8, 9)]
    rows += [row(NOON, 99, user_id="u_2"), row(NOON + timedelta(days=90), 98)]
    found = around(log_of(rows, tmp_path), "u_1", NOON, 3)
    assert found["seq"].to_list() == [17, 18, 19, 20, 21, 22, 23]
    assert around(log_of(rows), "nobody", NOON).height == 0
