"""When people come: the hours of a day, the days of a week, and the unevenness between.

Two habits: an office that works by day from Monday to Friday, and leisure, which comes in the evening and at
the weekend. Each curve averages 1, so that a plan's attempts a day stay what they are over a week. The trap it
avoids: smooth traffic, on which every detector looks clever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lab.clock import day_bounds
from lab.ids import microseconds

SLICE_S = 600
_UNEVEN = 14.0
_DAY_SIGMA = 0.04


class Habit(NamedTuple):
    """Relative rates by hour of the business day and by weekday (Monday first); both average 1."""

    hours: tuple[float, ...]
    weekdays: tuple[float, ...]


def _averaging_one(*values: float) -> tuple[float, ...]:
    return tuple(value * len(values) / sum(values) for value in values)


OFFICE = Habit(
    _averaging_one(3, 3, 2.5, 2.5, 3, 4, 6, 9, 14, 18, 20, 19, 15, 17, 19, 18, 16, 13, 10, 8, 7, 6, 5, 4),
    _averaging_one(1.08, 1.16, 1.14, 1.10, 0.98, 0.50, 0.46),
)
LEISURE = Habit(
    _averaging_one(6, 4, 3, 3, 3, 4, 6, 9, 10, 10, 10, 11, 13, 12, 11, 11, 12, 14, 17, 20, 22, 20, 15, 9),
    _averaging_one(0.94, 0.94, 0.96, 0.98, 1.04, 1.14, 1.08),
)
_AT_LEISURE = ("MOBILE", "APP", "CHAT", "REFERRAL", "WIDGET")


class Slice(NamedTuple):
    """Ten minutes of a business day, or less at its end, in microseconds since 1970."""

    start_us: int
    end_us: int
    weekday: int
    hour: int

    @property
    def share(self) -> float:
        """Share of an average day's 24 hours."""
        return (self.end_us - self.start_us) / 86_400_000_000


def habit_of(source: str) -> Habit:
    """The habit of a source, told by its name; office when the name tells nothing."""
    return LEISURE if set(_AT_LEISURE) & set(source.split("_")) else OFFICE


def slices(day: date, zone: ZoneInfo) -> Iterator[Slice]:
    """A business day in order; one with a clock change has an hour more or less."""
    start, end = day_bounds(day, zone)
    while start < end:
        following = min(start + timedelta(seconds=SLICE_S), end)
        hour = start.astimezone(zone).hour
        yield Slice(microseconds(start), microseconds(following), day.weekday(), hour)
        start = following


def factor(habit: Habit, weekday: int, hour: int) -> float:
    """How much busier than average an hour of that weekday is."""
    return habit.weekdays[weekday] * habit.hours[hour]


def mood(random: Random) -> float:
    """A whole day's luck: log-normal, averaging 1."""
    return random.lognormvariate(-(_DAY_SIGMA**2) / 2, _DAY_SIGMA)


def unevenness(random: Random) -> float:
    """A slice's luck: gamma, averaging 1, which makes counts more uneven than Poisson's."""
    return random.gammavariate(_UNEVEN, 1 / _UNEVEN)


def poisson(random: Random, mean: float) -> int:
    """How many come when `mean` are expected: Knuth's product up to 30, the normal approximation above."""
    if mean <= 0:
        return 0
    if mean > 30:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    count, product, floor = 0, random.random(), math.exp(-mean)
    while product > floor:
        count += 1
        product *= random.random()
    return count


def instant_at(day: date, hour: float, zone: ZoneInfo) -> datetime:
    """The instant of a wall-clock hour (14.5 is half past two) of a business day."""
    minutes = round(hour * 60)
    day, minutes = day + timedelta(days=minutes // 1440), minutes % 1440
    return datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone).astimezone(UTC)
