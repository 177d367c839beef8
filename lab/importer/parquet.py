"""Parquet to import: its flat columns, a few thousand rows at a time.

The trap it avoids: a row has no line to be known by. Its key is its canonical JSON: equal rows give equal bytes,
whatever file, row group or column order they come in. Nested columns are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lab.errors import UnreadableLog
from lab.importer.records import Record, Records
from lab.importer.values import plain_json

MARK = b"PAR1"
ROWS_AT_ONCE = 5_000


class ParquetFile:
    """A Parquet file with flat columns; UnreadableLog when it is damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _readable(path), pq.ParquetFile(path) as file:
            self._rows = file.metadata.num_rows
            self._groups = file.metadata.num_row_groups
            self.columns = tuple(field.name for field in file.schema_arrow if _is_flat(field.type))
        if not self._rows:
            raise UnreadableLog(f"{path} holds no rows; choose a file with rows in it.")

    def read(self) -> Iterator[Records]:
        """Row group by row group, so that memory holds one group's pages at most."""
        size, done = self._path.stat().st_size, 0
        with _readable(self._path), pq.ParquetFile(self._path, page_checksum_verification=True) as file:
            for group in range(self._groups):
                batches = file.iter_batches(ROWS_AT_ONCE, row_groups=[group], columns=list(self.columns))
                for batch in batches:
                    done += batch.num_rows
                    yield Records(_records(batch), size * done // self._rows)


def _records(batch: pa.RecordBatch) -> list[Record]:
    columns = {name: _plain(batch.column(name)).to_pylist() for name in batch.schema.names}
    names = tuple(columns)
    rows = []
    for cells in zip(*columns.values(), strict=True):
        values: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}
        rows.append(Record(plain_json(values).encode("utf-8", "replace"), dict.fromkeys(names) | values))
    return rows


def _plain(column: pa.Array) -> pa.Array:
    """The column in a type whose values Python has."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", "UTC" if column.type.tz else None), safe=False)
    if pa.types.is_time(column.type):
        return column.cast(pa.string())
    return column


def _is_flat(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        return _is_flat(kind.value_type)
    return any(
        known(kind)
        for known in (
            types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_date, types.is_timestamp,
            types.is_time, types.is_string, types.is_large_string, types.is_string_view, types.is_null,
        )
    )  # fmt: skip


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableLog(f"{path} is a damaged Parquet file; fetch the file again.") from error
