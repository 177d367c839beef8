"""Import of a Combined log against reading and matching alone: a believable mix, and nothing but form POSTs.

Prints one JSON line. MB/s are of text read, end to end: checked, matched, hashed, looked up, written as Parquet,
fsynced, with each line's key in the transaction. `share_of_reading` is the time that reading and the regular
expression alone take in the same round, divided by ours. Goal 20 MB/s.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab.importer import import_files
from lab.importer.files import read_chunks
from lab.importer.formats import FORMATS
from lab.opening import open_lab
from lab.settings import read_settings

FORMS = {"/contact": "WEBSITE_FORM", "/join": "LANDING_PAGE"}
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
    "Mobile/15E148 Safari/604.1"),
    "curl/8.4.0",
)
MIXED_MB, WORST_MB, ROUNDS = 64, 24, 3


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mixed = write_log(folder / "mixed.log", MIXED_MB << 20, posts=0.03)
        worst = write_log(folder / "worst.log", WORST_MB << 20, posts=1.0)
        told = {f"{kind}_{key}": value for kind, path in (("mixed", mixed), ("worst", worst)) for key, value in measure(path, folder).items()}
    print(json.dumps({"bench": "import_combined", **told, "goal_mb_s": 20}))


def measure(path: Path, folder: Path) -> dict[str, float]:
    """Ours and bare reading in turn, and the medians."""
    megabytes = path.stat().st_size / 1e6
    ours, bare = [], []
    rows = 0
    for number in range(ROUNDS):
        bare.append(seconds(lambda: read_only(path)))
        settings = read_settings({"LAB_DATA_DIR": str(folder / f"{path.stem}-{number}")})
        with open_lab(settings, housekeeping=False) as lab:
            done: dict[str, int] = {}
            ours.append(seconds(lambda lab=lab, done=done: done.update(import_files(lab, [path], FORMS))))
            rows = done["added"]
    return {
        "mb": round(megabytes, 1),
        "rows": rows,
        "mb_s": round(megabytes / statistics.median(ours), 1),
        "share_of_reading": round(statistics.median(one / other for one, other in zip(bare, ours, strict=True)), 3),
    }


def read_only(path: Path) -> None:
    """Every line through the regular expression, and nothing kept."""
    line = FORMATS["auto"].line
    for chunk in read_chunks(path):
        deque(line.finditer(chunk.lines), maxlen=0)


def seconds(work: Callable[[], None]) -> float:
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def write_log(path: Path, size: int, posts: float) -> Path:
    """A log of about `size` bytes, seeded, in order of time; so large a share of its lines are POSTs to a form."""
    rng = random.Random(path.name)
    at, written = datetime(2026, 11, 16, tzinfo=UTC), 0
    with path.open("w") as file:
        while written < size:
            at += timedelta(seconds=rng.expovariate(2.0))
            host = f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
            if rng.random() < posts:
                request = f"POST {rng.choice(list(FORMS))}?utm_source=mail HTTP/1.1"
            else:
                request = f"GET /assets/{rng.randrange(1000)}.css HTTP/1.1"
            status = rng.choices((200, 302, 422, 500), (5, 90, 4, 1))[0]
            written += file.write(
                f'{host} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "{request}" {status} {rng.randrange(99_999)} '
                f'"https://example.org/{rng.randrange(50)}" "{rng.choice(AGENTS)}"\n'
            )
    return path


if __name__ == "__main__":
    main()
