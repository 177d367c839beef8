"""Metrics: every figure of the lab, from one view of the log, remembered by the version of each day's rows.

The trap it avoids: a cost that grows with history. When one attempt is appended to the last of a hundred days,
one day's journal is read again and the other days' results are taken from memory.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import polars as pl

from lab.clock import Clock, business_day, day_bounds
from lab.errors import FileDamaged, FileGone
from lab.metrics import attempts, daily, detail, export, minutes, trend
from lab.metrics.attempts import Cursor, Days, Filter, Page
from lab.metrics.daily import Dimension, Totals
from lab.metrics.detail import DayDetail
from lab.metrics.measures import Kept, Reader, Traffic
from lab.metrics.memo import Memo
from lab.metrics.minutes import ByNow
from lab.metrics.run import NO_ROWS, Params, run_days
from lab.metrics.usual import AROUND, WEEKS, known_days

T = TypeVar("T")


class Log(Protocol):
    """What is read of the event log."""

    def view(self) -> Days: ...

    def version(self) -> str: ...

    def set_aside(self, file: Path, why: str) -> bool: ...


class Metrics:
    """Figures of a log. Thread-safe; every method works on one view, the same one while the log does not change."""

    def __init__(
        self,
        log: Log,
        zone: ZoneInfo,
        clock: Clock,
        *,
        memo: Memo | None = None,
        executor: Executor | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.zone = zone
        self.clock = clock
        self._log = log
        self._memo = Memo() if memo is None else memo
        self._executor = executor
        self._kept = kept
        self._reader = Reader(self._memo, executor, kept)
        self._latest: tuple[str, Days] | None = None
        self._pinned = False

    def pinned(self) -> Metrics:
        """The same figures held at one view, for a page or report whose numbers must agree with each other."""
        held = Metrics(self._log, self.zone, self.clock, memo=self._memo, executor=self._executor, kept=self._kept)
        held._latest = ("pinned", self._view())
        held._pinned = True
        return held

    def daily(
        self, first: date | None = None, last: date | None = None, traffic: Traffic = Traffic.ALL
    ) -> pl.DataFrame:
        """day, attempts, success, failed, users, turned_away, replays, p50_ms, p95_ms; a row for every day between.

        `turned_away` counts users refused that day without an accepted attempt at or after their last refusal.
        """
        return self._seen(lambda view: daily.daily(self._reader, view.days, first, last, traffic))

    def by(
        self,
        dimension: Dimension,
        first: date | None = None,
        last: date | None = None,
        traffic: Traffic = Traffic.ALL,
    ) -> pl.DataFrame:
        """day, key, attempts, success, failed, by source, page, category (failed ones) or duplicate_kind."""
        return self._seen(lambda view: daily.by(self._cube(view, first, last, traffic), dimension))

    def cells(
        self, first: date | None = None, last: date | None = None, traffic: Traffic = Traffic.ALL
    ) -> pl.DataFrame:
        """source, page, attempts, success, failed over the days."""
        return self._seen(lambda view: daily.cells(self._cube(view, first, last, traffic)))

    def totals(self, traffic: Traffic = Traffic.ALL) -> Totals:
        """All time."""
        return self._seen(lambda view: daily.totals(self._cube(view, None, None, traffic)))

    def days_with_data(self, traffic: Traffic = Traffic.ALL) -> list[date]:
        """Days that hold such rows, oldest first."""
        return self._seen(lambda view: self._cube(view, None, None, traffic)["day"].unique().sort().to_list())

    def has_real(self) -> bool:
        """Whether any attempt came through the API or an import."""
        return bool(self.days_with_data(Traffic.REAL))

    def minutes(self, day: date, traffic: Traffic = Traffic.ALL) -> pl.DataFrame:
        """minute (UTC), attempts, success, failed: every minute of the business day, until now for today."""
        now = self.clock()
        return self._seen(lambda view: minutes.day_minutes(self._reader, view.days, day, now, self.zone, traffic))

    def last_minutes(self, now: datetime, count: int = 60, traffic: Traffic = Traffic.ALL) -> pl.DataFrame:
        """The same columns for the `count` minutes that end with the one of `now`."""
        return self._seen(
            lambda view: minutes.last_minutes(self._reader, view.days, now, count, self.zone, traffic)
        )

    def expected_by_now(
        self, day: date, now: datetime, traffic: Traffic = Traffic.ALL, weeks: int = WEEKS
    ) -> ByNow:
        """What the same weekday of the weeks before held after the same elapsed time."""

        def work(view: Days) -> ByNow:
            cube = self._cube(view, day - timedelta(weeks=weeks, days=AROUND), day, traffic)
            filled = cube.filter(pl.col("kind") == "attempt")["day"].unique().to_list()
            known = known_days(filled, day, weeks)
            return minutes.expected_by_now(self._reader, view.days, day, now, self.zone, traffic, known)

        return self._seen(work)

    def trend(self, first: date, last: date, traffic: Traffic = Traffic.ALL) -> pl.DataFrame:
        """`daily` with failed_share, open, and what the same weekday's last 8 weeks make usual (null under 6 known).

        Those columns are expected_low, expected_high, usual_share and high_share, as `with_baseline` tells.
        """
        today = business_day(self.clock(), self.zone)

        def work(view: Days) -> pl.DataFrame:
            shown = daily.daily(self._reader, view.days, first, last, traffic)
            begin = first - timedelta(weeks=WEEKS, days=AROUND)
            counted = daily.counted_days(self._cube(view, begin, last, traffic), begin, last)
            scored = trend.with_baseline(counted.with_columns(open=pl.col("day") >= today))
            added = ("failed_share", "expected_low", "expected_high", "usual_share", "high_share", "open")
            return shown.join(scored.select("day", *added), on="day", how="left").sort("day")

        return self._seen(work)

    def day(self, day: date, traffic: Traffic = Traffic.ALL) -> DayDetail:
        """Everything about one business day."""
        now = self.clock()
        return self._seen(lambda view: detail.day_detail(self._reader, view.days, day, now, self.zone, traffic))

    def is_open(self, day: date) -> bool:
        """Whether the day has not ended yet."""
        return self.clock() < day_bounds(day, self.zone)[1]

    def is_sealed(self, day: date) -> bool:
        """Whether the day's rows are sealed: then they are final."""
        return self._seen(lambda view: any(one.sealed for one in view.days if one.day == day))

    def sealed_days(self) -> list[date]:
        """The sealed days, oldest first."""
        return self._seen(lambda view: [one.day for one in view.days if one.sealed])

    def of_day(self, day: date, sql: str, params: Params | None = None) -> pl.DataFrame:
        """`sql` over the `attempts` of one day, as `run_days` does it, for a room with a question of its own."""
        return self._seen(
            lambda view: run_days(daily.within(view.days, day, day), sql, params=params, executor=self._executor)
        )

    def day_version(self, day: date) -> str:
        """The version of the day's rows: equal as long as they are."""
        return self._seen(lambda view: next((one.version for one in view.days if one.day == day), NO_ROWS.version))

    def page(self, asked: Filter, before: Cursor | None = None, size: int = 30) -> Page:
        """A page of stored rows, newest first."""
        return self._seen(
            lambda view: attempts.page(view, asked, before, size, memo=self._memo, executor=self._executor)
        )

    def one(self, attempt_id: str) -> dict[str, Any] | None:
        """One stored row with its whole context; None when there is none of that id."""
        return self._seen(lambda view: attempts.one(view, attempt_id, executor=self._executor))

    def around(self, user: str, at: datetime, count: int = 5) -> pl.DataFrame:
        """The same user's rows before and after an instant."""
        return self._seen(lambda view: attempts.around(view, user, at, count, executor=self._executor))

    def export(
        self,
        asked: Filter,
        path: Path,
        format: export.Format = "csv",
        progress: export.Watch | None = None,
    ) -> int:
        """Write the matching rows to a file; returns how many."""
        return self._seen(
            lambda view: export.export(view, asked, path, format, progress, executor=self._executor)
        )

    def _cube(self, view: Days, first: date | None, last: date | None, traffic: Traffic) -> pl.DataFrame:
        return daily.counts(self._reader, daily.within(view.days, first, last), traffic)

    def _seen(self, work: Callable[[Days], T]) -> T:
        """`work` over the view; over a new one when a file was replaced meanwhile, or had to be set aside."""
        looked_for: set[Path] = set()
        while True:
            try:
                return work(self._view())
            except FileGone as gone:
                if gone.file in looked_for and not self._log.set_aside(gone.file, "it is missing"):
                    raise
                looked_for.add(gone.file)
            except FileDamaged as damaged:
                if not self._log.set_aside(damaged.file, "it is not what was written"):
                    raise
            self._latest = ("pinned", self._log.view()) if self._pinned else None

    def _view(self) -> Days:
        latest = self._latest
        if latest is not None and self._pinned:
            return latest[1]
        version = self._log.version()
        if latest is None or latest[0] != version:
            latest = (version, self._log.view())
            self._latest = latest
        return latest[1]
