"""Segments: immutable Parquet files of one business day, ordered by time, hashed as written.

The trap it avoids: with zstd most single bit flips give wrong rows and no error. Pages carry checksums, and
the catalog keeps the SHA-256 of the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lab.eventlog.durable import write_file
from lab.eventlog.stream import Stream

CODEC = "zstd"
LEVEL = 1
ROWS_A_FILE = 500_000
ROWS_A_GROUP = 122_880
_UNIQUE = {"attempt_id", "lead_id", "trace_id", "idempotency_key"}


class Segment(NamedTuple):
    """A row of the catalog. Instants in microseconds; `file` relative to the log's folder."""

    id: str
    stream: str
    day: date
    file: str
    rows: int
    bytes: int
    min_us: int
    max_us: int
    sha256: str
    run_id: str | None
    created_us: int
    seal: int | None = None
    damage: str | None = None


def encode(stream: Stream, table: pa.Table) -> pa.Buffer:
    """The table as a Parquet file in memory."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression=CODEC,
        compression_level=LEVEL,
        write_page_checksum=True,
        row_group_size=ROWS_A_GROUP,
        use_dictionary=[
            field.name for field in stream.schema if pa.types.is_string(field.type) and field.name not in _UNIQUE
        ],
    )
    return sink.getvalue()


def in_order(stream: Stream, table: pa.Table, first_seq: int) -> pa.Table:
    """The table in the declared column order and order of time, numbered from `first_seq`."""
    table = table.select(stream.schema.names)
    instants = table[stream.time]
    if table.num_rows > 1 and pc.any(pc.less(instants[1:], instants[:-1])).as_py():
        table = table.take(pc.sort_indices(table, sort_keys=[(stream.time, "ascending")]))
    seqs = pl.int_range(first_seq, first_seq + table.num_rows, eager=True).to_arrow()
    return table.set_column(stream.position("seq"), stream.schema.field("seq"), seqs)


def cut_by_day(stream: Stream, table: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    """The table's rows by business day, each ordered by time and then seq, at most ROWS_A_FILE at a time."""
    days = pc.unique(table["day"]).to_pylist()
    for day in sorted(days):
        rows = table if len(days) == 1 else table.filter(pc.equal(table["day"], pa.scalar(day, pa.date32())))
        for offset in range(0, rows.num_rows, ROWS_A_FILE):
            yield day, rows.slice(offset, ROWS_A_FILE)


def write_segment(
    folder: Path, stream: Stream, day: date, table: pa.Table, segment_id: str, run_id: str | None, now_us: int
) -> Segment:
    """Write one day's rows durably and return the catalog row they need; without it the file does not exist."""
    data = encode(stream, table)
    file = f"{stream.name}/day={day.isoformat()}/{segment_id}.parquet"
    write_file(folder / file, memoryview(data))
    span = pc.min_max(table[stream.time].cast(pa.int64()))
    return Segment(
        id=segment_id,
        stream=stream.name,
        day=day,
        file=file,
        rows=table.num_rows,
        bytes=data.size,
        min_us=span["min"].as_py(),
        max_us=span["max"].as_py(),
        sha256=sha256(data).hexdigest(),
        run_id=run_id,
        created_us=now_us,
    )
