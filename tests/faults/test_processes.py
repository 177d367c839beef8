"""Four processes append with overlapping keys, flush and seal, while a fifth reads: exactly once, always."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from lab.clock import system_clock
from lab.opening import open_lab
from lab.settings import read_settings
from lab.verify import verify
from tests.faults.test_kill import stored

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import json, sys
from datetime import timedelta
from lab.clock import system_clock
from lab.errors import LabError
from lab.opening import open_lab
from lab.sealing import seal_now
from lab.settings import read_settings
from tests.faults.workload import submission
folder, number = sys.argv[1], int(sys.argv[2])
with open_lab(read_settings({"LAB_DATA_DIR": folder}), system_clock, housekeeping=False) as lab:
    done = []
    for turn in range(60):
        keys = [f"shared-{turn * 5 + n}" for n in range(5)]
        lab.gate.admit([submission(key) for key in keys])
        done += keys
        past = lab.clock() - timedelta(days=2 + turn)
        for work in (lambda: lab.log.flush("submissions"), lambda: lab.run_gate(f"r-{number}-{turn}").admit(
            [submission(f"past-{number}-{turn}", past)]), lambda: seal_now(lab, past.date())):
            try:
                work()
            except LabError:
                pass
    print(json.dumps(sorted(set(done))))
"""
READER = """
import sys
from lab.clock import system_clock
from lab.opening import open_lab
from lab.settings import read_settings
from tests.faults.test_kill import stored
with open_lab(read_settings({"LAB_DATA_DIR": sys.argv[1]}), system_clock, housekeeping=False) as lab:
    seen, reads = set(), 0
    while lab.log.view().rows < int(sys.argv[2]) and reads < 2000:
        now = stored(lab)
        assert max(now.values(), default=0) <= 1, "twice"
        assert seen <= now.keys(), "missed"
        seen, reads = set(now), reads + 1
    print(reads)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the workload forks, which Windows cannot")


def test_four_writers_and_a_reader_see_every_key_exactly_once(tmp_path: Path) -> None:
    """The same 300 keys from four processes are 300 attempts, whatever is flushed and sealed meanwhile."""
    folder = tmp_path / "data"
    open_lab(read_settings({"LAB_DATA_DIR": str(folder)}), system_clock, housekeeping=False).close()

    def run(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, str(folder), *map(str, arguments)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    reader = run(READER, 300)
    writers = [run(WRITER, number) for number in range(4)]
    keys: Counter[str] = Counter()
    for writer in writers:
        output, errors = writer.communicate(timeout=180)
        assert writer.returncode == 0, errors
        keys.update(json.loads(output))
    output, errors = reader.communicate(timeout=180)
    assert reader.returncode == 0, errors
    assert int(output) > 0
    with open_lab(read_settings({"LAB_DATA_DIR": str(folder)}), system_clock, housekeeping=False) as lab:
        found = stored(lab)
        assert {found[lab.pseudonyms.key(f"PARTNER_API\n{key}")] for key in keys} == {1}
        assert verify(lab.log, lab.database).mismatch is None
