"""From the command to a server that answers: `streamlit run app.py` on an empty data folder, polled every 20 ms.

Prints one JSON line: the time of each round, its median, and the ratio to a bare Streamlit app (one line of
script) started the same way in the same run. Goal 3 s.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        bare = Path(name) / "bare.py"
        bare.write_text("import streamlit as st\nst.title('bare')\n")
        ours, plain = [], []
        for index in range(ROUNDS):
            plain.append(_start(bare, Path(name)))
            ours.append(_start(ROOT / "app.py", Path(name) / f"data{index}"))
    print(
        json.dumps(
            {
                "bench": "start_to_healthy",
                "median_s": round(statistics.median(ours), 2),
                "rounds_s": [round(one, 2) for one in ours],
                "goal_s": 3.0,
                "times_a_bare_app": round(statistics.median(ours) / statistics.median(plain), 2),
            }
        )
    )


def _start(script: Path, data: Path) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begun = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true", f"--server.port={port}"],
        cwd=ROOT,
        env=os.environ | {"LAB_DATA_DIR": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() - begun < 60:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - begun
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise SystemExit(f"{script.name} did not answer within 60 s")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


if __name__ == "__main__":
    main()
