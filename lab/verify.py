"""Verify: every hash, every count, every rollup and the chain, computed again; the first mismatch named.

What it proves: that files and database agree with each other and, given a head kept elsewhere, with what they
were then. What it cannot prove: who owns disk and database can forge both.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from lab.database import Database, closed_days, reports, rollups, seals, segments
from lab.eventlog import DayFiles, EventLog, chain
from lab.eventlog.chain import Link
from lab.eventlog.seal import SEALED
from lab.eventlog.segments import Segment
from lab.metrics import rollup
from lab.report.versions import content_hash

Tell = Callable[[int, int], None]


class Verified(NamedTuple):
    """What was checked. `mismatch` is one sentence about the first thing that does not match, or None.

    `file` is the log's file that does not match, relative to its folder.
    """

    head: str
    links: int
    sealed_days: int
    files: int
    rows: int
    mismatch: str | None
    file: str | None = None

    def summary(self) -> dict[str, Any]:
        """As the command line and the job's row give it."""
        return {**self._asdict(), "sentence": self.sentence}

    @property
    def sentence(self) -> str:
        if self.mismatch is not None:
            return self.mismatch
        return (
            f"Everything matches: {self.sealed_days:,} sealed days in {self.links:,} links, {self.files:,} files "
            f"with {self.rows:,} rows. Head {self.head}"
        )


def verify(log: EventLog, database: Database, *, head: str | None = None, tell: Tell | None = None) -> Verified:
    """Check everything; `head` is one that was kept elsewhere, `tell` is called with files done and in all."""
    with database.read() as connection:
        links = chain.links(connection)
        catalog = [Segment._make(row) for row in connection.execute(select(segments).order_by(segments.c.day))]
        closed = set(connection.scalars(select(closed_days.c.day).where(closed_days.c.state == SEALED)))
        rolled = set(connection.scalars(select(rollups.c.day).distinct()))
        told = {row.id: content_hash(row.facts, row.body) for row in connection.execute(
            select(reports.c.id, reports.c.facts, reports.c.body).where(
                reports.c.id.in_(select(seals.c.subject).where(seals.c.kind == chain.REPORT))
            )
        )}  # fmt: skip
    days = {link.day: link for link in links if link.kind == chain.DAY}
    rows = 0
    mismatch = _chain(links, head) or _closed(days, closed, catalog)
    for link in links:
        if mismatch is None and link.kind == chain.REPORT and told.get(link.subject) != link.sha256:
            mismatch = f"The report sealed as number {link.number} for {link.day.isoformat()} is not what was sealed."
    done, file = 0, None
    for segment in catalog if mismatch is None else ():
        mismatch = _file(log, segment, days.get(segment.day))
        if mismatch is not None:
            file = segment.file
            break
        if segment.seal is not None and segment.day in rolled:
            mismatch = _rollup(log, database, segment)
            if mismatch is not None:
                break
        done, rows = done + 1, rows + segment.rows
        if tell is not None:
            tell(done, len(catalog))
    return Verified(links[-1].hash if links else chain.GENESIS, len(links), len(days), done, rows, mismatch, file)


def _chain(links: list[Link], head: str | None) -> str | None:
    if broken := chain.first_break(links):
        return f"The chain breaks at link {broken.number}: {broken.why}. Restore the database from a backup."
    if head is not None and head != chain.GENESIS and head not in {link.hash for link in links}:
        return (
            f"The head {head[:64]} is not in the chain of {len(links)} links: links were cut off or made anew since "
            "it was noted. Restore the database from a backup."
        )
    return None


def _closed(days: dict[Any, Link], closed: set[Any], catalog: list[Segment]) -> str | None:
    """Every sealed day has one link, one mark and exactly the file of its link."""
    for day in sorted(days.keys() | closed):
        if day not in days:
            return f"{day.isoformat()} is marked as sealed but has no link in the chain; restore the database."
        if day not in closed:
            return f"{day.isoformat()} has a link but its mark is gone; restore the database from a backup."
        files = [one for one in catalog if one.day == day]
        if [one.id for one in files] != [days[day].subject]:
            return f"The catalog's files of {day.isoformat()} are not the one that was sealed; restore the database."
    return None


def _file(log: EventLog, segment: Segment, link: Link | None) -> str | None:
    path = log.folder / segment.file
    remedy = "restore it from a backup, or import its day again if it came from an import"
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"{segment.file} cannot be read ({error.strerror}); {remedy}."
    found = sha256(data).hexdigest()
    if found != segment.sha256 or (link is not None and found != link.sha256):
        return f"{segment.file} is not what was written: its SHA-256 is {found}; {remedy}."
    count = pq.ParquetFile(pa.BufferReader(data)).metadata.num_rows
    if count != segment.rows or (link is not None and count != link.rows):
        return f"{segment.file} holds {count:,} rows, not the {segment.rows:,} that were written; {remedy}."
    return None


def _rollup(log: EventLog, database: Database, segment: Segment) -> str | None:
    day = DayFiles(segment.day, (log.folder / segment.file,), None, segment.id, (segment.sha256,), True)
    measure = rollup.differing(database, day)
    if measure is None:
        return None
    return (
        f"The kept figures of {segment.day.isoformat()} ({measure}) are not what its file gives; "
        "seal --rebuild computes them again."
    )
