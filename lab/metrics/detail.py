"""One day in detail: why, from where, by whom, when. Everything is computed from the day's own measures.

The trap it avoids: panels of one page that disagree because each asked for its own view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from lab.clock import day_bounds
from lab.eventlog import DayFiles
from lab.ids import instant
from lab.metrics.daily import ATTEMPTS, FAILED, SUCCESS, counts, daily, duplicates, within
from lab.metrics.measures import REASONS, TOP, Reader, Traffic, of_traffic
from lab.metrics.minutes import bursts, day_minutes


@dataclass(frozen=True)
class DayDetail:
    """A business day. Frames are ordered by attempts, the most first; `minutes` and `bursts` by time.

    `simulated_attempts` counts them whatever the traffic asked for. `first_at` and `last_at` are those of
    attempts and replays. Latencies are None without latency, `open` is true until the day has ended.
    """

    day: date
    traffic: Traffic
    attempts: int
    success: int
    failed: int
    users_count: int
    turned_away: int
    replays: int
    simulated_attempts: int
    p50_ms: float | None
    p95_ms: float | None
    first_at: datetime | None
    last_at: datetime | None
    open: bool
    categories: pl.DataFrame
    reasons: pl.DataFrame
    sources: pl.DataFrame
    pages: pl.DataFrame
    users: pl.DataFrame
    duplicates: pl.DataFrame
    rate_limits: pl.DataFrame
    minutes: pl.DataFrame
    bursts: pl.DataFrame


def day_detail(
    reader: Reader, days: Sequence[DayFiles], day: date, now: datetime, zone: ZoneInfo, traffic: Traffic
) -> DayDetail:
    """The day as DayDetail; zeros and empty frames for a day without rows."""
    rows = within(days, day, day)
    everything = counts(reader, rows, Traffic.ALL)
    cube = of_traffic(everything, traffic)
    attempts = cube.filter(pl.col("kind") == "attempt")
    failed = attempts.filter(pl.col("outcome") == "FAILED").with_columns(pl.col("category").fill_null("UNSPECIFIED"))
    figures = daily(reader, rows, day, day, traffic).row(0, named=True)
    spans = cube.select(first=pl.col("first_us").min(), last=pl.col("last_us").max()).row(0)
    minutes = day_minutes(reader, rows, day, now, zone, traffic)
    return DayDetail(
        day=day,
        traffic=traffic,
        attempts=figures["attempts"],
        success=figures["success"],
        failed=figures["failed"],
        users_count=figures["users"],
        turned_away=figures["turned_away"],
        replays=figures["replays"],
        simulated_attempts=of_traffic(everything, Traffic.SIMULATED).select(ATTEMPTS).item(),
        p50_ms=figures["p50_ms"],
        p95_ms=figures["p95_ms"],
        first_at=None if spans[0] is None else instant(spans[0]),
        last_at=None if spans[1] is None else instant(spans[1]),
        open=now < day_bounds(day, zone)[1],
        categories=_most(failed, "category"),
        reasons=_most(
            of_traffic(reader.read(REASONS, rows), traffic), "category", "stage", "reason", "field"
        ),
        sources=_outcomes(attempts, "source"),
        pages=_outcomes(attempts, "page"),
        users=_users(reader, rows, traffic),
        duplicates=duplicates(cube),
        rate_limits=_most(failed.filter(pl.col("category") == "RATE_LIMIT_EXCEEDED"), "page", "source"),
        minutes=minutes,
        bursts=bursts(minutes),
    )


def _most(rows: pl.DataFrame, *keys: str) -> pl.DataFrame:
    return _ordered(rows.group_by(keys).agg(pl.col("attempts").sum()), keys)


def _outcomes(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    return _ordered(rows.group_by(key).agg(attempts=ATTEMPTS, success=SUCCESS, failed=FAILED), (key,))


def _ordered(frame: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    return frame.sort(["attempts", *keys], descending=[True, *(False for _ in keys)], nulls_last=True)


def _users(reader: Reader, rows: Sequence[DayFiles], traffic: Traffic) -> pl.DataFrame:
    top = reader.read(TOP, rows).filter(pl.col("traffic") == traffic.value)
    return top.select(
        "user",
        "attempts",
        "success",
        "failed",
        first_at=pl.col("first_us").cast(pl.Datetime("us", "UTC")),
        last_at=pl.col("last_us").cast(pl.Datetime("us", "UTC")),
    )
