"""Sealing a business day: one time-ordered file, its results, a link of the chain; then nothing more.

The mark that closes the day is set first, so no append slips in between the count and the seal. Killed at any
instant, the day stays closed and sealing it again takes up where it was; a seal that cannot be done opens the
day again. The trap it avoids: a compaction that loses or doubles a row. Files are checked against their hashes
before, and the count after.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from lab.clock import Clock, business_day, day_bounds
from lab.database import closed_days, garbage, journal, live_days, rollups, sealed_runs, seals, segments
from lab.errors import BadRequest, LabError
from lab.eventlog import chain
from lab.eventlog.catalog import note_change
from lab.eventlog.chain import Link
from lab.eventlog.log import EventLog
from lab.eventlog.segments import Segment
from lab.eventlog.stream import SUBMISSIONS
from lab.eventlog.view import DayFiles
from lab.ids import microseconds
from lab.leases import give_back, new_holder, take

LEASE, LEASE_S = "housekeeping", 60.0
SEALING, SEALED = "sealing", "sealed"


class Result(NamedTuple):
    """One measure's result of a day, to be kept with the seal."""

    measure: str
    version: str
    body: bytes


Rollup = Callable[[DayFiles], Iterable[Result]]


def seal_day(log: EventLog, day: date, *, clock: Clock, zone: ZoneInfo, rollup: Rollup) -> Link:
    """Seal the day and return its link; the link it has when it is sealed already.

    Raises BadRequest for a day that has not ended or holds nothing, LabError when a file of the day is damaged
    or another process keeps house.
    """
    stream, holder = SUBMISSIONS.name, new_holder()
    now_us = microseconds(clock())
    if day >= business_day(clock(), zone):
        raise BadRequest(f"{day.isoformat()} has not ended in {zone.key}; seal it once it has.")
    with log.database.write() as connection:
        if known := link_of(connection, day):
            return known
        if not take(connection, LEASE, holder, now_us, int(LEASE_S * 1e6)):
            raise LabError("Another process is keeping house; try again in a minute.")
        if not _holds_rows(connection, stream, day):
            give_back(connection, LEASE, holder)
            raise BadRequest(f"{day.isoformat()} holds no attempt, so there is nothing to seal; choose another day.")
        _mark(connection, stream, day)
    try:
        log.flush(stream)
        link, path = _compact(log, day, clock, rollup)
        os.chmod(path, 0o444)
        return link
    except BaseException:
        with contextlib.suppress(Exception), log.database.write() as connection:
            mine = (closed_days.c.stream == stream) & (closed_days.c.day == day)
            connection.execute(delete(closed_days).where(mine, closed_days.c.state == SEALING))
        raise
    finally:
        with log.database.write() as connection:
            give_back(connection, LEASE, holder)


def link_of(connection: Connection, day: date, kind: str = chain.DAY) -> Link | None:
    """The newest link of that kind for the day."""
    query = select(seals).where(seals.c.day == day, seals.c.kind == kind).order_by(seals.c.number.desc()).limit(1)
    row = connection.execute(query).first()
    return Link._make(row) if row else None


def sealable_days(
    connection: Connection, clock: Clock, zone: ZoneInfo, *, live_before_us: int | None = None
) -> list[date]:
    """Days that hold rows, have ended and are not sealed, oldest first.

    With `live_before_us` only those on which the live door was open and that ended before that instant.
    """
    sealed = set(connection.scalars(select(closed_days.c.day).where(closed_days.c.state == SEALED)))
    found = set(connection.scalars(select(segments.c.day).distinct()))
    found |= set(connection.scalars(select(journal.c.day).distinct()))
    if live_before_us is not None:
        found &= set(connection.scalars(select(live_days.c.day)))
    before = microseconds(clock()) if live_before_us is None else live_before_us
    return sorted(day for day in found - sealed if microseconds(day_bounds(day, zone)[1]) <= before)


