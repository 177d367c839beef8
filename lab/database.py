"""The lab's database: its tables (see `lab.tables`), and transactions that really are transactions.

The trap it avoids: SQLAlchemy over pysqlite sends no BEGIN before a SELECT, so two reads in one block can
see a write in between. Here every connection is in autocommit mode and BEGIN is sent by hand: deferred for
readers, IMMEDIATE for writers, whose upgrade could otherwise fail at once whatever the busy timeout.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from lab.errors import BadSetting, DataFolderError, StorageFailed
from lab.tables import (
    METADATA,
    closed_days,
    garbage,
    ground_truth,
    idempotency,
    imported_lines,
    jobs,
    journal,
    leads,
    leases,
    live_days,
    meta,
    payloads,
    reports,
    rollups,
    runs,
    sealed_runs,
    seals,
    segments,
    sequences,
)

__all__ = [
    "METADATA",
    "Database",
    "closed_days",
    "garbage",
    "ground_truth",
    "idempotency",
    "imported_lines",
    "jobs",
    "journal",
    "leads",
    "leases",
    "live_days",
    "meta",
    "payloads",
    "reports",
    "rollups",
    "runs",
    "sealed_runs",
    "seals",
    "segments",
    "sequences",
]

class Database:
    """An engine with `read()` and `write()`; SQLite in WAL mode with synchronous=FULL unless the URL says otherwise."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
                raise BadSetting("LAB_DATABASE_URL names a database in memory; leave it empty for a file.")
            self.engine = create_engine(parsed, pool_size=8, max_overflow=24)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise BadSetting(
                f"LAB_DATABASE_URL is not a database the lab can open ({error}); leave it empty for SQLite."
            ) from error
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent read: every SELECT in the block sees the same state."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One atomic write; nothing else writes meanwhile. Commits durably on leaving, rolls back on an error.

        Raises StorageFailed when the database refuses; nothing of the block was kept then.
        """
        try:
            with self.engine.connect() as connection:
                connection.execution_options(lab_write=True)
                with connection.begin():
                    yield connection
        except (OperationalError, sqlite3.OperationalError) as error:
            raise StorageFailed(
                f"The database refused the write ({getattr(error, 'orig', None) or error}); nothing of it was kept. "
                "Free space or check the disk, then try again."
            ) from error

    def create_tables(self) -> None:
        """Create what is missing; DataFolderError when the database cannot be opened or written."""
        try:
            with self.write() as connection:
                METADATA.create_all(connection)
                _add_missing_columns(connection)
        except (SQLAlchemyError, StorageFailed) as error:
            cause = getattr(error.__cause__ or error, "orig", None) or error
            raise DataFolderError(
                f"The database cannot be opened or written ({cause}); make the data folder writable, "
                "or point LAB_DATA_DIR at one that is."
            ) from error

    def close(self) -> None:
        """Give back every connection. Idempotent."""
        self.engine.dispose()


def _add_missing_columns(connection: Connection) -> None:
    """Columns are only ever added, and may be null, so an older lab's tables grow in place."""
    known = inspect(connection)
    for name, table in METADATA.tables.items():
        there = {column["name"] for column in known.get_columns(name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(f'ALTER TABLE "{name}" ADD COLUMN "{column.name}" {kind}')


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "cache_size=-32768"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("lab_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
