"""The one usual that pages and reports share."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lab.metrics import Usual, usual
from lab.metrics.usual import SPAN_DAYS, known_days
from tests.metrics.rows import metrics_of, row

FRIDAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def weeks_before(counts: dict[int, tuple[int, int]]) -> list:
    """So many accepted and failed attempts so many weeks before."""
    rows = []
    for week, (success, failed) in counts.items():
        at = NOON - timedelta(weeks=week)
        rows.append(row(at, 2 * week, repeat_count=success))
        if failed:
            rows.append(row(at, 2 * week + 1, repeat_count=failed, failure_category="SPAM_SUSPECTED"))
    return rows


def usual_of(rows: list, day: date = FRIDAY) -> Usual:
    metrics = metrics_of(rows, NOON + timedelta(days=1))
    return usual(metrics.daily(day - timedelta(days=SPAN_DAYS), day), day)


def test_counts_are_medians_rounded_half_up_and_shares_the_medians_of_the_days_own() -> None:
    """Six Fridays of 1 to 6 failures in 101 to 106 attempts: 103.5 is 104, 3.5 is 4, the share between 3 and 4."""
    found = usual_of(weeks_before({week: (100, week) for week in range(1, 7)}))
    assert (found.points, found.attempts, found.success, found.failed) == (6, 104, 100, 4)
    assert found.failed_share == pytest.approx((3 / 103 + 4 / 104) / 2)
    assert found.success_share == pytest.approx(1 - (3 / 103 + 4 / 104) / 2)


def test_five_known_days_are_no_usual() -> None:
    """The same six as the band of a trend."""
    assert usual_of(weeks_before(dict.fromkeys(range(1, 6), (100, 1)))) == Usual(5)


def test_the_day_itself_and_the_ninth_week_before_have_no_say() -> None:
    """It looks back, eight weeks."""
    eight = dict.fromkeys(range(1, 9), (100, 0))
    assert usual_of(weeks_before(eight | {0: (900, 90), 9: (900, 90)})) == usual_of(weeks_before(eight))


def test_a_silent_day_within_three_days_of_an_attempt_is_zero_and_a_silent_week_is_unknown() -> None:
    """An attempt on the Tuesday makes the Friday three days on known; one on the Monday does not."""
    for apart in range(-6, 7):
        found = known_days([FRIDAY - timedelta(days=14 + apart)], FRIDAY)
        assert (FRIDAY - timedelta(days=14) in found) == (abs(apart) <= 3), apart
        assert len(found) <= 1


def test_a_log_of_another_year_makes_nothing_usual() -> None:
    """Years without any record are not eight Fridays of zero."""
    assert usual_of([row(datetime(2015, 5, 17, 12, tzinfo=UTC)), row(NOON)]) == Usual(0)
