"""Killed with SIGKILL during append, flush, bulk append, seal and backup: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lab.clock import system_clock
from lab.opening import Lab, open_lab
from lab.settings import read_settings
from lab.verify import verify
from tests.faults.workload import submission

WORKLOAD = Path(__file__).with_name("workload.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork and no SIGKILL")


def stored(lab: Lab) -> Counter[str]:
    """How many attempts (replays aside) stand in the log for each hashed key; attempt ids must be distinct."""
    keys: Counter[str] = Counter()
    ids: list[str] = []
    for day in lab.log.view().days:
        tables = [pq.read_table(file, partitioning=None) for file in day.files]
        for table in (*tables, *([day.journal] if day.journal is not None else [])):
            ids += table["attempt_id"].to_pylist()
            for key, kind in zip(table["idempotency_key"].to_pylist(), table["kind"].to_pylist(), strict=True):
                keys[key] += kind == "attempt"
    assert len(ids) == len(set(ids))
    return keys


def test_killed_at_any_instant_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path, seed: int, rounds: int) -> None:
    """Round after round over the same folder, with callers that retry by key; verified after each tenth."""
    rng = random.Random(seed)
    folder, acknowledged = tmp_path / "data", tmp_path / "acknowledged"
    acknowledged.touch()
    zygote = subprocess.Popen(
        [sys.executable, str(WORKLOAD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert zygote.stdin is not None
    assert zygote.stdout is not None
    read_up_to, expected = 0, Counter[str]()
    try:
        for number in range(rounds):
            delay = rng.choice((0.05, 0.2, 0.4)) + rng.random() * 0.2
            zygote.stdin.write(f"{folder} {acknowledged} {rng.randrange(20)} {delay}\n")
            assert zygote.stdout.readline().strip() == str(int(signal.SIGKILL)), f"round {number} ended by itself"
            with acknowledged.open() as lines:
                lines.seek(read_up_to)
                expected.update(line.strip() for line in lines if line.endswith("\n"))
                read_up_to = lines.tell()
            if number % 10 == 9 or number == rounds - 1:
                _check(folder, expected)
                _check_backups(tmp_path / "backups")
    finally:
        zygote.stdin.close()
        zygote.wait(30)
        zygote.stdout.close()
    assert sum(expected.values()) > rounds
    print(f"0 lost or doubled in {rounds} rounds, {sum(expected.values())} acknowledgements of {len(expected)} keys")


def _check_backups(folder: Path) -> None:
    """Whatever bears a backup's name is whole; then it goes, and so does what a kill left unfinished."""
    for one in folder.iterdir():
        if (one / "SHA256SUMS").exists() and not one.name.startswith("."):
            for line in (one / "SHA256SUMS").read_text().splitlines():
                written, file = line.split(maxsplit=1)
                assert sha256((one / file.lstrip("*")).read_bytes()).hexdigest() == written, f"{one.name}: {file}"
        shutil.rmtree(one)


def _check(folder: Path, expected: Counter[str]) -> None:
    with open_lab(read_settings({"LAB_DATA_DIR": str(folder)}), system_clock, housekeeping=False) as lab:
        found = stored(lab)
        hashed = {lab.pseudonyms.key(f"PARTNER_API\n{key}"): key for key in expected}
        assert [key for one, key in hashed.items() if not found[one]] == [], "acknowledged and lost"
        assert [one for one, times in found.items() if times > 1] == [], "stored twice"
        verified = verify(lab.log, lab.database)
        assert verified.mismatch is None, verified.mismatch
        replay = lab.gate.admit([submission(next(iter(expected)))])[0] if expected else None
        assert replay is None or replay.lead_id is not None
