"""Export of what is filtered, as CSV or Parquet.

The traps it avoids: a cell that a spreadsheet runs as a formula, and a half-written file under the final name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal, Protocol

import polars as pl
import pyarrow.parquet as pq

from lab.errors import BadRequest, StorageFailed
from lab.eventlog import DayFiles
from lab.metrics.attempts import Days, Filter, chosen_days, matching

Format = Literal["csv", "parquet"]
FORMULA = r"^[=+\-@\t\r]"
"""How a cell begins that Excel, LibreOffice or Sheets may evaluate."""
ROW_GROUP = 50_000


class Watch(Protocol):
    """What is told about progress; raises Cancelled when the user asked to stop."""

    def report(self, stage: str, done: int = 0, total: int = 0) -> None: ...


def export(
    view: Days,
    asked: Filter,
    path: Path,
    format: Format = "csv",
    progress: Watch | None = None,
    *,
    executor: Executor | None = None,
) -> int:
    """Write every matching row to `path`, newest first, and return how many, a bounded number at a time.

    Raises BadRequest for another format, StorageFailed when the disk refuses; `path` is whole or not there.
    """
    if format not in ("csv", "parquet"):
        raise BadRequest(f"{format!r} is no export format; use csv or parquet.")
    frames = _watched(chosen_days(view, asked), asked, progress, executor)
    with _whole(path) as file:
        return _write_csv(frames, file) if format == "csv" else _write_parquet(frames, file)


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with an apostrophe before every text cell that a spreadsheet might take for a formula."""
    text = pl.col(pl.String)
    return frame.with_columns(pl.when(text.str.contains(FORMULA)).then("'" + text).otherwise(text).name.keep())


def _watched(
    days: list[DayFiles], asked: Filter, progress: Watch | None, executor: Executor | None
) -> Iterator[pl.DataFrame]:
    """Matching rows; progress counts the days that are done."""
    yield from matching([], asked, executor=executor)
    for done, day in enumerate(days):
        for frame in matching([day], asked, executor=executor):
            if progress is not None:
                progress.report("Exporting", done, len(days))
            yield frame
    if progress is not None:
        progress.report("Exporting", len(days), len(days))


def _write_csv(frames: Iterator[pl.DataFrame], file: IO[bytes]) -> int:
    rows = 0
    for number, frame in enumerate(frames):
        if not number:
            frame.head(0).write_csv(file, include_header=True)
        harmless(frame).write_csv(
            file, include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ", float_scientific=False
        )
        rows += frame.height
    return rows


def _write_parquet(frames: Iterator[pl.DataFrame], file: IO[bytes]) -> int:
    rows = 0
    writer: pq.ParquetWriter | None = None
    try:
        for frame in frames:
            table = frame.to_arrow()
            if writer is None:
                writer = pq.ParquetWriter(file, table.schema, compression="zstd", write_page_checksum=True)
            if frame.height:
                writer.write_table(table.cast(writer.schema), row_group_size=ROW_GROUP)
            rows += frame.height
    finally:
        if writer is not None:
            writer.close()
    return rows


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file beside `path` that takes its name once it is written, and goes when it is not."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StorageFailed(
            f"{path.name} could not be written ({error.strerror or error}); free space or choose another folder."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
