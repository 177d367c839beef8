from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from lab.clock import ManualClock, ReceiptClock, business_day, day_bounds, parse_day, zone_named
from lab.errors import BadRequest, BadSetting

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2015, 10, 25), 25), (date(2015, 3, 29), 23), (date(2015, 10, 26), 24)]
)
def test_a_day_is_as_long_as_its_zone_makes_it(day: date, hours: int) -> None:
    """The days on which clocks change have 25 and 23 hours."""
    start, end = day_bounds(day, AMSTERDAM)
    assert end - start == timedelta(hours=hours)
    assert business_day(start, AMSTERDAM) == day
    assert business_day(end, AMSTERDAM) == day + timedelta(days=1)
    assert business_day(end - timedelta(microseconds=1), AMSTERDAM) == day


def test_an_instant_before_midnight_in_utc_can_be_the_next_day_in_the_zone() -> None:
    """The zone cuts the day, not UTC; half-hour offsets too."""
    late = datetime(2026, 1, 1, 18, 45, tzinfo=UTC)
    assert business_day(late, ZoneInfo("Asia/Kolkata")) == date(2026, 1, 2)
    assert business_day(late, ZoneInfo("UTC")) == date(2026, 1, 1)


def test_receipt_times_never_go_back_when_the_clock_does() -> None:
    """An hour back on the machine's clock leaves receipt times where they were."""
    clock = ManualClock(datetime(2026, 11, 1, 3, 0, tzinfo=UTC))
    ticks = [0.0]
    receipt = ReceiptClock(clock, lambda: ticks[0])
    first = receipt()
    clock.advance(hours=-1)
    assert receipt() == first
    ticks[0] += 90
    assert receipt() == first + timedelta(seconds=90), "limits must open again while the clock is behind"
    clock.advance(hours=2)
    assert receipt() == first + timedelta(hours=1)


def test_an_unknown_zone_is_refused_with_the_remedy() -> None:
    """One sentence that names the setting and what it takes."""
    with pytest.raises(BadSetting, match=r"LAB_TIME_ZONE='Mars/Olympus'.*use a name such as UTC"):
        zone_named("Mars/Olympus")


def test_a_day_that_is_none_is_refused_with_the_form_to_use() -> None:
    """2026-02-30 does not exist."""
    with pytest.raises(BadRequest, match="2026-02-30.*write it as"):
        parse_day("2026-02-30")