def _mark(connection: Connection, stream: str, day: date) -> None:
    mine = (closed_days.c.stream == stream) & (closed_days.c.day == day)
    if connection.execute(select(closed_days.c.day).where(mine)).first() is None:
        connection.execute(insert(closed_days).values(stream=stream, day=day, state=SEALING))


def _holds_rows(connection: Connection, stream: str, day: date) -> bool:
    filed = connection.scalar(
        select(func.count()).select_from(segments).where(segments.c.stream == stream, segments.c.day == day)
    )
    waiting = select(journal.c.seq).where(journal.c.stream == stream, journal.c.day == day).limit(1)
    return bool(filed) or connection.execute(waiting).first() is not None


def _compact(log: EventLog, day: date, clock: Clock, rollup: Rollup) -> tuple[Link, Path]:
    """One file for the day in place of the many, with its results and its link, in one transaction."""
    declared, now = log.streams[SUBMISSIONS.name], clock()
    mine = (segments.c.stream == declared.name) & (segments.c.day == day)
    with log.database.read() as connection:
        old = [Segment._make(row) for row in connection.execute(select(segments).where(mine))]
    table = pa.concat_tables([_checked(log, one) for one in old], promote_options="default")
    table = table.select(declared.schema.names).cast(declared.schema)
    table = table.sort_by([(declared.time, "ascending"), ("seq", "ascending")])
    if table.num_rows != sum(one.rows for one in old):
        raise LabError(f"The files of {day.isoformat()} do not hold the rows the catalog counts; run verify.")
    with log.new_files(declared) as write:
        new = write(day, table, None)
        path = log.folder / new.file
        results = list(rollup(DayFiles(day, (path,), None, new.id, (new.sha256,), True)))
        with log.database.write() as connection:
            present = set(connection.scalars(select(segments.c.id).where(mine)))
            late = select(journal.c.seq).where(journal.c.stream == declared.name, journal.c.day == day).limit(1)
            if present != {one.id for one in old} or connection.execute(late).first() is not None:
                raise LabError(f"{day.isoformat()} changed while it was being sealed; seal it again.")
            link = chain.add(
                connection, kind=chain.DAY, stream=declared.name, day=day, subject=new.id, rows=new.rows,
                content=new.sha256, now_us=microseconds(now),
            )  # fmt: skip
            connection.execute(insert(garbage), [{"file": one.file, "since_us": link.sealed_us} for one in old])
            for run_id in {one.run_id for one in old if one.run_id}:
                connection.execute(insert(sealed_runs).values(run_id=run_id, day=day))
            connection.execute(delete(segments).where(mine))
            connection.execute(insert(segments).values(**new._replace(seal=link.number)._asdict()))
            keep_results(connection, declared.name, day, results)
            connection.execute(
                update(closed_days)
                .where(closed_days.c.stream == declared.name, closed_days.c.day == day)
                .values(state=SEALED)
            )
            note_change(connection, declared.name, rows=True, files=True)
    return link, path


def keep_results(connection: Connection, stream: str, day: date, results: Iterable[Result]) -> None:
    """Store a day's results in place of those it had."""
    connection.execute(delete(rollups).where(rollups.c.stream == stream, rollups.c.day == day))
    rows = [
        {
            "stream": stream,
            "day": day,
            "measure": one.measure,
            "version": one.version,
            "sha256": sha256(one.body).hexdigest(),
            "body": one.body,
        }
        for one in results
    ]
    if rows:
        connection.execute(insert(rollups), rows)


def _checked(log: EventLog, segment: Segment) -> pa.Table:
    """The segment's rows, once its bytes are those that were written."""
    path = log.folder / segment.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabError(
            f"{segment.file} cannot be read ({error.strerror}), so {segment.day.isoformat()} cannot be sealed; "
            "restore the file from a backup."
        ) from error
    if sha256(data).hexdigest() != segment.sha256:
        raise LabError(
            f"{segment.file} is not what was written, so {segment.day.isoformat()} cannot be sealed; "
            "restore the file from a backup."
        )
    return pq.read_table(pa.BufferReader(data))
