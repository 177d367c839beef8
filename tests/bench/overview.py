"""What the Overview costs when one attempt is appended before each read, against a plain scan of everything.

Prints one JSON line. 100 days of 10,000 attempts; the plain scan is one DuckDB query set over all raw files and
the journal, in the same process, with the same questions.

    python tests/bench/overview.py [--days 100] [--per-day 10000] [--reads 30]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb
import numpy as np
import pyarrow as pa

from lab.attempt import SCHEMA, Attempt
from lab.clock import ManualClock
from lab.database import Database
from lab.eventlog import EventLog
from lab.ids import uuid7
from lab.metrics import Metrics, Traffic

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
TODAY = NOW.date()
SOURCES = ("WEBSITE_FORM", "LANDING_PAGE", "MOBILE_APP", "PARTNER_API", "REFERRAL_WIDGET", "CHAT_WIDGET")
PAGES = ("/pricing", "/demo", "/contact", "/webinar", "/ebook")
CATEGORIES = ("VALIDATION_FAILED", "RATE_LIMIT_EXCEEDED", "DUPLICATE_LEAD", "SPAM_SUSPECTED")


def day_table(day: date, rows: int, random: np.random.Generator) -> pa.Table:
    """A day's attempts with the spread of values that a real one has, columns made whole."""
    start_us = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
    until_us = (18 if day == TODAY else 24) * 3_600_000_000
    at = np.sort(random.integers(0, until_us, rows)) + start_us
    failed = random.random(rows) < 0.15
    category = np.array(CATEGORIES)[random.integers(0, len(CATEGORIES), rows)]

    def text(values: Any, shown: Any = True) -> pa.Array:
        return pa.array(np.where(shown, values, None).tolist(), pa.string())

    ids = np.char.add("0199", np.char.mod("%032d", at))
    columns: dict[str, pa.Array] = {
        "attempt_id": text(ids),
        "seq": pa.array(np.zeros(rows, np.int64)),
        "received_at": pa.array(at).cast(SCHEMA.field("received_at").type),
        "day": pa.array([day] * rows, pa.date32()),
        "channel": text(np.where(random.random(rows) < 0.7, "api", "simulator")),
        "kind": text(np.where(random.random(rows) < 0.99, "attempt", "replay")),
        "source": text(np.array(SOURCES)[random.integers(0, len(SOURCES), rows)]),
        "page": text(np.array(PAGES)[random.integers(0, len(PAGES), rows)]),
        "user_id": text(np.char.mod("u_%016x", random.integers(0, rows // 2, rows))),
        "outcome": text(np.where(failed, "FAILED", "SUCCESS")),
        "failure_category": text(category, failed),
        "failure_stage": text("validation", failed),
        "failure_reason": text("Email is not an address", failed),
        "duplicate_kind": text("client_retry", failed & (category == "DUPLICATE_LEAD")),
        "lead_id": text(ids, ~failed),
        "latency_ms": pa.array(random.lognormal(3, 0.6, rows)),
        "client": text(np.char.mod("c_%016x", random.integers(0, rows, rows))),
        "repeat_count": pa.array(np.ones(rows, np.int64)),
    }
    return pa.Table.from_arrays(
        [columns.get(field.name, pa.nulls(rows, field.type)) for field in SCHEMA], schema=SCHEMA
    )


def overview(metrics: Metrics, traffic: Traffic = Traffic.REAL) -> list[object]:
    """Everything that the Overview shows."""
    held = metrics.pinned()
    first = TODAY - timedelta(days=29)
    return [
        held.totals(traffic),
        held.trend(first, TODAY, traffic),
        held.by("category", first, TODAY, traffic),
        held.by("source", first, TODAY, traffic),
        held.cells(first, TODAY, traffic),
        held.last_minutes(NOW, 60, traffic),
        held.expected_by_now(TODAY, NOW, traffic),
    ]


FIRST = f"date '{TODAY - timedelta(days=29)}'"
COUNTED = (
    "sum(repeat_count), sum(repeat_count) filter (outcome = 'SUCCESS'), sum(repeat_count) filter (outcome = 'FAILED')"
)
REAL = "channel in ('api', 'import') and kind = 'attempt'"
PLAIN = (
    f"select {COUNTED}, count(lead_id), min(day), max(day), max(received_at) from rows where {REAL}",
    f"""
    with users as (
        select
            day,
            coalesce(user_id, client) as someone,
            max(received_at) filter (outcome = 'FAILED') as refused,
            max(received_at) filter (outcome = 'SUCCESS') as accepted
        from rows
        where {REAL} and repeat_count = 1 and day >= {FIRST}
        group by all
    )
    select day, count(*), count(*) filter (refused > coalesce(accepted, timestamptz '1970-01-01')) from users group by day
    """,
    f"""
    select day, {COUNTED}, quantile_disc(latency_ms, [0.5, 0.95])
    from rows where {REAL} and day >= {FIRST} - 56 group by day order by day
    """,
    f"select day, failure_category, {COUNTED} from rows where {REAL} and day >= {FIRST} group by all",
    f"select day, source, {COUNTED} from rows where {REAL} and day >= {FIRST} group by all",
    f"select source, page, {COUNTED} from rows where {REAL} and day >= {FIRST} group by all",
    f"""
    select time_bucket(interval 1 minute, received_at) as minute, {COUNTED}
    from rows where {REAL} and received_at >= timestamptz '{NOW - timedelta(hours=1)}' group by all
    """,
    f"""
    select day, {COUNTED} from rows
    where {REAL} and dayofweek(day) = dayofweek(date '{TODAY}') and day >= date '{TODAY}' - 56
        and received_at - day::timestamptz < interval 18 hour
    group by day
    """,
)


def plain(log: EventLog) -> list[object]:
    """The same questions as plain SQL over every raw file and the journal."""
    days = log.view().days
    connection = duckdb.connect(":memory:", config={"threads": 2})
    connection.execute("set TimeZone = 'UTC'")
    waiting = [day.journal for day in days if day.journal is not None] or [SCHEMA.empty_table()]
    connection.register("journal", pa.concat_tables(waiting))
    files = [str(file) for day in days for file in day.files]
    head = "with rows as (select * from read_parquet($files, union_by_name = true, hive_partitioning = false) "
    head += "union all by name select * from journal) from ("
    found = [connection.sql(f"{head}{query})", params={"files": files}).to_arrow_table() for query in PLAIN]
    connection.close()
    return list(found)


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=100)
    parser.add_argument("--per-day", type=int, default=10_000)
    parser.add_argument("--reads", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(NOW)
        database = Database(f"sqlite:///{folder}/lab.db")
        database.create_tables()
        log = EventLog(database, Path(folder), clock)
        log.prepare()
        random = np.random.default_rng(7)
        for back in reversed(range(asked.days)):
            log.append_table("submissions", day_table(TODAY - timedelta(days=back), asked.per_day, random))

        metrics = Metrics(log, ZoneInfo("UTC"), clock)
        first_ms = timed(lambda: overview(metrics))
        warm = []
        for number in range(asked.reads):
            clock.advance(seconds=1)
            log.append("submissions", [one_attempt(clock(), number)])
            warm.append(timed(lambda: overview(metrics)))
        cold = [timed(lambda: plain(log)) for _ in range(3)]
        totals = metrics.totals(Traffic.REAL)
        by_plain = duckdb_total(log)
        log.close()
        database.close()
    warm_ms, cold_ms = statistics.median(warm), statistics.median(cold)
    print(
        json.dumps(
            {
                "bench": "overview",
                "days": asked.days,
                "per_day": asked.per_day,
                "ratio": round(warm_ms / cold_ms, 4),
                "warm_ms": round(warm_ms, 1),
                "warm_max_ms": round(max(warm), 1),
                "plain_ms": round(cold_ms, 1),
                "first_read_ms": round(first_ms, 1),
                "attempts": totals.attempts,
                "equal": totals.attempts == by_plain,
            }
        )
    )


def duckdb_total(log: EventLog) -> int:
    found: Any = plain(log)[0]
    return int(found.column(0)[0].as_py())


def one_attempt(at: datetime, number: int) -> Attempt:
    return Attempt(
        uuid7(at), 0, at, at.date(), None, "api", "attempt", "WEBSITE_FORM", "/demo", f"u_{number}", "SUCCESS", None,
        None, None, None, None, "lead", 12.5, None, "c_1", "Firefox", None, None, None, None, 1, None, None,
    )  # fmt: skip


if __name__ == "__main__":
    main()
