"""What may be done to the catalog after a file was named in it: take a run back, set a file aside, bring it back.

The trap it avoids: a damaged file that takes the whole log down, or that is quietly left out. It is marked with
the reason, and comes back by itself once its bytes are those that were written.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql import ColumnElement

from lab.database import Database, garbage, sealed_runs, segments, sequences
from lab.errors import BadRequest
from lab.eventlog.intact import is_intact


def note_change(connection: Connection, stream: str, *, rows: bool, files: bool) -> None:
    """Note inside a write transaction that rows came or went, or files did."""
    connection.execute(
        update(sequences)
        .where(sequences.c.stream == stream)
        .values(version=sequences.c.version + rows, catalog_version=sequences.c.catalog_version + files)
    )


def withdraw(connection: Connection, stream: str, run_id: str, now_us: int) -> tuple[int, list[date]]:
    """Take a run's segments out of the catalog; returns rows and days. BadRequest when one of its days is sealed.

    The files are unlinked later by housekeeping, when no reader can still hold them.
    """
    query = select(sealed_runs.c.day).where(sealed_runs.c.run_id == run_id).order_by(sealed_runs.c.day)
    if sealed := connection.scalar(query.limit(1)):
        raise BadRequest(
            f"{run_id} cannot be withdrawn: {sealed.isoformat()} is sealed, and a sealed day never changes; "
            "withdraw an import before its days are sealed."
        )
    mine = (segments.c.stream == stream) & (segments.c.run_id == run_id)
    gone = connection.execute(select(segments.c.file, segments.c.rows, segments.c.day).where(mine)).all()
    if gone:
        connection.execute(insert(garbage), [{"file": row.file, "since_us": now_us} for row in gone])
        connection.execute(delete(segments).where(mine))
        note_change(connection, stream, rows=True, files=True)
    return sum(row.rows for row in gone), sorted({row.day for row in gone})


def set_aside(database: Database, folder: Path, file: Path, why: str) -> bool:
    """Leave a damaged or missing file out of every view from now on; False when no view has it anyway."""
    mine = (segments.c.file == file.relative_to(folder).as_posix()) & segments.c.damage.is_(None)
    return _mark(database, mine, why)


def bring_back(database: Database, folder: Path) -> int:
    """Take files back into the view that are what was written again; returns how many."""
    with database.read() as connection:
        aside = connection.execute(select(segments).where(segments.c.damage.is_not(None))).all()
    return sum(
        _mark(database, segments.c.id == one.id, None) for one in aside if is_intact(folder / one.file, one.sha256)
    )


def _mark(database: Database, mine: ColumnElement[bool], why: str | None) -> bool:
    with database.write() as connection:
        streams = set(connection.scalars(select(segments.c.stream).where(mine)))
        connection.execute(update(segments).where(mine).values(damage=why))
        for stream in streams:
            note_change(connection, stream, rows=True, files=True)
    return bool(streams)
