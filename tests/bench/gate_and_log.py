"""Gate and log together against the same rows bare-encoded to Parquet.

Prints one JSON line: attempts a second through a run's gate (judged, settled in a transaction with leads, hashed,
fsynced) in batches of 20,000, and the share of the time that bare encoding of the resulting rows would take.
Goal 20,000 attempts a second on 2 cores.
"""

from __future__ import annotations

import gc
import io
import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pyarrow.parquet as pq

from lab.eventlog.segments import CODEC, LEVEL
from lab.gate import Gate
from lab.pseudonyms import Pseudonyms
from lab.world import World
from tests.bench.rows import arrivals, open_log

BATCH, BATCHES = 20_000, 6


def main() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    everything = arrivals(BATCH * BATCHES, start)
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as name:
        log = open_log(Path(name))
        gate = Gate(log, World.default(), ZoneInfo("UTC"), Pseudonyms(b"k" * 32), run_id="bench")
        accepted = 0
        for index in range(BATCHES):
            batch = everything[index * BATCH : (index + 1) * BATCH]
            gc.collect()
            begun = time.perf_counter()
            verdicts = gate.admit(batch)
            ours.append(time.perf_counter() - begun)
            accepted += sum(one.lead_id is not None for one in verdicts)
            rows = pq.read_table(log.folder / log.view().segments[-1].file, partitioning=None)
            begun = time.perf_counter()
            pq.write_table(rows, io.BytesIO(), compression=CODEC, compression_level=LEVEL)
            bare.append(time.perf_counter() - begun)
        stored = log.view().rows
        log.close()
        log.database.close()
    median = statistics.median(ours)
    print(
        json.dumps(
            {
                "bench": "gate_and_log",
                "attempts": stored,
                "leads": accepted,
                "attempts_a_second": round(BATCH / median),
                "goal_attempts_a_second": 20_000,
                "share_of_bare_encoding": round(statistics.median(b / o for b, o in zip(bare, ours, strict=True)), 4),
                "batch_ms": round(median * 1e3, 1),
                "span": str(timedelta(seconds=sum(ours))),
            }
        )
    )


if __name__ == "__main__":
    main()
