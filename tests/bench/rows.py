"""Rows and logs for the benchmarks: seeded, believable in width and cardinality, not judged by the gate."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from lab.attempt import Arrival, Attempt, Channel, Submission
from lab.clock import system_clock
from lab.database import Database
from lab.eventlog import SUBMISSIONS, EventLog, table_of
from lab.ids import uuid7

SOURCES = ("WEBSITE_FORM", "LANDING_PAGE", "MOBILE_APP", "PARTNER_API", "REFERRAL_WIDGET", "CHAT_WIDGET")
PAGES = ("/pricing", "/demo", "/contact", "/webinar", "/ebook")
START = date(2026, 1, 5)


def open_log(folder: Path) -> EventLog:
    """A log over a new SQLite file in the folder."""
    database = Database(f"sqlite:///{folder / 'lab.db'}")
    database.create_tables()
    log = EventLog(database, folder, system_clock)
    log.prepare()
    return log


def day_table(rows: int, day: date = START, channel: str = "api", seed: int = 0) -> pa.Table:
    """One business day (UTC) of attempts, a tenth of them refused, in order of time."""
    rng = random.Random(f"{seed}:{day}")
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    seconds = sorted(rng.uniform(0, 86_399) for _ in range(rows))
    return table_of(SUBMISSIONS, [_row(rng, midnight + timedelta(seconds=one), day, channel) for one in seconds])


def one_attempt(at: datetime, seed: int = 0) -> Attempt:
    """A single row at an instant."""
    return _row(random.Random(seed), at, at.date(), "api")


def arrivals(count: int, start: datetime, spacing_ms: float = 4.0) -> list[Arrival]:
    """Submissions of distinct people, nine in ten acceptable, each with an instant of its own."""
    rng = random.Random(7)
    return [
        Arrival(
            Submission(
                source=rng.choice(SOURCES),
                page=rng.choice(PAGES),
                email=f"person{index}@example{index % 40}.org",
                name="" if index % 10 == 0 else "Ada Lovelace",
                phone="+31 20 123 4567",
                company="Analytical Engines",
                message="Please call me back about the autumn offer.",
                elapsed_ms=9_000,
                utm_source="newsletter",
            ),
            Channel.SIMULATOR,
            at=start + timedelta(milliseconds=spacing_ms * index),
            client=f"10.{index % 200}.{index // 200 % 200}.7",
            user_agent="Firefox",
            latency_ms=rng.lognormvariate(3.5, 0.4),
        )
        for index in range(count)
    ]


def _row(rng: random.Random, at: datetime, day: date, channel: str) -> Attempt:
    failed = rng.random() < 0.1
    return Attempt(
        uuid7(at), 0, at, day, at, channel, "attempt", rng.choice(SOURCES), rng.choice(PAGES),
        f"u_{rng.getrandbits(20):016x}", "FAILED" if failed else "SUCCESS",
        rng.choice(("VALIDATION_FAILED", "DUPLICATE_LEAD", "SPAM_SUSPECTED")) if failed else None,
        "validation" if failed else None, "The field phone is not a phone number." if failed else None,
        '{"field":"phone","rule":"format"}' if failed else None, None, None if failed else uuid7(at),
        rng.lognormvariate(3.5, 0.4), None, f"c_{rng.getrandbits(12):016x}", "Firefox", "newsletter", None, None,
        None, 1, None, None,
    )  # fmt: skip
