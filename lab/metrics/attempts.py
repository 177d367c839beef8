"""Stored attempts, row by row: filter, page, open one, look around it.

The trap it avoids: a page that scans the whole history. Days are asked from the newest backwards until the page
is full, and a page continues after the last row's instant and number, so it costs the same at any depth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import polars as pl

from lab.eventlog import DayFiles
from lab.metrics.measures import COUNTS, Reader, Traffic, of_traffic
from lab.metrics.memo import Memo
from lab.metrics.run import NO_ROWS, run_days, run_each, sql_text

AROUND_DAYS = 31
"""How far `around` looks to either side."""
PAGE_ROWS = 30
CHUNK_ROWS = 100_000
"""Rows that an export holds in memory."""
_ONE_DAY = timedelta(days=1)


class Days(Protocol):
    """What is read of a view."""

    @property
    def days(self) -> tuple[DayFiles, ...]: ...


@dataclass(frozen=True)
class Filter:
    """Which rows; None does not ask. Days and `since` are included, `until` is not.

    `user` is the pseudonym of a user, or of the client where no user was told. `text` is looked for in
    failure_reason, upper and lower case alike. `kind` is attempt or replay; both by default.
    """

    first: date | None = None
    last: date | None = None
    outcome: str | None = None
    category: str | None = None
    source: str | None = None
    page: str | None = None
    user: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    traffic: Traffic = Traffic.ALL
    kind: str | None = None


class Cursor(NamedTuple):
    """The last row of a page; the next one begins after it."""

    received_at: datetime
    seq: int


class Page(NamedTuple):
    """`rows` newest first; `next` is None on the last page. All pages hold `total` rows for `attempts` attempts."""

    rows: pl.DataFrame
    next: Cursor | None
    total: int
    attempts: int


class Condition(NamedTuple):
    """A where clause of our own constants, and the values bound to it."""

    sql: str
    params: dict[str, Any]


_COUNTED = {"outcome": "outcome", "category": "failure_category", "source": "source", "page": "page", "kind": "kind"}


def condition(asked: Filter) -> Condition:
    """The filter as SQL over a day's rows; days themselves are chosen by `chosen_days`."""
    clauses, params = ["true"], dict[str, Any]()
    for name, column in _COUNTED.items():
        if (value := getattr(asked, name)) is not None:
            clauses.append(f"{column} = ${name}")
            params[name] = str(value)
    if asked.traffic is not Traffic.ALL:
        clauses.append("traffic = $traffic")
        params["traffic"] = asked.traffic.value
    if asked.user is not None:
        clauses.append("coalesce(user_id, client) = $user")
        params["user"] = asked.user
    if asked.since is not None:
        clauses.append("received_at >= $since")
        params["since"] = asked.since
    if asked.until is not None:
        clauses.append("received_at < $until")
        params["until"] = asked.until
    if asked.text:
        clauses.append("failure_reason ilike $text escape '\\'")
        params["text"] = f"%{_escaped(asked.text)}%"
    return Condition("\n    and ".join(clauses), params)


def chosen_days(view: Days, asked: Filter) -> list[DayFiles]:
    """The days that can hold such rows, newest first. No zone is a day or more from UTC."""
    first = _latest(asked.first, asked.since and asked.since.astimezone(UTC).date() - _ONE_DAY)
    last = _earliest(asked.last, asked.until and asked.until.astimezone(UTC).date() + _ONE_DAY)
    return [
        day
        for day in reversed(view.days)
        if (first is None or day.day >= first) and (last is None or day.day <= last)
    ]


def page(
    view: Days,
    asked: Filter,
    before: Cursor | None = None,
    size: int = PAGE_ROWS,
    *,
    memo: Memo | None = None,
    executor: Executor | None = None,
) -> Page:
    """The `size` newest matching rows that come after `before` in the order of the list."""
    where = condition(asked)
    days = chosen_days(view, asked)
    total, attempts = _count(days, asked, where, Memo() if memo is None else memo, executor)
    if before is not None:
        days = [day for day in days if day.day <= before.received_at.astimezone(UTC).date() + _ONE_DAY]
        where = _after(where, before)
    frames = [_no_rows(executor)]
    wanted = size + 1
    for day in days if total else ():
        frames.append(_day_page(day, where, wanted, executor))
        wanted -= frames[-1].height
        if wanted <= 0:
            break
    rows = pl.concat(frames)
    shown = rows.head(size)
    return Page(shown, _last(shown) if 0 < size < rows.height else None, total, attempts)


def one(view: Days, attempt_id: str, *, executor: Executor | None = None) -> dict[str, Any] | None:
    """The row of that id, with `context` (the refusal's context as a dict, or None) beside it; None without one."""
    likely = _day_of(attempt_id)
    newest = tuple(reversed(view.days))
    near = [day for day in newest if likely is not None and abs((day.day - likely).days) <= 1]
    for day in (*near, *(day for day in newest if day not in near)):
        found = run_days([day], sql_text("one"), params={"attempt_id": attempt_id}, executor=executor)
        if found.height:
            row = found.row(0, named=True)
            return {**row, "context": _context(row["failure_context"])}
    return None


