"""The real server, started as the README does it, on a loopback socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str) -> str | None:
    """The body, or None while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return None


@contextmanager
def server(script: Path, data: Path, **settings: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`streamlit run SCRIPT` until the block ends; yields its address and the process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true", f"--server.port={port}"],
        cwd=ROOT,
        env={**os.environ, "LAB_DATA_DIR": str(data), "PYTHONPATH": str(ROOT), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address, tick = f"http://127.0.0.1:{port}", threading.Event()
    try:
        for _ in range(600):
            if process.poll() is not None or get(f"{address}/_stcore/health"):
                break
            tick.wait(0.05)
        yield address, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to stop a server with")
def test_the_server_opens_the_lab_answers_and_closes_it_on_sigterm(tmp_path: Path) -> None:
    """Healthy means the data folder is open; stopping writes what waits and ends by itself."""
    with server(ROOT / "app.py", tmp_path / "data") as (address, process):
        assert get(f"{address}/_stcore/health") == "ok"
        assert (tmp_path / "data" / "lab.db").is_file()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert "Traceback" not in output
    assert not list((tmp_path / "data").glob("lab.db-wal"))


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not exist on Windows")
def test_the_running_loop_is_uvloops(tmp_path: Path) -> None:
    """With the default loop every answer on a kept connection comes about 44 ms late."""
    script = tmp_path / "probe.py"
    script.write_text(
        "import asyncio\nimport streamlit as st\nfrom starlette.responses import PlainTextResponse\n"
        "from starlette.routing import Route\n"
        "async def loop(request):\n    return PlainTextResponse(type(asyncio.get_running_loop()).__module__)\n"
        f"app = st.App({str(ROOT / 'pages' / '_shell.py')!r}, routes=[Route('/api/loop', loop)])\n"
    )
    with server(script, tmp_path / "data") as (address, _):
        assert get(f"{address}/api/loop") == "uvloop"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"LAB_TIME_ZONE": "Mars/Olympus"}, "use a name such as UTC or Europe/Amsterdam"),
        ({"LAB_DATA_DIR": "/dev/null/data"}, "point LAB_DATA_DIR at a folder you can write"),
    ],
)
def test_a_lab_that_cannot_be_opened_is_one_sentence_with_the_remedy(
    tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    """No traceback, exit code 2."""
    with server(ROOT / "app.py", tmp_path / "data", **settings) as (_, process):
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "Traceback" not in output
    assert [line for line in output.splitlines() if told in line and line.startswith("The lab was not started:")]
