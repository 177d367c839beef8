"""Bulk append of one Arrow table against a bare `write_parquet` of the same rows at the same codec and level.

Prints one JSON line. `share_of_bare` is the bare time divided by ours, the median of paired rounds: 1 would mean
that sorting, fsync, SHA-256, page checksums and the catalog's transaction cost nothing. Goal 0.5.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import polars as pl
import pyarrow.parquet as pq

from lab.eventlog import SUBMISSIONS, EventLog
from lab.eventlog.segments import CODEC, LEVEL
from tests.bench.rows import day_table, open_log

ROWS, ROUNDS = 200_000, 9


def main() -> None:
    table = day_table(ROWS)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    ours, by_polars, by_pyarrow = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log: EventLog = open_log(folder)
        for _ in range(ROUNDS):
            ours.append(_seconds(lambda: log.append_table(SUBMISSIONS.name, table)))
            by_polars.append(_seconds(lambda: frame.write_parquet(folder / "bare", compression=CODEC, compression_level=LEVEL)))
            by_pyarrow.append(
                _seconds(lambda: pq.write_table(table, folder / "bare", compression=CODEC, compression_level=LEVEL))
            )
        log.close()
        log.database.close()
    print(
        json.dumps(
            {
                "bench": "bulk_append",
                "rows": ROWS,
                "share_of_bare_polars": round(_ratio(by_polars, ours), 3),
                "share_of_bare_pyarrow": round(_ratio(by_pyarrow, ours), 3),
                "goal": 0.5,
                "append_ms": round(statistics.median(ours) * 1e3, 1),
                "rows_a_second": round(ROWS / statistics.median(ours)),
            }
        )
    )


def _seconds(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _ratio(bare: list[float], ours: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(bare[1:], ours[1:], strict=True))


if __name__ == "__main__":
    main()