def around(
    view: Days, user: str, at: datetime, count: int = 5, *, executor: Executor | None = None
) -> pl.DataFrame:
    """The same user's rows, oldest first: up to `count` before `at`, the one at it, up to `count` after.

    Looks 31 days each way.
    """
    middle = at.astimezone(UTC).date()
    near = [day for day in view.days if abs((day.day - middle).days) <= AROUND_DAYS]
    asked = {"user": user, "instant": at, "size": count + 1}
    backwards = [day for day in reversed(near) if day.day <= middle + _ONE_DAY]
    forwards = [day for day in near if day.day >= middle - _ONE_DAY]
    earlier = _until_full(backwards, "around_before", asked, count + 1, executor)
    later = _until_full(forwards, "around_after", asked, count, executor)
    return pl.concat([_no_rows(executor), earlier, later]).sort("received_at", "seq")


def matching(
    days: Sequence[DayFiles], asked: Filter, *, chunk_rows: int = CHUNK_ROWS, executor: Executor | None = None
) -> Iterator[pl.DataFrame]:
    """Every matching row of `days` in their order, newest first within a day, `chunk_rows` at a time.

    At least one frame a day, and an empty one before them, so that columns are known.
    """
    where = condition(asked)
    yield _no_rows(executor)
    for day in days:
        chunk = _day_page(day, where, chunk_rows, executor)
        yield chunk
        while chunk.height == chunk_rows:
            chunk = _day_page(day, _after(where, _last(chunk)), chunk_rows, executor)
            yield chunk


def _after(where: Condition, before: Cursor) -> Condition:
    """Only the rows that come later in the list. The first clause alone is what lets row groups be skipped."""
    return Condition(
        f"{where.sql}\n    and received_at <= $before_at\n    and (received_at < $before_at or seq < $before_seq)",
        where.params | {"before_at": before.received_at, "before_seq": before.seq},
    )


def _last(rows: pl.DataFrame) -> Cursor:
    return Cursor(*rows.select("received_at", "seq").row(-1))


def _day_page(day: DayFiles, where: Condition, size: int, executor: Executor | None) -> pl.DataFrame:
    params = where.params | {"size": size}
    keys = run_days([day], sql_text("page_keys").format(conditions=where.sql), params=params, executor=executor)
    if not keys.height:
        return _no_rows(executor)
    params |= {"newest": keys["received_at"][0], "oldest": keys["received_at"][-1]}
    return run_days([day], sql_text("page_rows").format(conditions=where.sql), params=params, executor=executor)


def _count(
    days: Sequence[DayFiles], asked: Filter, where: Condition, memo: Memo, executor: Executor | None
) -> tuple[int, int]:
    """Matching rows and attempts: from the counting cube where it can tell, else counted once a day's version."""
    if asked.user is None and asked.since is None and asked.until is None and not asked.text:
        cube = of_traffic(Reader(memo, executor).read(COUNTS, days), asked.traffic)
        for name in _COUNTED:
            if (value := getattr(asked, name)) is not None:
                cube = cube.filter(pl.col(name) == str(value))
        counted = pl.col("attempts").filter(pl.col("kind") == "attempt").sum()
        stored, attempts = cube.select(pl.col("stored").sum(), counted).row(0)
        return stored, attempts
    sql = sql_text("page_count").format(conditions=where.sql)
    bound = tuple(sorted(where.params.items()))
    keys = {id(day): (sql, day.day, day.version, bound) for day in days}
    known = {id(day): memo.get(keys[id(day)]) for day in days}
    missing = [day for day in days if known[id(day)] is None]
    for day, frame in zip(
        missing, run_each(missing, sql, params=where.params, executor=executor), strict=True
    ):
        memo.put(keys[id(day)], frame)
        known[id(day)] = frame
    rows = [frame.row(0) for frame in known.values() if frame is not None]
    return sum(stored for stored, _ in rows), sum(attempts for _, attempts in rows)


def _until_full(
    days: Sequence[DayFiles], name: str, params: dict[str, Any], count: int, executor: Executor | None
) -> pl.DataFrame:
    frames, wanted = [_no_rows(executor)], count
    for day in days:
        if wanted <= 0:
            break
        frames.append(run_days([day], sql_text(name), params=params | {"size": wanted}, executor=executor))
        wanted -= frames[-1].height
    return pl.concat(frames)


def _no_rows(executor: Executor | None) -> pl.DataFrame:
    return run_days([NO_ROWS], "select * exclude (traffic) from attempts", executor=executor)


def _escaped(text: str) -> str:
    """Nothing in it is a wildcard any more."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _context(text: str | None) -> dict[str, Any] | None:
    try:
        value = json.loads(text) if text else None
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _day_of(attempt_id: str) -> date | None:
    """The UTC day that a UUIDv7 carries; None for any other text."""
    try:
        milliseconds = int(attempt_id.replace("-", "")[:12], 16)
        return datetime.fromtimestamp(milliseconds / 1000, UTC).date()
    except (ValueError, OverflowError, OSError):
        return None


def _latest(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)
