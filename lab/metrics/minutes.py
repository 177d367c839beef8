"""Minutes: of a business day, of the last hour, up to the same elapsed time of earlier weeks; and bursts.

The trap it avoids: an hour that a clock skips or repeats. Minutes are instants in UTC, so a business day has 23,
24 or 25 hours of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from math import sqrt
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from lab.clock import business_day, day_bounds
from lab.eventlog import DayFiles
from lab.ids import microseconds
from lab.metrics.daily import within
from lab.metrics.measures import MINUTES, Reader, Traffic, of_traffic
from lab.metrics.usual import POINTS, middle, whole_median

MINUTE_US = 60_000_000
COUNTED = ("attempts", "success", "failed")

BURST_TIMES = 4
"""A busy minute holds this many times the day's usual minute, and three standard deviations of chance on top."""
BURST_MINUTE = 10
"""Fewer attempts than this never make a minute busy."""
BURST_ATTEMPTS = 20
"""Fewer attempts than this in a row of busy minutes are no burst."""


class ByNow(NamedTuple):
    """What the same weekday usually held after the same elapsed time; None with under six known such days.

    `failed_share` is the median of those days' own shares up to then, as a fraction of 1.
    """

    elapsed_s: int
    points: int
    attempts: int | None
    success: int | None
    failed: int | None
    failed_share: float | None = None


def day_minutes(
    reader: Reader, days: Sequence[DayFiles], day: date, now: datetime, zone: ZoneInfo, traffic: Traffic
) -> pl.DataFrame:
    """minute, attempts, success, failed for every minute of the day that has begun by `now`."""
    start, end = day_bounds(day, zone)
    rows = of_traffic(reader.read(MINUTES, within(days, day, day)), traffic)
    return _grid(rows, _minute(start), min(_minute(end), _minute(now) + 1))


def last_minutes(
    reader: Reader, days: Sequence[DayFiles], now: datetime, count: int, zone: ZoneInfo, traffic: Traffic
) -> pl.DataFrame:
    """The same columns for the `count` minutes that end with the present one."""
    first = business_day(now - timedelta(minutes=count), zone)
    rows = of_traffic(reader.read(MINUTES, within(days, first, business_day(now, zone))), traffic)
    return _grid(rows, _minute(now) + 1 - count, _minute(now) + 1)


def expected_by_now(
    reader: Reader,
    days: Sequence[DayFiles],
    day: date,
    now: datetime,
    zone: ZoneInfo,
    traffic: Traffic,
    known: Sequence[date],
) -> ByNow:
    """Medians over the `known` earlier days, each up to the whole minutes that `day` has lasted."""
    start, end = day_bounds(day, zone)
    elapsed = max(0, min(_minute(now), _minute(end)) - _minute(start))
    if len(known) < POINTS:
        return ByNow(elapsed * 60, len(known), None, None, None)
    begins = pl.DataFrame(
        {"day": list(known), "begin": [_minute(day_bounds(one, zone)[0]) for one in known]},
        schema={"day": pl.Date, "begin": pl.Int64},
    )
    rows = of_traffic(reader.read(MINUTES, [one for one in days if one.day in known]), traffic)
    sums = (
        rows.join(begins, on="day")
        .filter(pl.col("minute") < pl.col("begin") + elapsed)
        .group_by("day")
        .agg(pl.col(*COUNTED).sum())
    )
    points = begins.join(sums, on="day", how="left").select(pl.col(*COUNTED).fill_null(0))
    usual = {name: whole_median(points[name].to_list()) for name in COUNTED}
    some = points.filter(pl.col("attempts") > 0)
    share = middle((some["failed"] / some["attempts"]).to_list())
    return ByNow(elapsed * 60, len(known), **usual, failed_share=share)


def bursts(minutes: pl.DataFrame) -> pl.DataFrame:
    """Bursts among a day's minutes: start, end (exclusive), attempts, failed, peak (attempts of the fullest minute).

    The day's usual minute is the median of its minutes that hold anything. A minute is busy when it holds at
    least 4 u + 3 √(4 u) attempts, u being the usual minute, and at least 10: four times the usual, and so much
    more that chance does not explain it. Busy minutes in a row are a burst when they hold 20 attempts or more.
    """
    rows = minutes.select("minute", "attempts", "failed").rows()
    filled = [attempts for _, attempts, _ in rows if attempts]
    found: list[tuple[datetime, datetime, int, int, int]] = []
    if filled:
        lifted = BURST_TIMES * median(filled)
        floor = max(BURST_MINUTE, lifted + 3 * sqrt(lifted))
        run: list[tuple[datetime, int, int]] = []
        for row in [*rows, (None, 0, 0)]:
            if row[1] >= floor:
                run.append(row)
            elif run:
                if sum(one[1] for one in run) >= BURST_ATTEMPTS:
                    starts, attempts, failed = zip(*run, strict=True)
                    end = starts[-1] + timedelta(minutes=1)
                    found.append((starts[0], end, sum(attempts), sum(failed), max(attempts)))
                run = []
    instant = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        found,
        schema={"start": instant, "end": instant, "attempts": pl.Int64, "failed": pl.Int64, "peak": pl.Int64},
        orient="row",
    )


def _minute(at: datetime) -> int:
    return microseconds(at) // MINUTE_US


def _grid(rows: pl.DataFrame, first: int, end: int) -> pl.DataFrame:
    """Every minute from `first` up to, not including, `end`, zeros filled."""
    return (
        pl.DataFrame({"minute": pl.int_range(first, max(first, end), dtype=pl.Int64, eager=True)})
        .join(rows.group_by("minute").agg(pl.col(*COUNTED).sum()), on="minute", how="left")
        .sort("minute")
        .select(
            minute=(pl.col("minute") * MINUTE_US).cast(pl.Datetime("us", "UTC")),
            **{name: pl.col(name).fill_null(0) for name in COUNTED},
        )
    )
