"""A stream: a declared Arrow schema with a sequence number, an instant and a business day in every row.

Rows travel as plain tuples in schema order. In the journal a row is one JSON object without its nulls, so
that an older lab's rows stay readable after columns were added.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from lab.attempt import SCHEMA
from lab.ids import microseconds

_EPOCH_DAY = date(1970, 1, 1).toordinal()

Row = tuple[Any, ...]


class Stream(NamedTuple):
    """Name (also its folder) and schema; `time` names the instant by which rows are ordered."""

    name: str
    schema: pa.Schema
    time: str = "received_at"

    def position(self, column: str) -> int:
        """Index of a column in a row."""
        return int(self.schema.get_field_index(column))


SUBMISSIONS = Stream("submissions", SCHEMA)


def table_of(stream: Stream, rows: Sequence[Row]) -> pa.Table:
    """Rows as an Arrow table in the stream's schema."""
    if not rows:
        return stream.schema.empty_table()
    columns = zip(*rows, strict=True)
    return pa.Table.from_arrays(
        [pa.array(values, field.type) for values, field in zip(columns, stream.schema, strict=True)],
        schema=stream.schema,
    )


def encoder(stream: Stream) -> Callable[[Row], str]:
    """A function from a row to its journal JSON (seq left out: it is the journal's key)."""
    names = stream.schema.names
    dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode

    def encode(row: Row) -> str:
        return dumps(
            {name: value for name, value in zip(names, row, strict=True) if value is not None and name != "seq"}
        )

    return encode


def table_from_journal(stream: Stream, seqs: Sequence[int], bodies: Iterable[str]) -> pa.Table:
    """Journal rows back as an Arrow table in the stream's schema."""
    rows = json.loads(f"[{','.join(bodies)}]")
    arrays = []
    for field in stream.schema:
        name = field.name
        values = list(seqs) if name == "seq" else [row.get(name) for row in rows]
        if pa.types.is_timestamp(field.type):
            arrays.append(pa.array(values, pa.int64()).cast(field.type))
        elif pa.types.is_date32(field.type):
            arrays.append(pa.array(values, pa.int32()).cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=stream.schema)


def _plain(value: object) -> int:
    """Instants as microseconds and days as days since 1970: exact, and Arrow's own representation."""
    if isinstance(value, datetime):
        return microseconds(value)
    if isinstance(value, date):
        return value.toordinal() - _EPOCH_DAY
    raise TypeError(f"{type(value).__name__} has no place in a journal row")
