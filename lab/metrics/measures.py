"""Measures of a day: what is summed, and how the parts of a day become the day.

The trap they avoid: figures that depend on how rows are cut. Every measure is a group-by of whole numbers whose
parts (the files of a day, its journal) merge by adding, least and greatest; what cannot be added (distinct users,
percentiles) is read from the merged whole by `reduce`, so a growing day costs no more than what was added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import date
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, Protocol

import polars as pl

from lab.eventlog import DayFiles
from lab.metrics.memo import Memo
from lab.metrics.run import NO_ROWS, Reduce, run_each, sql_text

TOP_USERS = 50
LONG = 32
"""From so many days on, those before the first that still grows are remembered as one frame."""


class Traffic(StrEnum):
    """Whose attempts: real ones came through the API or an import, simulated ones from the simulator."""

    ALL = "All"
    REAL = "Real"
    SIMULATED = "Simulated"


class Measure(NamedTuple):
    """`keys` group the rows of `sql/<sql>.sql`; the other columns merge by sum, least or greatest.

    `reduce` turns a day's merged rows into the day's result; without one the merged rows are the result.
    """

    name: str
    sql: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    least: tuple[str, ...] = ()
    greatest: tuple[str, ...] = ()
    reduce: Reduce | None = None


class Kept(Protocol):
    """Results of sealed days that were kept when they were sealed."""

    def read(self, measure: Measure, days: Sequence[date]) -> dict[date, pl.DataFrame]: ...


class Reader:
    """Results of measures for days, from memory where the day's version is known, else kept ones, else computed."""

    def __init__(self, memo: Memo, executor: Executor | None = None, kept: Kept | None = None) -> None:
        self._memo = memo
        self._executor = executor
        self._kept = kept

    def read(self, measure: Measure, days: Sequence[DayFiles]) -> pl.DataFrame:
        """The results of `days`, one under the other, in their order."""
        still = next((index for index, day in enumerate(days) if day.journal is not None), len(days))
        if still < LONG:
            return pl.concat([self._empty(measure), *self._frames(measure, days)])
        key = ("history", measure.name, tuple(day.version for day in days[:still]))
        history = self._memo.get(key)
        if history is None:
            history = pl.concat([self._empty(measure), *self._frames(measure, days[:still], apart=False)], rechunk=True)
            self._memo.put(key, history)
        return pl.concat([history, *self._frames(measure, days[still:])])

    def _frames(self, measure: Measure, days: Sequence[DayFiles], *, apart: bool = True) -> list[pl.DataFrame]:
        found = {index: self._memo.get(_key(measure, day)) for index, day in enumerate(days)}
        missing = [days[index] for index, frame in found.items() if frame is None]
        fresh = iter(self._compute(measure, missing, apart))
        return [next(fresh) if frame is None else frame for frame in found.values()]

    def _compute(self, measure: Measure, days: list[DayFiles], apart: bool) -> list[pl.DataFrame]:
        """One frame a day; remembered one by one, unless they are kept anyway and will be remembered as one."""
        sealed = [day.day for day in days if day.sealed]
        kept = self._kept.read(measure, sealed) if self._kept and sealed else {}
        result = {id(day): kept[day.day] for day in days if day.day in kept}
        rest = [day for day in days if day.day not in kept]
        growing = [day for day in rest if day.files and day.journal is not None]
        whole = [day for day in rest if not (day.files and day.journal is not None)]
        if len(whole) == 1 and (twins := [one for one in TWINS.get(measure.sql, ()) if one is not measure]):
            finish = _FinishAll((measure, *twins))
            [(result[id(whole[0])], *others)] = run_each(
                whole, sql_text(measure.sql), then=finish, executor=self._executor
            )
            for twin, frame in zip(twins, others, strict=True):
                self._memo.put(_key(twin, whole[0]), frame)
        else:
            result |= dict(zip(map(id, whole), self._run(measure, whole, _Finish(measure)), strict=True))
        for day in growing:
            result[id(day)] = self._merge_growing(measure, day)
        for day in (one for one in days if apart or not one.sealed):
            self._memo.put(_key(measure, day), result[id(day)])
        return [result[id(day)] for day in days]

    def _merge_growing(self, measure: Measure, day: DayFiles) -> pl.DataFrame:
        """A day whose files stay while its journal grows: the files' part is remembered for the next time."""
        files = day._replace(journal=None, version=_names(day))
        key = ("part", measure.sql, files.day, files.version)
        part = self._memo.get(key)
        if part is None:
            [part] = self._run(measure, [files])
            self._memo.put(key, part)
        [journal] = self._run(measure, [day._replace(files=())])
        merged = pl.concat([part, journal]).group_by(measure.keys).agg(
            pl.col(*measure.sums).sum(),
            *(pl.col(name).min() for name in measure.least),
            *(pl.col(name).max() for name in measure.greatest),
        )
        return _Finish(measure)(merged.select(part.columns))

    def _run(self, measure: Measure, days: list[DayFiles], then: Reduce | None = None) -> list[pl.DataFrame]:
        sql = sql_text(measure.sql)
        if then is None:
            return run_each(days, sql, executor=self._executor)
        return run_each(days, sql, then=then, executor=self._executor)

    def _empty(self, measure: Measure) -> pl.DataFrame:
        frame = self._memo.get(_key(measure, NO_ROWS))
        if frame is None:
            [frame] = self._run(measure, [NO_ROWS], _Finish(measure))
            self._memo.put(_key(measure, NO_ROWS), frame)
        return frame


