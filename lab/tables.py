"""The lab's tables, in SQLAlchemy Core, portable between databases. `lab.database` opens them.

Columns are only ever added; instants are microseconds since 1970 in UTC, as in the log.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

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
    Column("seal", Integer),
    Column("damage", Text),
    Index("segments_by_day", "stream", "day"),
)
"""The catalog: a Parquet file that has no row here does not exist.

`seal` is the number of the link that sealed the file, `damage` says why a file is set aside.
"""

closed_days = Table(
    "closed_days",
    METADATA,
    Column("stream", String(40), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("state", String(10), nullable=False),
)
"""Days that take no more rows: "sealing" from the moment a seal begins, then "sealed"."""

seals = Table(
    "seals",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(10), nullable=False),
    Column("stream", String(40), nullable=False),
    Column("day", Date, nullable=False, index=True),
    Column("subject", String(40), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("sealed_us", BigInteger, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""The chain: each link carries the hash of the one before. A link is a day's file or a sealed day's report."""

sealed_runs = Table(
    "sealed_runs",
    METADATA,
    Column("run_id", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
)
"""Which runs' rows went into which sealed days; such a run cannot be withdrawn any more."""

rollups = Table(
    "rollups",
    METADATA,
    Column("stream", String(40), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("measure", String(40), primary_key=True),
    Column("version", String(24), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""A sealed day's results by measure, as Arrow IPC: derived, versioned, recomputed by verify."""

live_days = Table("live_days", METADATA, Column("day", Date, primary_key=True))
"""Days on which the live door was open; these are sealed by themselves."""

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
