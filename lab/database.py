"""The lab's database: SQLAlchemy Core tables, and transactions that really are transactions.

The trap it avoids: SQLAlchemy over pysqlite sends no BEGIN before a SELECT, so two reads in one block can
see a write in between. Here every connection is in autocommit mode and BEGIN is sent by hand: deferred for
readers, IMMEDIATE for writers, whose upgrade could otherwise fail at once whatever the busy timeout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from lab.errors import BadSetting, DataFolderError

METADATA = MetaData()

meta = Table("meta", METADATA, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False))
"""Facts about the data folder itself: format version, time zone."""

sequences = Table(
    "sequences",
    METADATA,
    Column("stream", String(40), primary_key=True),
    Column("next", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("catalog_version", BigInteger, nullable=False),
)
"""One row a stream: the next seq; `version` rises when rows come or go, `catalog_version` when files do."""

journal = Table(
    "journal",
    METADATA,
    Column("stream", String(40), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, nullable=False),
    Column("appended_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

segments = Table(
    "segments",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("stream", String(40), nullable=False),
    Column("day", Date, nullable=False),
    Column("file", String(200), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("min_us", BigInteger, nullable=False),
    Column("max_us", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("run_id", String(64)),
    Column("created_us", BigInteger, nullable=False),
    Index("segments_by_day", "stream", "day"),
)
"""The catalog: a Parquet file that has no row here does not exist."""

garbage = Table(
    "garbage", METADATA, Column("file", String(200), primary_key=True), Column("since_us", BigInteger, nullable=False)
)
"""Files taken out of the catalog, unlinked once no reader can still hold them."""

leases = Table(
    "leases",
    METADATA,
    Column("name", String(60), primary_key=True),
    Column("holder", String(60), nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

leads = Table(
    "leads",
    METADATA,
    Column("lead_id", String(36), primary_key=True),
    Column("attempt_id", String(36), nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("source", String(64), nullable=False),
    Column("page", String(200), nullable=False),
    Column("email_hash", String(32), nullable=False),
    Column("payload_hash", String(32), nullable=False),
    Column("run_id", String(64)),
    Column("content", Text, nullable=False),
    Index("leads_by_person", "email_hash", "source", "received_us"),
)
"""Accepted leads; `content` is JSON with names, e-mail and message, and is what `forget` erases."""

payloads = Table(
    "payloads",
    METADATA,
    Column("attempt_id", String(36), primary_key=True),
    Column("received_us", BigInteger, nullable=False, index=True),
    Column("email_hash", String(32), nullable=False, index=True),
    Column("content", Text, nullable=False),
)
"""What refused live submissions said, kept for LAB_KEEP_PAYLOADS days."""

idempotency = Table(
    "idempotency",
    METADATA,
    Column("key_hash", String(32), primary_key=True),
    Column("payload_hash", String(32), nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("verdict", Text, nullable=False),
)

runs = Table(
    "runs",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("params", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("summary", Text),
    Column("job_id", String(36)),
    Column("created_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
)
"""Simulations and imports; `done` rises in the very transaction that makes a run's rows durable."""

ground_truth = Table(
    "ground_truth",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("fault_id", String(64), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("component", Text, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("strength", Float, nullable=False),
    Column("attempts", BigInteger, nullable=False),
)
"""What the simulator did on purpose and when; nothing that detects or reports reads it."""

imported_lines = Table(
    "imported_lines",
    METADATA,
    Column("line_hash", LargeBinary(16), primary_key=True),
    Column("occurrence", Integer, primary_key=True, autoincrement=False),
    Column("run_id", String(64), nullable=False, index=True),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("lane", String(20), nullable=False),
    Column("key", String(120)),
    Column("params", Text, nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("stage", String(200), nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("result", Text),
    Column("error", Text),
    Column("cancel_asked", Integer, nullable=False),
    Column("lease_us", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False, index=True),
    Column("started_us", BigInteger),
    Column("ended_us", BigInteger),
)

reports = Table(
    "reports",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("day", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("analyst", String(40), nullable=False),
    Column("model", String(120)),
    Column("digest", String(80)),
    Column("traffic", String(20), nullable=False),
    Column("log_version", String(80), nullable=False),
    Column("facts", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("telling", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("reports_by_day", "day", "version", unique=True),
)
"""Versions of the day's report; a version is never overwritten. `telling` is JSON: how it was written."""


class Database:
    """An engine with `read()` and `write()`; SQLite in WAL mode with synchronous=FULL unless the URL says otherwise."""

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
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
        """One atomic write; nothing else writes meanwhile. Commits durably on leaving, rolls back on an error."""
        with self.engine.connect() as connection:
            connection.execution_options(lab_write=True)
            with connection.begin():
                yield connection

    def create_tables(self) -> None:
        """Create what is missing; DataFolderError when the database cannot be opened or written."""
        try:
            with self.write() as connection:
                METADATA.create_all(connection)
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise DataFolderError(
                f"The database cannot be opened or written ({cause}); make the data folder writable, "
                "or point LAB_DATA_DIR at one that is."
            ) from error

    def close(self) -> None:
        """Give back every connection. Idempotent."""
        self.engine.dispose()


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL", "cache_size=-32768"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("lab_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
