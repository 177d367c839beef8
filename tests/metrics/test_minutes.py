"""Minutes of a day and of the last hour, the same elapsed time of earlier weeks, bursts."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from lab.metrics import ByNow
from lab.metrics.minutes import bursts
from tests.metrics.rows import metrics_of, row

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)]
)
def test_a_business_day_has_as_many_minutes_as_its_clock_lets_pass(day: date, hours: int) -> None:
    """Minutes are instants, so a skipped hour is absent and a repeated one is there twice."""
    found = metrics_of([], NOW, AMSTERDAM).minutes(day)
    assert found.height == hours * 60
    assert found["minute"].n_unique() == hours * 60
    assert found.schema["minute"] == pl.Datetime("us", "UTC")


def test_both_hours_of_a_repeated_one_keep_their_own_rows() -> None:
    """02:30 happens twice in Amsterdam on 25 October 2026: at 00:30 and at 01:30 UTC."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    rows = [row(first, zone=AMSTERDAM), row(first + timedelta(hours=1), zone=AMSTERDAM)]
    found = metrics_of(rows, NOW, AMSTERDAM).minutes(date(2026, 10, 25)).filter(pl.col("attempts") > 0)
    assert found["minute"].to_list() == [first, first + timedelta(hours=1)]


def test_today_ends_with_the_present_minute_and_tomorrow_has_none() -> None:
    """What has not been is not zero."""
    metrics = metrics_of([row(NOW, failure_category="SPAM_SUSPECTED", repeat_count=3)], NOW)
    found = metrics.minutes(NOW.date())
    assert found.height == 12 * 60 + 1
    assert found.row(-1) == (NOW.replace(second=0), 3, 0, 3)
    assert found["attempts"].sum() == 3
    assert metrics.minutes(NOW.date() + timedelta(days=1)).height == 0


def test_the_last_minutes_cross_midnight() -> None:
    """Rows of two business days, in one run of minutes."""
    now = datetime(2026, 11, 20, 0, 10, 30, tzinfo=UTC)
    found = metrics_of([row(now - timedelta(minutes=20)), row(now)], now).last_minutes(now)
    assert found.height == 60
    assert found.filter(pl.col("attempts") > 0)["minute"].to_list() == [
        datetime(2026, 11, 19, 23, 50, tzinfo=UTC),
        datetime(2026, 11, 20, 0, 10, tzinfo=UTC),
    ]


def weeks_before(weeks: int, at: datetime, count: int) -> list:
    return [row(at - timedelta(weeks=weeks)) for _ in range(count)]


def test_expected_by_now_counts_the_same_elapsed_time_only() -> None:
    """What came later on those days is no part of it; the median of 2, 3, 4, 5, 6 and 9 is 4.5, which is 5."""
    before, after = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
    rows = [one for week, count in enumerate((2, 3, 4, 5, 6, 9), 1) for one in weeks_before(week, before, count)]
    rows += [*weeks_before(1, after, 50), *weeks_before(2, after, 50)]
    assert metrics_of(rows, NOW).expected_by_now(NOW.date(), NOW) == ByNow(12 * 3600, 6, 5, 5, 0, 0.0)


def test_the_share_expected_by_now_is_the_median_of_the_days_own_shares() -> None:
    """Failures of one to six in ten: between three and four in ten."""
    rows = [
        row(NOW - timedelta(weeks=week, hours=1), one, **({"failure_category": "SPAM_SUSPECTED"} if one < week else {}))
        for week in range(1, 7)
        for one in range(10)
    ]
    found = metrics_of(rows, NOW).expected_by_now(NOW.date(), NOW)
    assert (found.failed, found.failed_share) == (4, pytest.approx(0.35))


def test_under_six_known_weekdays_nothing_is_expected_by_now() -> None:
    """Five are too few; a silent one counts as zero when something came within three days of it."""
    rows = [one for week in range(1, 6) for one in weeks_before(week, NOW - timedelta(hours=1), 5)]
    assert metrics_of(rows, NOW).expected_by_now(NOW.date(), NOW) == ByNow(12 * 3600, 5, None, None, None)
    rows.append(row(NOW - timedelta(weeks=6, days=2)))
    assert metrics_of(rows, NOW).expected_by_now(NOW.date(), NOW) == ByNow(12 * 3600, 6, 5, 5, 0)


def test_weeks_without_any_attempt_are_unknown_not_zero() -> None:
    """One log of another year makes no Friday of this one usual."""
    rows = [row(NOW - timedelta(weeks=600)), row(NOW - timedelta(weeks=1))]
    assert metrics_of(rows, NOW).expected_by_now(NOW.date(), NOW).points == 1


def test_nothing_is_expected_without_an_earlier_day() -> None:
    """None is not zero; other weekdays of this week and today itself tell nothing."""
    rows = [row(NOW), row(NOW - timedelta(days=1))]
    assert metrics_of(rows, NOW).expected_by_now(NOW.date(), NOW) == ByNow(12 * 3600, 0, None, None, None)


def test_elapsed_time_is_real_time_when_a_day_lost_an_hour() -> None:
    """At 12:00 in Amsterdam 11 hours have passed on 29 March 2026; in the weeks before 11 hours end at 11:00."""
    now = datetime(2026, 3, 29, 10, 0, tzinfo=UTC)
    rows = [
        row(datetime(2026, 3, 22, *late, tzinfo=UTC) - timedelta(weeks=week), zone=AMSTERDAM)
        for week in range(6)
        for late in ((9, 59), (10, 0))
    ]
    assert metrics_of(rows, now, AMSTERDAM).expected_by_now(now.date(), now) == ByNow(11 * 3600, 6, 1, 1, 0, 0.0)


def day_of(counts: list[int]) -> pl.DataFrame:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    return pl.DataFrame(
        [(start + timedelta(minutes=at), count, count // 2) for at, count in enumerate(counts)],
        schema={"minute": pl.Datetime("us", "UTC"), "attempts": pl.Int64, "failed": pl.Int64},
        orient="row",
    )


def test_a_burst_is_a_run_of_minutes_far_above_the_usual_one() -> None:
    """Start, end after the last busy minute, attempts, failed ones, and the fullest minute."""
    start = datetime(2026, 11, 20, tzinfo=UTC)
    found = bursts(day_of([2] * 60 + [40, 60, 30] + [2] * 60))
    assert found.rows() == [(start + timedelta(minutes=60), start + timedelta(minutes=63), 130, 65, 60)]


def test_two_bursts_are_two_and_one_at_the_end_of_the_day_is_one() -> None:
    """A quiet minute parts them."""
    assert bursts(day_of([1] * 30 + [50, 1, 50]))["attempts"].to_list() == [50, 50]


def test_small_numbers_and_busy_days_are_no_bursts() -> None:
    """Few attempts, an ordinary peak, or a day that is busy throughout: none of them is news."""
    for counts in ([], [0] * 100, [1] * 50 + [9], [15], [100] * 500, [5] * 200 + [15] * 60):
        assert bursts(day_of(counts)).is_empty()
