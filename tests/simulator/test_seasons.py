"""When people come."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from random import Random
from statistics import mean, pvariance
from zoneinfo import ZoneInfo

import pytest

from lab.clock import day_bounds
from lab.ids import microseconds
from lab.simulator.seasons import LEISURE, OFFICE, Habit, habit_of, instant_at, mood, poisson, slices, unevenness


@pytest.mark.parametrize("habit", [OFFICE, LEISURE])
def test_a_habit_averages_one(habit: Habit) -> None:
    """So attempts a day stay what they are over a week."""
    assert mean(habit.hours) == pytest.approx(1)
    assert mean(habit.weekdays) == pytest.approx(1)


def test_an_office_rests_at_the_weekend_and_an_app_does_not() -> None:
    """Weekly seasons differ by source."""
    assert habit_of("WEBSITE_FORM").weekdays[6] < 0.6 < 1 < habit_of("MOBILE_APP").weekdays[6]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 6, 1), 24), (date(2026, 10, 25), 25)]
)
def test_slices_cover_the_business_day_whatever_the_clocks_do(day: date, hours: int) -> None:
    """A day with a clock change has 23 or 25 hours, without gap or overlap."""
    zone = ZoneInfo("Europe/Amsterdam")
    parts = list(slices(day, zone))
    first, after = (microseconds(one) for one in day_bounds(day, zone))
    assert len(parts) == hours * 6
    assert (parts[0].start_us, parts[-1].end_us) == (first, after)
    assert all(one.end_us == next_one.start_us for one, next_one in pairwise(parts))


def test_an_hour_of_a_business_day_is_an_hour_on_its_wall() -> None:
    """14.5 is half past two in the lab's zone, and 25 is one o'clock on the next day."""
    zone = ZoneInfo("Europe/Amsterdam")
    assert instant_at(date(2026, 11, 20), 14.5, zone).isoformat() == "2026-11-20T13:30:00+00:00"
    assert instant_at(date(2026, 11, 20), 25, zone).isoformat() == "2026-11-21T00:00:00+00:00"


@pytest.mark.parametrize("expected", [0.3, 5.0, 200.0])
def test_counts_are_poisson(expected: float) -> None:
    """Mean and variance are the expected count, both below and above where the method changes."""
    random = Random(1)
    counts = [poisson(random, expected) for _ in range(4_000)]
    assert mean(counts) == pytest.approx(expected, rel=0.08)
    assert pvariance(counts) == pytest.approx(expected, rel=0.15)
    assert poisson(random, 0) == 0


def test_luck_averages_one() -> None:
    """A day's and a slice's luck change when people come, not how many in the long run."""
    random = Random(1)
    assert mean(mood(random) for _ in range(4_000)) == pytest.approx(1, abs=0.01)
    assert mean(unevenness(random) for _ in range(4_000)) == pytest.approx(1, abs=0.02)
