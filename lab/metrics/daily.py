"""Figures by business day: daily, by dimension, by source and page, all time. Whole numbers until the last division.

The trap it avoids: a day without rows that is missing from a trend instead of being zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

import polars as pl

from lab.eventlog import DayFiles
from lab.ids import instant
from lab.metrics.measures import COUNTS, LATENCY, USERS, Reader, Traffic, of_traffic

Dimension = Literal["source", "page", "category", "duplicate_kind"]

ATTEMPTS = pl.col("attempts").filter(pl.col("kind") == "attempt").sum()
SUCCESS = pl.col("attempts").filter((pl.col("kind") == "attempt") & (pl.col("outcome") == "SUCCESS")).sum()
FAILED = pl.col("attempts").filter((pl.col("kind") == "attempt") & (pl.col("outcome") == "FAILED")).sum()
REPLAYS = pl.col("attempts").filter(pl.col("kind") == "replay").sum()


class Totals(NamedTuple):
    """All-time figures. `success_rate` is None without attempts; `leads` are accepted attempts that made a lead."""

    attempts: int
    leads: int
    replays: int
    success_rate: float | None
    days: int
    first_day: date | None
    last_day: date | None
    last_at: datetime | None
    success: int
    failed: int


def within(days: Sequence[DayFiles], first: date | None = None, last: date | None = None) -> list[DayFiles]:
    """The days from `first` to `last`, both included."""
    return [
        one for one in days if (first is None or one.day >= first) and (last is None or one.day <= last)
    ]


def counts(reader: Reader, days: Sequence[DayFiles], traffic: Traffic) -> pl.DataFrame:
    """The counting cube of `days`: one row for each combination that occurs."""
    return of_traffic(reader.read(COUNTS, days), traffic)


def daily(
    reader: Reader, days: Sequence[DayFiles], first: date | None, last: date | None, traffic: Traffic
) -> pl.DataFrame:
    """One row a day from `first` to `last` (by default the first and last day with such traffic), zeros filled.

    Columns: day, attempts, success, failed, users, turned_away, replays, p50_ms, p95_ms (null without latency).
    """
    asked = within(days, first, last)
    cube = counts(reader, asked, traffic)
    if cube.height:
        first = cube["day"].min() if first is None else first  # type: ignore[assignment]
        last = cube["day"].max() if last is None else last  # type: ignore[assignment]
    counted = counted_days(cube, first, last)
    users = reader.read(USERS, asked).filter(pl.col("traffic") == traffic.value).drop("traffic")
    latency = reader.read(LATENCY, asked).filter(pl.col("traffic") == traffic.value).drop("traffic")
    return (
        counted.lazy()
        .join(users.lazy(), on="day", how="left")
        .join(latency.lazy(), on="day", how="left")
        .sort("day")
        .select(
            "day",
            "attempts",
            "success",
            "failed",
            pl.col("users", "turned_away").fill_null(0),
            "replays",
            "p50_ms",
            "p95_ms",
        )
        .collect()
    )


def counted_days(cube: pl.DataFrame, first: date | None, last: date | None) -> pl.DataFrame:
    """day, attempts, success, failed, replays for every day from `first` to `last`, zeros filled."""
    counted = cube.lazy().group_by("day").agg(attempts=ATTEMPTS, success=SUCCESS, failed=FAILED, replays=REPLAYS)
    figures = pl.col("attempts", "success", "failed", "replays").fill_null(0)
    calendar = _calendar(first, last).lazy()
    return calendar.join(counted, on="day", how="left").sort("day").with_columns(figures).collect()


def by(cube: pl.DataFrame, dimension: Dimension) -> pl.DataFrame:
    """day, key, attempts, success, failed; days and keys that do not occur have no row.

    `category` covers failed attempts only. `duplicate_kind` covers duplicates, and replays as client_retry by
    the outcome they repeat.
    """
    if dimension == "category":
        rows = cube.filter((pl.col("kind") == "attempt") & (pl.col("outcome") == "FAILED"))
        rows = rows.with_columns(key=pl.col("category").fill_null("UNSPECIFIED"))
    elif dimension == "duplicate_kind":
        rows = _duplicates(cube)
    else:
        rows = cube.filter(pl.col("kind") == "attempt").with_columns(key=pl.col(dimension))
    return rows.group_by("day", "key").agg(attempts=ATTEMPTS, success=SUCCESS, failed=FAILED).sort("day", "key")


def cells(cube: pl.DataFrame) -> pl.DataFrame:
    """source, page, attempts, success, failed over all days of the cube."""
    rows = cube.filter(pl.col("kind") == "attempt")
    return (
        rows.group_by("source", "page")
        .agg(attempts=ATTEMPTS, success=SUCCESS, failed=FAILED)
        .sort("source", "page")
    )


def duplicates(cube: pl.DataFrame) -> pl.DataFrame:
    """kind, source, attempts: duplicates by kind, replays as client_retry; the most frequent first."""
    return (
        _duplicates(cube)
        .group_by(kind="key", source="source")
        .agg(ATTEMPTS)
        .sort(["attempts", "kind", "source"], descending=[True, False, False])
    )


def totals(cube: pl.DataFrame) -> Totals:
    """All days of the cube as one."""
    row = cube.select(
        attempts=ATTEMPTS,
        success=SUCCESS,
        failed=FAILED,
        replays=REPLAYS,
        leads=pl.col("leads").sum(),
        days=pl.col("day").n_unique(),
        first_day=pl.col("day").min(),
        last_day=pl.col("day").max(),
        last_us=pl.col("last_us").max(),
    ).row(0, named=True)
    return Totals(
        attempts=row["attempts"],
        leads=row["leads"],
        replays=row["replays"],
        success_rate=row["success"] / row["attempts"] if row["attempts"] else None,
        days=row["days"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        last_at=None if row["last_us"] is None else instant(row["last_us"]),
        success=row["success"],
        failed=row["failed"],
    )


def _duplicates(cube: pl.DataFrame) -> pl.DataFrame:
    """Duplicates and replays with `key`; replays pass as attempts here, and only here."""
    replay = pl.col("kind") == "replay"
    return cube.filter(replay | pl.col("duplicate_kind").is_not_null()).with_columns(
        key=pl.when(replay).then(pl.lit("client_retry")).otherwise(pl.col("duplicate_kind")),
        kind=pl.lit("attempt"),
    )


def _calendar(first: date | None, last: date | None) -> pl.DataFrame:
    if first is None or last is None or first > last:
        return pl.DataFrame(schema={"day": pl.Date})
    return pl.DataFrame({"day": pl.date_range(first, last, "1d", eager=True)})
