"""A job watched from a terminal: a progress bar on stderr, and Ctrl-C as a wish to stop.

The trap it avoids: an interrupt in the middle of a transaction. The first Ctrl-C only asks the job to stop at
its next report, so its row ends as cancelled and what was stored stays; the second one breaks off.
"""

from __future__ import annotations

import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from lab.errors import Cancelled, LabError

if TYPE_CHECKING:
    from lab.jobs import Job, Work
    from lab.opening import Lab

BAR_CELLS = 24


def run_watched(
    lab: Lab, kind: str, params: Mapping[str, Any], work: Work, stream: TextIO | None = None
) -> Mapping[str, Any]:
    """Run a job here and return its result. Raises Cancelled after Ctrl-C and LabError when it failed."""
    bar = Bar(stream or sys.stderr)
    with _interrupts() as interrupted:

        def watch(job: Job) -> None:
            bar.draw(job)
            if interrupted.is_set():
                lab.jobs.cancel(job.id)

        job = lab.jobs.run(kind, params, work, watch)
    bar.clear()
    if job.state == "done":
        return job.result or {}
    if job.state in {"cancelled", "interrupted"}:
        raise Cancelled(job.error or "Stopped as asked; what was stored so far stays.")
    raise LabError(job.error or "The job failed; try again.")


class Bar:
    """One line that is drawn over and over; nothing at all where the stream is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._drawn = stream, 0

    def draw(self, job: Job) -> None:
        """Show the job as it stands."""
        if self._stream.isatty():
            line = bar_line(job, shutil.get_terminal_size().columns - 1)
            self._put(f"\r{line.ljust(self._drawn)}")
            self._drawn = len(line)

    def clear(self) -> None:
        """Leave an empty line for what comes next."""
        if self._drawn:
            self._put(f"\r{' ' * self._drawn}\r")
            self._drawn = 0

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def bar_line(job: Job, width: int) -> str:
    """[######----] 25 %  importing  added 1,200 · already 0"""
    parts = [job.stage]
    if job.total:
        full = int(job.share * BAR_CELLS)
        parts.insert(0, f"[{'#' * full}{'-' * (BAR_CELLS - full)}] {job.share:4.0%}")
    counts = (f"{name} {value:,}" for name, value in job.detail.items() if isinstance(value, int))
    return "  ".join([*parts, " · ".join(counts)]).rstrip()[:width]


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
