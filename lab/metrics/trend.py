"""Trends: a day beside what its weekday usually holds.

The trap it avoids: a day that helps to judge itself, or an unfinished day that looks like a fall. A baseline
looks back only, and neither scores the volume of an open day nor contains one. How many days are shown changes
nothing: each day is held against its own eight weeks, by the rule of `lab.metrics.usual`.
"""

from __future__ import annotations

import polars as pl

from lab.metrics.usual import AROUND, POINTS, WEEKS

WIDTH = 2.5
"""Half-width of the band in robust standard deviations: where watching begins."""
HIGH_Z = 3.5
HIGH_RATIO = 1.5
LEAST_SHARE = 0.05
"""The chance in a day's share is reckoned with at least this one, or a usual of nothing would allow for nothing."""


def with_baseline(days: pl.DataFrame) -> pl.DataFrame:
    """Adds failed_share, expected_low, expected_high, usual_share and high_share to gapless rows of days.

    They have day, attempts, failed and `open`. The band is the median of the same weekday of the 8 weeks before,
    ± 2.5 robust standard deviations: 1.4826 times the median absolute deviation, at least √median (the chance in
    a count) and 1, since eight equal days would make a band of no width. The low end is at least 0. Null under 6
    known days and for an open day.

    `usual_share` is the median of those days' failed shares; a day stands out from `high_share` on: half as much
    again, and 3.5 deviations more (robust, at least one point, at least the chance in a share of that many).
    """
    recorded = pl.col("attempts").rolling_sum(2 * AROUND + 1, center=True, min_samples=1) > 0
    known = recorded & ~pl.col("open")
    share = pl.when(pl.col("attempts") > 0).then(pl.col("failed") / pl.col("attempts"))
    scored = (pl.col("earlier").list.len() >= POINTS) & ~pl.col("open")
    middle, usual = pl.col("middle"), pl.col("usual_share")
    likely = usual.clip(LEAST_SHARE, 0.5)
    chance = (likely * (1 - likely) / pl.max_horizontal("attempts", 1)).sqrt()
    spread = pl.max_horizontal(1.4826 * _deviation("shares"), 0.01, chance)
    return (
        days.sort("day")
        .with_columns(failed_share=share)
        .with_columns(earlier=_earlier("attempts", known), shares=_earlier("failed_share", known))
        .with_columns(
            middle=pl.col("earlier").list.median(),
            usual_share=pl.when(pl.col("shares").list.len() >= POINTS).then(pl.col("shares").list.median()),
        )
        .with_columns(width=WIDTH * pl.max_horizontal(1.4826 * _deviation("earlier"), middle.sqrt(), 1.0))
        .with_columns(
            expected_low=pl.when(scored).then(pl.max_horizontal(middle - pl.col("width"), 0.0)),
            expected_high=pl.when(scored).then(middle + pl.col("width")),
            high_share=pl.when(usual.is_not_null()).then(
                pl.max_horizontal(HIGH_RATIO * usual, usual + HIGH_Z * spread)
            ),
        )
        .drop("earlier", "shares", "middle", "width")
    )


def _earlier(column: str, known: pl.Expr) -> pl.Expr:
    """The values of the same weekday in the weeks before, of known days."""
    held = pl.when(known).then(pl.col(column))
    return pl.concat_list([held.shift(7 * week) for week in range(1, WEEKS + 1)]).list.drop_nulls()


def _deviation(column: str) -> pl.Expr:
    """The median absolute deviation of a list."""
    return pl.col(column).list.eval((pl.element() - pl.element().median()).abs()).list.median()
