"""The usual of a day: medians of the same weekday in the eight weeks before. The one rule, for pages and reports.

The trap it avoids: time in which nothing was recorded, taken for days without attempts. An earlier day counts only
when something came within three days of it, and with under six such days nothing is called usual.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

import polars as pl

WEEKS = 8
POINTS = 6
AROUND = 3
"""Days before and after one that tell whether anything was recorded then: the week around it."""
SPAN_DAYS = 7 * WEEKS + AROUND
"""Days before a day that its usual is read from."""


class Usual(NamedTuple):
    """Medians over `points` known days; None when fewer than six of them hold the figure. Counts are rounded half up.

    `failed_share` and `success_share` are the medians of the days' own shares, as fractions of 1.
    """

    points: int
    attempts: int | None = None
    success: int | None = None
    failed: int | None = None
    users: int | None = None
    turned_away: int | None = None
    success_share: float | None = None
    failed_share: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None


def usual(days: pl.DataFrame, day: date) -> Usual:
    """The usual of `day`. `days` has rows of `Metrics.daily` or `.trend` from SPAN_DAYS before it; more do no harm."""
    held = days.filter(pl.col("attempts") > 0)
    alike = known_days(held["day"].to_list(), day)
    rows = days.filter(pl.col("day").is_in(alike))
    shares = rows.filter(pl.col("attempts") > 0)
    counts = {
        name: whole_median(rows[name].to_list())
        for name in ("attempts", "success", "failed", "users", "turned_away")
        if name in rows.columns
    }
    return Usual(
        len(alike),
        **counts,
        success_share=middle((shares["success"] / shares["attempts"]).to_list()),
        failed_share=middle((shares["failed"] / shares["attempts"]).to_list()),
        p50_ms=middle(rows["p50_ms"].drop_nulls().to_list()) if "p50_ms" in rows.columns else None,
        p95_ms=middle(rows["p95_ms"].drop_nulls().to_list()) if "p95_ms" in rows.columns else None,
    )


def known_days(filled: Iterable[date], day: date, weeks: int = WEEKS) -> list[date]:
    """The same weekdays before `day`, the oldest first, with any of the `filled` days within three days of them."""
    near = {one + timedelta(days=apart) for one in filled if one < day for apart in range(-AROUND, AROUND + 1)}
    return [one for week in range(weeks, 0, -1) if (one := day - timedelta(weeks=week)) in near]


def middle(values: list[float]) -> float | None:
    """The median; None of fewer than six."""
    return float(median(values)) if len(values) >= POINTS else None


def whole_median(counts: list[int]) -> int | None:
    """The median as a whole number, half up: nobody makes half an attempt. None of fewer than six."""
    return int(median(counts) + 0.5) if len(counts) >= POINTS else None
