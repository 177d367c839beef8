"""A real Chromium against the real server with a scripted Ollama beside it; every console error fails the test."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.fake_ollama import FakeOllama

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
PROBED = re.compile(r"/\w+/_stcore/(health|host-config)$")
"""On a deep link Streamlit's own front end asks below the page's path first, gets a 404, and goes on to the root."""

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as fake:
        yield fake


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, ollama: FakeOllama) -> Iterator[str]:
    """The running lab, empty at first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LAB_", "OLLAMA_"))}
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
            cwd=ROOT,
            env=clean | {"LAB_DATA_DIR": str(tmp_path_factory.mktemp("data")), "LAB_OLLAMA_HOST": ollama.url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url, tick = f"http://127.0.0.1:{port}", threading.Event()
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
                    break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None, log.read_text()
                tick.wait(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "No Chromium was found; install it, for example with: apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Opens a page of the lab in a context of its own; fails on console errors when the test ends."""
    wrong: list[str] = []
    contexts = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and not PROBED.search(message.location.get("url", "")):
            wrong.append(f"{message.text} {message.location}")

    def opened(path: str = "", *, mode: str = "light", width: int = 1440) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)  # type: ignore
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.on("console", heard)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/{path}")
        settled(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def settled(page: Page) -> None:
    """The page has its title and Streamlit has nothing more to run."""
    page.wait_for_selector("h1")
    page.wait_for_function(
        "() => document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'"
        " && !document.querySelector('[data-testid=stSkeleton]') && document.fonts.status === 'loaded'"
    )


def picture(page: Page, name: str) -> None:
    """Keep the whole page as a PNG."""
    SCREENSHOTS.mkdir(exist_ok=True)
    width = page.viewport_size["width"]  # type: ignore[index]
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(int(height) + 20, 5_000)})
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    page.set_viewport_size({"width": width, "height": 900})
