"""Overview data over sealed history plus an open day, with one attempt appended before each read.

Prints one JSON line: the time with all sealed days, the ratio to the same questions as plain SQL over the raw
files, the ratio to a lab with 30 sealed days (1 means that cost does not grow with age), and the process's peak
memory. Goals: at most 0.1 of raw, at most 1.2 times 30 days, under 400 MB, 50 ms.

    python tests/bench/sealed_history.py [--days 365] [--per-day 100000] [--open 200000] [--reads 15]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pyarrow as pa

from lab.clock import ManualClock
from lab.database import Database
from lab.eventlog import EventLog
from lab.eventlog.seal import seal_day
from lab.metrics import Metrics, rollup
from lab.metrics.rollup import Rollups
from tests.bench import overview
from tests.bench.overview import NOW, TODAY, day_table
from tests.bench.rows import one_attempt


def build(folder: Path, days: int, per_day: int, open_rows: int) -> None:
    """A data folder with sealed days and an open one; each day is the same table moved in time."""
    log = _log(folder)
    table = day_table(TODAY - timedelta(days=1), per_day, np.random.default_rng(1))
    at, day = table.schema.get_field_index("received_at"), table.schema.get_field_index("day")
    instants = table["received_at"].cast(pa.int64()).to_numpy()
    for back in range(days, 0, -1):
        moved = pa.array(instants - (back - 1) * 86_400_000_000).cast(table.schema.field(at).type)
        this = TODAY - timedelta(days=back)
        shifted = table.set_column(at, table.schema.field(at), moved)
        shifted = shifted.set_column(day, table.schema.field(day), pa.array([this] * per_day, pa.date32()))
        log.append_table("submissions", shifted)
        seal_day(log, this, clock=ManualClock(NOW), zone=ZoneInfo("UTC"), rollup=rollup.results)
        for file in (folder / "submissions" / f"day={this}").glob("*.parquet"):
            if not any(file == folder / one.file for one in log.view(first=this, last=this).segments):
                file.unlink()
    log.append_table("submissions", day_table(TODAY, open_rows, np.random.default_rng(2)))
    log.close()
    log.database.close()


def measure(folder: Path, reads: int) -> dict[str, float]:
    """Milliseconds a read after one warm-up, the first read, the plain scan, and peak memory in MB."""
    log = _log(folder)
    metrics = Metrics(log, ZoneInfo("UTC"), ManualClock(NOW), kept=Rollups(log.database))
    begun = time.perf_counter()
    overview.overview(metrics)
    first = time.perf_counter() - begun
    times = []
    for number in range(reads):
        log.append("submissions", [one_attempt(NOW - timedelta(seconds=number), number)])
        begun = time.perf_counter()
        overview.overview(metrics)
        times.append(time.perf_counter() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    overview.plain(log)
    plain = time.perf_counter() - begun
    log.close()
    log.database.close()
    return {
        "first_ms": first * 1e3, "warm_ms": statistics.median(times) * 1e3, "plain_ms": plain * 1e3, "peak_mb": peak
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--per-day", type=int, default=100_000)
    options.add_argument("--open", type=int, default=200_000)
    options.add_argument("--reads", type=int, default=15)
    options.add_argument("--measure", type=Path)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, given.reads)))
        return
    with tempfile.TemporaryDirectory() as name:
        found = {}
        for days in (given.days, 30):
            folder = Path(name) / str(days)
            folder.mkdir()
            build(folder, days, given.per_day, given.open)
            command = [sys.executable, __file__, "--measure", str(folder), "--reads", str(given.reads)]
            found[days] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    long, short = found[given.days], found[30]
    print(
        json.dumps(
            {
                "bench": "sealed_history",
                "days": given.days,
                "per_day": given.per_day,
                "open": given.open,
                "warm_ms": round(long["warm_ms"], 1),
                "share_of_raw": round(long["warm_ms"] / long["plain_ms"], 4),
                "times_30_days": round(long["warm_ms"] / short["warm_ms"], 2),
                "first_ms": round(long["first_ms"]),
                "first_times_30_days": round(long["first_ms"] / short["first_ms"], 2),
                "peak_mb": round(long["peak_mb"]),
                "goals": {"share_of_raw": 0.1, "times_30_days": 1.2, "peak_mb": 400, "warm_ms": 50},
            }
        )
    )


def _log(folder: Path) -> EventLog:
    database = Database(f"sqlite:///{folder / 'lab.db'}")
    database.create_tables()
    log = EventLog(database, folder, ManualClock(NOW))
    log.prepare()
    return log


if __name__ == "__main__":
    main()
