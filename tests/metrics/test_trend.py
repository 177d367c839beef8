"""A day beside what its weekday usually holds."""

from datetime import UTC, date, datetime, timedelta

import pytest

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
    """Five known Fridays are too few, six are enough; a silent Friday in between is a known zero."""
    assert band(fridays(dict.fromkeys(range(6), 100)))[1:3] == (None, None)
    assert band(fridays(dict.fromkeys(range(7), 100)))[1:3] == (75.0, 125.0)
    assert band(fridays({0: 100, 8: 100}))[1:3] == (0.0, 2.5)


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
    assert found.columns[-4:] == ["failed_share", "expected_low", "expected_high", "open"]
