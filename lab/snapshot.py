"""One state of the lab's database and of the files it names, copied durably into a folder.

The trap it avoids: a catalog of one instant beside files of another. The database is copied from one read
transaction, whatever is written meanwhile, and then the files which that copy's own catalog names, each compared
with its hash on the way. Files are copied, not linked: a link would share the original's damage.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from lab.database import Database
from lab.errors import BadRequest, LabError

DATABASE = "lab.db"
KEY_CHECK = "key_check"
PAGES_AT_ONCE, BYTES_AT_ONCE = 1_000, 1 << 20
SPARE_BYTES = 50_000_000
_NAMED = "SELECT file, sha256, bytes, rows, damage FROM segments ORDER BY day, file"
_HEAD = "SELECT hash FROM seals ORDER BY number DESC LIMIT 1"
_AT_REST = (
    "DELETE FROM leases",
    "DELETE FROM garbage",
    "DELETE FROM jobs WHERE id = :own",
    "UPDATE jobs SET state = 'interrupted', ended_us = :now, error = :error WHERE state IN ('queued', 'running')",
    "UPDATE runs SET state = 'interrupted', ended_us = :now WHERE state = 'running'",
    f"INSERT OR REPLACE INTO meta (name, value) VALUES ('{KEY_CHECK}', :key)",
)
"""Nothing in a copy is under way, and it says with which key its pseudonyms were made."""

_CAUGHT = "The backup was made while this was under way; start it again."

Tell = Callable[[str, int, int], None]
"""Called with stage, how much, of how much; what it raises ends the copying."""


class Named(NamedTuple):
    """A file of the copy's catalog; `damage` says why it was set aside before, or is None."""

    file: str
    sha256: str
    bytes: int
    rows: int
    damage: str | None


class State(NamedTuple):
    """What was copied. `damaged` are files found missing or changed, with why; the copy has set them aside."""

    files: list[Named]
    set_aside: list[str]
    damaged: dict[str, str]
    sums: dict[str, str]
    waiting: int
    head: str | None


def copy_state(
    database: Database, folder: Path, target: Path, tell: Tell, *, own_job: str, now_us: int, key: str
) -> State:
    """Copy database and files into `target`. A file that housekeeping replaced meanwhile costs a second look."""
    copy, sums = target / DATABASE, dict[str, str]()
    damaged: dict[str, str] = {}
    named: list[Named] = []
    for _look in range(2):
        _copy_database(database, copy, tell)
        with closing(sqlite3.connect(copy)) as connection:
            named = [Named._make(row) for row in connection.execute(_NAMED)]
        damaged = _copy_files(folder, target, named, sums, tell)
        if all((folder / file).exists() for file in damaged):
            break
    for file in sums.keys() - {one.file for one in named}:
        (target / file).unlink()
        del sums[file]
    waiting, head = _settle(copy, {"own": own_job, "now": now_us, "key": key, "error": _CAUGHT}, damaged)
    set_aside = [one.file for one in named if one.damage is not None]
    sound = [one for one in named if one.file in sums]
    sums[DATABASE] = hash_file(copy)
    return State(sound, set_aside, damaged, sums, waiting, head)


def copy_file(source: Path, target: Path) -> str:
    """Copy a file durably and return its SHA-256."""
    seen = sha256()
    with source.open("rb") as reading:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as writing:
            while data := reading.read(BYTES_AT_ONCE):
                seen.update(data)
                writing.write(data)
            writing.flush()
            os.fsync(writing.fileno())
    shutil.copymode(source, target)
    return seen.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, which are on disk on return."""
    seen = sha256()
    with path.open("rb") as file:
        while data := file.read(BYTES_AT_ONCE):
            seen.update(data)
        os.fsync(file.fileno())
    return seen.hexdigest()


def _copy_database(database: Database, copy: Path, tell: Tell) -> None:
    """One state of the database, whatever is written meanwhile: the source holds a read transaction."""
    copy.unlink(missing_ok=True)
    pooled = database.engine.raw_connection()
    source: Any = pooled.driver_connection
    try:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM meta").fetchone()
        with closing(sqlite3.connect(copy)) as connection:
            source.backup(
                connection,
                pages=PAGES_AT_ONCE,
                progress=lambda _state, left, total: tell("copying the database", total - left, total),
            )
    finally:
        if source.in_transaction:
            source.execute("ROLLBACK")
        pooled.close()


def _copy_files(folder: Path, target: Path, named: list[Named], sums: dict[str, str], tell: Tell) -> dict[str, str]:
    """Copy what is not in `sums` yet, and note its hash there; returns the files that are missing or changed."""
    wanted = [one for one in named if one.damage is None and one.file not in sums]
    total, done, damaged = sum(one.bytes for one in wanted), 0, dict[str, str]()
    if shutil.disk_usage(target).free < total + SPARE_BYTES:
        raise BadRequest(f"The backup needs {total / 1e6:,.0f} MB and there is less; make room or name another disk.")
    tell("copying files", done, total)
    for one in wanted:
        try:
            value = copy_file(folder / one.file, target / one.file)
        except FileNotFoundError:
            damaged[one.file] = "missing"
        else:
            if value == one.sha256:
                sums[one.file] = value
            else:
                (target / one.file).unlink()
                damaged[one.file] = "not what was written"
        done += one.bytes
        tell("copying files", done, total)
    return damaged


def _settle(copy: Path, values: Mapping[str, Any], damaged: Mapping[str, str]) -> tuple[int, str | None]:
    """Put the copy to rest as one sound file; returns the rows that wait in its journal, and the chain's head."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise LabError(f"The database is damaged ({found}), so no backup was made; restore an earlier one.")
        connection.execute("BEGIN IMMEDIATE")
        for statement in _AT_REST:
            connection.execute(statement, values)
        for file, why in damaged.items():
            connection.execute("UPDATE segments SET damage = ? WHERE file = ?", (why, file))
        waiting = connection.execute("SELECT count(*) FROM journal").fetchone()[0]
        head = connection.execute(_HEAD).fetchone()
        connection.execute("COMMIT")
    return int(waiting), head and str(head[0])