class _Finish:
    """The last step of a measure, picklable: reduce, or bring into the one order."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure

    def __call__(self, merged: pl.DataFrame) -> pl.DataFrame:
        if self.measure.reduce is not None:
            return self.measure.reduce(merged)
        return merged.sort(self.measure.keys, nulls_last=True)


class _FinishAll:
    """The last steps of several measures of one SQL, so that a large day is scanned once for all of them."""

    def __init__(self, measures: tuple[Measure, ...]) -> None:
        self.steps = tuple(map(_Finish, measures))

    def __call__(self, merged: pl.DataFrame) -> list[pl.DataFrame]:
        return [step(merged) for step in self.steps]


def of_traffic(frame: pl.DataFrame, traffic: Traffic) -> pl.DataFrame:
    """The rows of that traffic; all of them for All."""
    return frame if traffic is Traffic.ALL else frame.filter(pl.col("traffic") == traffic.value)


def _key(measure: Measure, day: DayFiles) -> tuple[str, object, str]:
    return (measure.name, day.day, day.version)


def _names(day: DayFiles) -> str:
    """Segments never change, so their paths name their rows."""
    return blake2b("\n".join(map(str, day.files)).encode(), digest_size=12).hexdigest()


def _each_traffic(
    frame: pl.DataFrame, united: Callable[[pl.LazyFrame], pl.LazyFrame], figures: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> pl.DataFrame:
    """`figures` of all, real and simulated rows, told apart by `traffic`; `united` makes all of them one."""
    told = pl.col("traffic")
    rows = frame.lazy()
    return pl.concat(
        [
            figures(united(rows)).with_columns(traffic=pl.lit(Traffic.ALL.value)),
            *(
                figures(rows.filter(told == traffic.value).drop("traffic")).with_columns(traffic=pl.lit(traffic.value))
                for traffic in (Traffic.REAL, Traffic.SIMULATED)
            ),
        ]
    ).collect()


def _united_users(users: pl.LazyFrame) -> pl.LazyFrame:
    """One row a user and day: somebody both real and simulated is one user of All."""
    return users.group_by("day", "user").agg(
        pl.col("single", "attempts", "success", "failed").sum(),
        pl.col("first_us").min(),
        pl.col("last_us", "accepted_us", "refused_us").max(),
    )


def count_users(users: pl.DataFrame) -> pl.DataFrame:
    """day, users, turned_away, traffic. Turned away: refused, and not accepted at or after the last refusal."""
    away = pl.col("refused_us").is_not_null() & (pl.col("accepted_us").fill_null(-1) < pl.col("refused_us"))
    return _each_traffic(
        users,
        _united_users,
        lambda some: some.group_by("day")
        .agg(
            users=(pl.col("single") > 0).sum().cast(pl.Int64),
            turned_away=away.sum().cast(pl.Int64),
        )
        .sort("day"),
    )


def top_users(users: pl.DataFrame) -> pl.DataFrame:
    """The day's most active users: day, user, attempts, success, failed, first_us, last_us, traffic."""
    return _each_traffic(
        users,
        _united_users,
        lambda some: some.sort(["attempts", "user"], descending=[True, False])
        .head(TOP_USERS)
        .select("day", "user", "attempts", "success", "failed", "first_us", "last_us"),
    )


def percentiles(histogram: pl.DataFrame) -> pl.DataFrame:
    """day, p50_ms, p95_ms, traffic: the bucket in which the running sum reaches 50 or 95 in a hundred."""

    def reached(hundredths: int) -> pl.Expr:
        counted = pl.col("attempts")
        return pl.col("bucket").filter(counted.cum_sum() * 100 >= counted.sum() * hundredths).first() / 10

    return _each_traffic(
        histogram,
        lambda every: every.group_by("day", "bucket").agg(pl.col("attempts").sum()),
        lambda some: some.sort("day", "bucket")
        .group_by("day", maintain_order=True)
        .agg(p50_ms=reached(50), p95_ms=reached(95)),
    )


_USER_KEYS = ("day", "traffic", "user")
_USER_SUMS = ("single", "attempts", "success", "failed")
_USER_LAST = ("last_us", "accepted_us", "refused_us")

COUNTS = Measure(
    "counts",
    "counts",
    ("day", "traffic", "kind", "source", "page", "outcome", "category", "duplicate_kind"),
    ("stored", "attempts", "leads"),
    ("first_us",),
    ("last_us",),
)
MINUTES = Measure("minutes", "minutes", ("day", "traffic", "minute"), ("attempts", "success", "failed"))
REASONS = Measure("reasons", "reasons", ("day", "traffic", "category", "stage", "reason", "field"), ("attempts",))
LATENCY = Measure("latency", "latency", ("day", "traffic", "bucket"), ("attempts",), reduce=percentiles)
USERS = Measure("users", "users", _USER_KEYS, _USER_SUMS, ("first_us",), _USER_LAST, count_users)
TOP = Measure("top", "users", _USER_KEYS, _USER_SUMS, ("first_us",), _USER_LAST, top_users)

TWINS = {"users": (USERS, TOP)}
"""Measures of one SQL, computed together when a single day is asked for; over a history only the asked one is."""
