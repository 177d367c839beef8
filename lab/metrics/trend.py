"""Trends: a day beside what its weekday usually holds.

The trap it avoids: a day that helps to judge itself, or an unfinished day that looks like a fall. A baseline
looks back only, and neither scores nor contains an open day.
"""

from __future__ import annotations

import polars as pl

WEEKS = 8
POINTS = 6
WIDTH = 2.5
"""Half-width of the band in robust standard deviations: where watching begins."""


def with_baseline(days: pl.DataFrame) -> pl.DataFrame:
    """Adds failed_share, expected_low and expected_high to gapless rows with day, attempts, failed, `known`, `open`.

    The band is the median of the same weekday of the 8 weeks before, ± 2.5 robust standard deviations: 1.4826
    times the median absolute deviation, at least √median (the chance in a count) and 1, since eight equal days
    would make a band of no width. The low end is at least 0. Null under 6 points, for an open day, and for a
    day before the first known one.
    """
    counted = pl.when(pl.col("known") & ~pl.col("open")).then(pl.col("attempts"))
    earlier = pl.concat_list([counted.shift(7 * week) for week in range(1, WEEKS + 1)]).list.drop_nulls()
    scored = (pl.col("earlier").list.len() >= POINTS) & pl.col("known") & ~pl.col("open")
    middle = pl.col("earlier").list.median()
    deviation = pl.col("earlier").list.eval((pl.element() - pl.element().median()).abs()).list.median()
    return (
        days.sort("day")
        .with_columns(earlier=earlier)
        .with_columns(middle=middle, width=WIDTH * pl.max_horizontal(1.4826 * deviation, middle.sqrt(), 1.0))
        .with_columns(
            failed_share=pl.when(pl.col("attempts") > 0).then(pl.col("failed") / pl.col("attempts")),
            expected_low=pl.when(scored).then(pl.max_horizontal(pl.col("middle") - pl.col("width"), 0.0)),
            expected_high=pl.when(scored).then(pl.col("middle") + pl.col("width")),
        )
        .drop("earlier", "middle", "width", "known")
    )
