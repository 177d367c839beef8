"""A day beside what its weekday usually holds."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lab.metrics import usual
from lab.metrics.usual import SPAN_DAYS
from tests.metrics.rows import metrics_of, row

FRIDAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def fridays(counts: dict[int, int]) -> list:
    """So many attempts so many weeks before, as one coalesced row each."""
    return [row(NOON - timedelta(weeks=week), seq, repeat_count=count) for seq, (week, count) in enumerate(counts.items())]


def band(rows: list, now: datetime = NOON + timedelta(days=1), day: date = FRIDAY) -> tuple:
    """attempts, expected_low, expected_high, open of one day."""
    return metrics_of(rows, now).trend(day, day).select("attempts", "expected_low", "expected_high", "open").row(0)


def test_the_band_is_median_and_robust_spread_of_the_same_weekday() -> None:
    """Median 100, absolute deviations 10 10 20 20 30 30 40 40 with median 25: 100 ± 2.5 × 1.4826 × 25."""
    counts = dict(zip(range(1, 9), (90, 110, 80, 120, 70, 130, 60, 140), strict=True))
    attempts, low, high, open_ = band(fridays({0: 500, **counts}))
    assert (attempts, open_) == (500, False)
    assert low == pytest.approx(100 - 2.5 * 1.4826 * 25)
    assert high == pytest.approx(100 + 2.5 * 1.4826 * 25)


def test_equal_days_still_leave_room_for_chance() -> None:
    """A spread of zero would make every other number unusual; √median is the least."""
    _, low, high, _ = band(fridays(dict.fromkeys(range(9), 100)))
    assert (low, high) == (75.0, 125.0)


def test_the_low_end_is_never_below_zero() -> None:
    """Nothing can fall under nothing."""
    _, low, high, _ = band(fridays(dict.fromkeys(range(9), 1)))
    assert (low, high) == (0.0, 3.5)


def test_under_six_points_nothing_is_expected() -> None:
    """Five known Fridays are too few, six are enough."""
    assert band(fridays(dict.fromkeys(range(6), 100)))[1:3] == (None, None)
    assert band(fridays(dict.fromkeys(range(7), 100)))[1:3] == (75.0, 125.0)


def test_a_silent_friday_is_zero_when_something_came_within_three_days_of_it() -> None:
    """The Tuesdays of eight weeks tell that these Fridays were recorded, and were silent."""
    tuesdays = [row(NOON - timedelta(weeks=week, days=3)) for week in range(1, 9)]
    assert band([row(NOON), *tuesdays])[1:3] == (0.0, 2.5)


@pytest.mark.parametrize("gap_weeks", [9, 60, 590])
def test_time_in_which_nothing_came_is_unknown_not_zero(gap_weeks: int) -> None:
    """However long ago the log began, a week without any attempt is no point of a baseline."""
    assert band(fridays({0: 100, 1: 100, gap_weeks: 100}))[1:3] == (None, None)
    assert band(fridays({0: 100, 8: 100}))[1:3] == (None, None)


def test_a_day_on_which_everything_stopped_is_still_held_against_its_usual() -> None:
    """Silence itself must not hide the silence."""
    assert band(fridays(dict.fromkeys(range(1, 9), 100)))[:3] == (0, 75.0, 125.0)


def test_a_band_looks_back_only() -> None:
    """Neither the day itself nor a later one moves it, and the ninth week before is forgotten."""
    before = dict.fromkeys(range(1, 9), 100)
    plain = band(fridays(before | {0: 100}))
    assert band(fridays(before | {0: 9000}))[1:3] == plain[1:3]
    assert band(fridays(before | {0: 100, -1: 9000}), NOON + timedelta(weeks=2))[1:3] == plain[1:3]
    assert band(fridays(before | {0: 100, 9: 9000}))[1:3] == plain[1:3]


def test_an_open_day_is_neither_scored_nor_part_of_a_baseline() -> None:
    """Half a day would look like a fall."""
    assert band(fridays(dict.fromkeys(range(9), 100)), NOON) == (100, None, None, True)
    six = fridays(dict.fromkeys(range(6), 100))
    later = FRIDAY + timedelta(weeks=1)
    assert band(six, NOON, later)[1:3] == (None, None)


def test_failed_share_is_null_where_nothing_was_tried() -> None:
    """A share of nothing is not zero."""
    rows = [row(NOON), row(NOON, failure_category="SPAM_SUSPECTED")]
    found = metrics_of(rows, NOON).trend(FRIDAY - timedelta(days=1), FRIDAY)
    assert found["failed_share"].to_list() == [None, 0.5]
    assert found["open"].to_list() == [False, True]


def test_a_trend_of_an_empty_lab_is_a_row_of_zeros_a_day() -> None:
    """It has every column."""
    found = metrics_of([], NOON).trend(FRIDAY - timedelta(days=6), FRIDAY)
    assert found["attempts"].to_list() == [0] * 7
    assert found.columns[-6:] == [
        "failed_share", "expected_low", "expected_high", "usual_share", "high_share", "open",
    ]  # fmt: skip


def shared(failed: dict[int, int], of: int = 100) -> list:
    """So many of `of` attempts failed so many weeks before."""
    rows = []
    for week, count in failed.items():
        at = NOON - timedelta(weeks=week)
        rows.append(row(at, 2 * week, repeat_count=of - count))
        rows.append(row(at, 2 * week + 1, repeat_count=count, failure_category="SPAM_SUSPECTED"))
    return rows


def test_the_usual_share_is_the_median_of_the_days_shares_whatever_the_window() -> None:
    """Shares of 1 to 8 in a hundred; one day asked for, or three months, and the usual is the same."""
    metrics = metrics_of(shared({0: 40, **{week: week for week in range(1, 9)}}), NOON + timedelta(days=1))
    last = [metrics.trend(FRIDAY - timedelta(days=back), FRIDAY).row(-1, named=True) for back in (0, 6, 29, 89)]
    assert len({one["usual_share"] for one in last}) == 1
    assert last[0]["usual_share"] == pytest.approx(0.045)
    assert len({one["high_share"] for one in last}) == 1
    assert last[0]["usual_share"] == usual(metrics.daily(FRIDAY - timedelta(days=SPAN_DAYS), FRIDAY), FRIDAY).failed_share


def test_a_share_is_high_beyond_chance_only() -> None:
    """Eight even days of 4%: with 100 attempts chance allows for more than with 10,000, where 7.5% is high."""
    even = dict.fromkeys(range(1, 9), 4)
    for count, high in ((100, 0.04 + 3.5 * (0.05 * 0.95 / 100) ** 0.5), (10_000, 0.075)):
        rows = [*shared(even), row(NOON, 99, repeat_count=count)]
        found = metrics_of(rows, NOON + timedelta(days=1)).trend(FRIDAY, FRIDAY)
        assert found["high_share"].to_list() == [pytest.approx(high)]
