"""What a day's facts are drawn from: its figures, what is usual for such a day, and who was refused by what.

The trap it avoids: holding an open day, or a log's first weeks, against whole days that are not their like. The
usual is that of every page (`lab.metrics.usual`); for an open day it is the same weekday up to the same elapsed time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from lab.metrics.usual import SPAN_DAYS, known_days, usual, whole_median

if TYPE_CHECKING:
    from lab.metrics import DayDetail, Dimension, Metrics, Traffic

REFUSED_SQL = Path(__file__).with_name("refused.sql")


@dataclass(frozen=True)
class Usual:
    """Medians over `points` comparable days; a figure is None, a mapping empty, when there are too few of them.

    `failed_share` is in per cent: the median of the days' own shares.
    """

    points: int = 0
    attempts: int | None = None
    success: int | None = None
    failed: int | None = None
    failed_share: float | None = None
    p95_ms: float | None = None
    low: float | None = None
    high: float | None = None
    sources: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)


class Refused(NamedTuple):
    """Attempts refused for one category, of one source, naming one field (or none), in one day.

    `scope` is what a limit counts: user or client; None for every other refusal.
    """

    category: str
    source: str
    field: str | None
    attempts: int
    users: int
    first_at: datetime
    last_at: datetime
    peak: int
    """Most of them in one minute."""
    scope: str | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything facts are made from."""

    detail: DayDetail
    usual: Usual
    refused: tuple[Refused, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Attempts of the day by the other traffic that holds them; asked only when the chosen one has none."""


def gather(metrics: Metrics, day: date, traffic: Traffic, now: datetime) -> Evidence:
    """Ask the metrics once for all of it."""
    detail = metrics.day(day, traffic)
    rows = metrics.of_day(day, REFUSED_SQL.read_text(encoding="utf-8"), {"traffic": traffic.value})
    refused = tuple(Refused(*row) for row in rows.select(Refused._fields).iter_rows())
    if detail.open:
        by_now = metrics.expected_by_now(day, now, traffic)
        share = _per_cent(by_now.failed_share)
        usual_now = Usual(by_now.points, by_now.attempts, by_now.success, by_now.failed, share)
        return Evidence(detail, usual_now, refused, _left_out(metrics, detail))
    return Evidence(detail, _usual(metrics, day, traffic), refused, _left_out(metrics, detail))


def _left_out(metrics: Metrics, detail: DayDetail) -> dict[str, int]:
    if detail.attempts:
        return {}
    others = [one for one in type(detail.traffic) if one not in (detail.traffic, "All")]
    counts = {str(one): int(metrics.daily(detail.day, detail.day, one)["attempts"].sum()) for one in others}
    return {name: attempts for name, attempts in counts.items() if attempts}


def _usual(metrics: Metrics, day: date, traffic: Traffic) -> Usual:
    before = metrics.daily(day - timedelta(days=SPAN_DAYS), day - timedelta(days=1), traffic)
    found = usual(before, day)
    if found.attempts is None:
        return Usual(found.points)
    days = known_days(before.filter(pl.col("attempts") > 0)["day"].to_list(), day)
    band = metrics.trend(day, day, traffic).row(0, named=True)
    return Usual(
        points=found.points,
        attempts=found.attempts,
        success=found.success,
        failed=found.failed,
        failed_share=_per_cent(found.failed_share),
        p95_ms=found.p95_ms,
        low=band["expected_low"],
        high=band["expected_high"],
        sources=_usual_by(metrics, "source", days, traffic),
        categories=_usual_by(metrics, "category", days, traffic),
    )


def _usual_by(metrics: Metrics, dimension: Dimension, days: list[date], traffic: Traffic) -> dict[str, int]:
    """Median attempts a day of each key; a known day without a row of the key counts as 0."""
    frame = metrics.by(dimension, days[0], days[-1], traffic)
    counts: dict[str, dict[date, int]] = {}
    for row in frame.iter_rows(named=True):
        if row["key"] is not None:
            counts.setdefault(row["key"], {})[row["day"]] = row["attempts"]
    found = {key: whole_median([by_day.get(day, 0) for day in days]) for key, by_day in counts.items()}
    return {key: value for key, value in found.items() if value is not None}


def _per_cent(share: float | None) -> float | None:
    return None if share is None else 100 * share
