"""Keys of rows that are stored: looked up before a batch, taken in its transaction.

The trap it avoids: a look-up that costs more than the rows. Where none of a sample is known, a batch is taken for
new; the transaction finds out if it is not, and then every key is looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from lab.database import imported_lines
from lab.importer.rows import Entry

Key = tuple[bytes, int]
E = TypeVar("E", bound=Entry)

LOOKED_UP_AT_ONCE = 900
_KNOWN = select(imported_lines.c.line_hash, imported_lines.c.occurrence).where(
    imported_lines.c.line_hash.in_(bindparam("hashes", expanding=True))
)


def known_keys(connection: Connection, entries: Sequence[Entry]) -> set[Key]:
    """Keys of stored rows among those of the entries."""
    hashes = list({entry.line_hash for entry in entries})
    known: set[Key] = set()
    for start in range(0, len(hashes), LOOKED_UP_AT_ONCE):
        rows = connection.execute(_KNOWN, {"hashes": hashes[start : start + LOOKED_UP_AT_ONCE]})
        known.update((row[0], row[1]) for row in rows)
    return known


def seem_new(connection: Connection, entries: Sequence[Entry]) -> bool:
    """Whether none of a sample, taken evenly from all of them, is known."""
    step = -(-len(entries) // LOOKED_UP_AT_ONCE)
    return step > 1 and not known_keys(connection, entries[::step])


def fresh_among(entries: Sequence[E], known: set[Key]) -> list[E]:
    """The entries whose key is not known yet, each key once; their keys become known."""
    fresh = []
    for entry in entries:
        key = (entry.line_hash, entry.occurrence)
        if key not in known:
            known.add(key)
            fresh.append(entry)
    return fresh


def take_keys(connection: Connection, entries: Sequence[Entry], run_id: str) -> None:
    """Store the entries' keys for a run; IntegrityError when one is there.

    The statement is SQLAlchemy's, its parameters go to the driver as they are, which takes half the time.
    """
    compiled = insert(imported_lines).compile(dialect=connection.dialect)
    if compiled.positional:
        connection.exec_driver_sql(str(compiled), [(entry.line_hash, entry.occurrence, run_id) for entry in entries])
        return
    rows = [{"line_hash": entry.line_hash, "occurrence": entry.occurrence, "run_id": run_id} for entry in entries]
    connection.execute(insert(imported_lines), rows)
