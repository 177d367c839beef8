"""Rollups: a sealed day's results by measure, kept so that looking at the past costs no scan.

Derived and versioned: a lab whose measures differ does not believe them and reads the file instead, and verify
computes them again. The trap it avoids: figures that nobody can recompute.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from hashlib import blake2b, sha256

import polars as pl
from sqlalchemy import select

from lab.attempt import SCHEMA
from lab.database import Database, rollups
from lab.eventlog import DayFiles
from lab.eventlog.seal import Result
from lab.eventlog.stream import SUBMISSIONS
from lab.metrics.measures import COUNTS, LATENCY, MINUTES, REASONS, TOP, USERS, Measure, Reader
from lab.metrics.memo import Memo
from lab.metrics.run import sql_text

MEASURES = (COUNTS, MINUTES, REASONS, LATENCY, USERS, TOP)
REVISION = 1
"""Raised when a measure's result changes without its SQL."""


@cache
def version(measure: Measure) -> str:
    """What a kept result must say to be believed: a hash of the SQL, the columns and the revision."""
    text = f"{REVISION}|{measure.name}|{sql_text(measure.sql)}|{measure.keys}|{measure.sums}|{SCHEMA.names}"
    return blake2b(text.encode(), digest_size=12).hexdigest()


def results(day: DayFiles) -> Iterator[Result]:
    """Every measure of one day, computed from its files."""
    reader = Reader(Memo())
    for measure in MEASURES:
        yield Result(measure.name, version(measure), _packed(reader.read(measure, [day])))


class Rollups:
    """Reads kept results; what is missing, of another version or damaged is not given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, measure: Measure, days: Sequence[date]) -> dict[date, pl.DataFrame]:
        """The kept results of those days."""
        if not days:
            return {}
        query = select(rollups.c.day, rollups.c.sha256, rollups.c.body).where(
            rollups.c.stream == SUBMISSIONS.name,
            rollups.c.measure == measure.name,
            rollups.c.version == version(measure),
            rollups.c.day.between(min(days), max(days)),
        )
        asked = set(days)
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return {
            row.day: _unpacked(row.body)
            for row in found
            if row.day in asked and sha256(row.body).hexdigest() == row.sha256
        }


def differing(database: Database, day: DayFiles) -> str | None:
    """The first measure whose kept result is not what the day's file gives now; None when all agree.

    Results of another version are passed over: they are not believed either.
    """
    kept = Rollups(database)
    for measure in MEASURES:
        mine = kept.read(measure, [day.day]).get(day.day)
        if mine is None:
            with database.read() as connection:
                found = connection.scalar(
                    select(rollups.c.version).where(
                        rollups.c.stream == SUBMISSIONS.name,
                        rollups.c.day == day.day,
                        rollups.c.measure == measure.name,
                    )
                )
            if found == version(measure):
                return measure.name
        elif not mine.equals(Reader(Memo()).read(measure, [day])):
            return measure.name
    return None


def _packed(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.write_ipc(sink, compression="zstd")
    return sink.getvalue()


def _unpacked(body: bytes) -> pl.DataFrame:
    return pl.read_ipc(body)
