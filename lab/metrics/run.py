"""`run_days`: one SQL over one day's rows, a task a day, results put one under the other. The seam to a cluster.

The trap it avoids: SQL that sees more than a day, which could never be split. Inside the SQL the day's rows are
called `attempts`, files and journal together; a task is a top-level function of picklable arguments, so any
`concurrent.futures.Executor` may run it, in this process or elsewhere.
"""

from __future__ import annotations

import functools
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from lab.attempt import SCHEMA
from lab.errors import FileGone, LabError
from lab.eventlog import DayFiles
from lab.eventlog.intact import require_intact

READABLE = (
    "attempt_id",
    "seq",
    "received_at",
    "day",
    "occurred_at",
    "channel",
    "kind",
    "source",
    "page",
    "user_id",
    "outcome",
    "failure_category",
    "failure_stage",
    "failure_reason",
    "failure_context",
    "duplicate_kind",
    "lead_id",
    "latency_ms",
    "idempotency_key",
    "client",
    "user_agent",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "trace_id",
    "repeat_count",
)
"""The stored columns that figures may be made of. What only a simulation knows about its rows is not among them."""

_ROWS = f"""
select
    {", ".join(READABLE)},
    case
        when channel in ('api', 'import') then 'Real'
        when channel = 'simulator' then 'Simulated'
        else 'Other'
    end as traffic
"""
_JOURNAL_ONLY = f"with attempts as ({_ROWS} from journal)"
_FILES_AND_JOURNAL = f"""
with attempts as (
    {_ROWS}
    from (
        select * from read_parquet($files, union_by_name = true, hive_partitioning = false)
        union all by name
        select * from journal
    )
)
"""

NO_ROWS = DayFiles(date.min, (), None, "no rows")
"""A day without rows: its result is empty and has the right columns."""

Params = Mapping[str, Any]
Reduce = Callable[[pl.DataFrame], pl.DataFrame]


@functools.cache
def sql_text(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def run_days(
    days: Sequence[DayFiles], sql: str, *, params: Params | None = None, executor: Executor | None = None
) -> pl.DataFrame:
    """Run `sql` over each day's `attempts` and concatenate the results in the order of `days`.

    Without days the result is empty, with the columns that the SQL gives. Raises FileGone, or LabError for a
    file that cannot be read.
    """
    frames: list[pl.DataFrame] = run_each(days or [NO_ROWS], sql, params=params, executor=executor)
    return pl.concat(frames)


def run_each(
    days: Sequence[DayFiles],
    sql: str,
    *,
    params: Params | None = None,
    then: Callable[[pl.DataFrame], Any] | None = None,
    executor: Executor | None = None,
) -> list[Any]:
    """A frame, or what `then` (a picklable function that runs where the SQL ran) makes of it, for each of `days`."""
    bound = dict(params or {})
    if not days:
        return []
    pool = executor or _own_pool(os.getpid())
    return [task.result() for task in [pool.submit(run_day, day, sql, bound, then) for day in days]]


def run_day(day: DayFiles, sql: str, params: Params, then: Callable[[pl.DataFrame], Any] | None = None) -> Any:
    """The task: `sql` over one day's rows, as a frame, or as what `then` makes of it."""
    for file, written in zip(day.files, day.hashes, strict=False):
        require_intact(file, written)
    connection = _connection()
    journal = SCHEMA.empty_table() if day.journal is None else day.journal
    connection.register("journal", journal)
    try:
        if day.files:
            head, bound = _FILES_AND_JOURNAL, {"files": [_literal(file) for file in day.files], **params}
        else:
            head, bound = _JOURNAL_ONLY, dict(params)
        frame = pl.from_arrow(connection.sql(f"{head} from (\n{sql}\n)", params=bound).to_arrow_table())
    except duckdb.Error as error:
        if not day.files:
            raise
        if gone := next((file for file in day.files if not file.exists()), None):
            raise FileGone(gone) from error
        raise LabError(
            f"The rows of {day.day.isoformat()} cannot be read ({str(error).splitlines()[0]}); run "
            "`python -m lab doctor` and restore the file from a backup."
        ) from error
    finally:
        connection.unregister("journal")
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - from_arrow gives a Series for an array only
    return frame if then is None else then(frame)


_local = threading.local()


def _connection() -> duckdb.DuckDBPyConnection:
    """This thread's connection to this process's engine; a fork gets an engine of its own."""
    here = os.getpid()
    if getattr(_local, "pid", None) != here:
        _local.connection = _engine(here).cursor()
        _local.connection.execute("set TimeZone = 'UTC'")
        _local.pid = here
    connection: duckdb.DuckDBPyConnection = _local.connection
    return connection


@functools.cache
def _engine(_pid: int) -> duckdb.DuckDBPyConnection:
    """In memory, bounded. Left alone DuckDB would spill into the working directory and fetch extensions."""
    return duckdb.connect(
        ":memory:",
        config={
            "threads": 2,
            "memory_limit": "1GB",
            "temp_directory": str(Path(tempfile.gettempdir()) / f"lab-metrics-{_pid}"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


@functools.cache
def _own_pool(_pid: int) -> Executor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="metrics")


def _literal(file: Path) -> str:
    """The path with its pattern characters bracketed: DuckDB would otherwise take `[1]` in a folder as a glob."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(file))
