"""What a day's facts are drawn from: its figures, what is usual for such a day, and who was refused by what.

The trap it avoids: holding an open day, or a log's first weeks, against whole days that are not their like. The
usual is the median of the same weekday in the eight weeks before, from the log's first day on, and only with
three such days or more; for an open day it is the same weekday up to the same elapsed time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lab.metrics import DayDetail, Dimension, Metrics, Traffic

REFUSED_SQL = Path(__file__).with_name("refused.sql")
WEEKS = 8
MIN_POINTS = 3


@dataclass(frozen=True)
class Usual:
    """Medians over `points` comparable days; a figure is None, a mapping empty, when there are too few of them."""

    points: int = 0
    attempts: float | None = None
    success: float | None = None
    failed: float | None = None
    p95_ms: float | None = None
    low: float | None = None
    high: float | None = None
    sources: Mapping[str, float] = field(default_factory=dict)
    categories: Mapping[str, float] = field(default_factory=dict)

    @property
    def failed_share(self) -> float | None:
        """Per cent of attempts that usually fail."""
        return 100 * self.failed / self.attempts if self.attempts and self.failed is not None else None


class Refused(NamedTuple):
    """Attempts refused for one category, of one source, naming one field (or none), in one day."""

    category: str
    source: str
    field: str | None
    attempts: int
    users: int
    first_at: datetime
    last_at: datetime
    peak: int
    """Most of them in one minute."""


@dataclass(frozen=True)
class Evidence:
    """Everything facts are made from."""

    detail: DayDetail
    usual: Usual
    refused: tuple[Refused, ...]


def gather(metrics: Metrics, day: date, traffic: Traffic, now: datetime) -> Evidence:
    """Ask the metrics once for all of it."""
    detail = metrics.day(day, traffic)
    rows = metrics.of_day(day, REFUSED_SQL.read_text(encoding="utf-8"), {"traffic": traffic.value})
    refused = tuple(Refused(*row) for row in rows.select(Refused._fields).iter_rows())
    if detail.open:
        by_now = metrics.expected_by_now(day, now, traffic, weeks=WEEKS)
        if by_now.points < MIN_POINTS:
            return Evidence(detail, Usual(by_now.points), refused)
        return Evidence(detail, Usual(by_now.points, by_now.attempts, by_now.success, by_now.failed), refused)
    return Evidence(detail, _usual(metrics, day, traffic), refused)


def _usual(metrics: Metrics, day: date, traffic: Traffic) -> Usual:
    first_day = metrics.totals(traffic).first_day
    days = [day - timedelta(weeks=week) for week in range(WEEKS, 0, -1)]
    days = [one for one in days if first_day is not None and one >= first_day]
    if len(days) < MIN_POINTS:
        return Usual(len(days))
    rows = {row["day"]: row for row in metrics.daily(days[0], days[-1], traffic).iter_rows(named=True)}
    alike = [rows[one] for one in days]
    latencies = [row["p95_ms"] for row in alike if row["p95_ms"] is not None]
    band = metrics.trend(day, day, traffic).row(0, named=True)
    return Usual(
        points=len(days),
        attempts=_median([row["attempts"] for row in alike]),
        success=_median([row["success"] for row in alike]),
        failed=_median([row["failed"] for row in alike]),
        p95_ms=float(median(latencies)) if len(latencies) >= MIN_POINTS else None,
        low=band["expected_low"],
        high=band["expected_high"],
        sources=_usual_by(metrics, "source", days, traffic),
        categories=_usual_by(metrics, "category", days, traffic),
    )


def _usual_by(metrics: Metrics, dimension: Dimension, days: list[date], traffic: Traffic) -> dict[str, float]:
    """Median attempts a day of each key; a day without a row of the key counts as 0."""
    frame = metrics.by(dimension, days[0], days[-1], traffic)
    counts: dict[str, dict[date, int]] = {}
    for row in frame.iter_rows(named=True):
        if row["key"] is not None:
            counts.setdefault(row["key"], {})[row["day"]] = row["attempts"]
    return {key: _median([by_day.get(day, 0) for day in days]) for key, by_day in counts.items()}


def _median(counts: list[int]) -> float:
    """The median as a whole number: nobody makes half an attempt."""
    return float(int(median(counts) + 0.5))
