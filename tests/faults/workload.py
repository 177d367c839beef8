"""A lab that is busy until it is killed: forked from a process that has everything imported.

Reads one line for each round: the data folder, the file for acknowledgements, the seed, the delay in seconds. The
child appends by key from three threads, flushes, seals and backs up; the parent kills it with SIGKILL after the
delay and answers with one line. Acknowledgements are written after `admit` returned, one key a line.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import lab.metrics.rollup
import lab.report
import lab.verify  # noqa: F401 - imported before the fork, so that a round costs no import
from lab.attempt import Arrival, Channel, Submission
from lab.backup import back_up
from lab.clock import system_clock
from lab.errors import LabError
from lab.opening import Lab, open_lab
from lab.sealing import seal_now
from lab.settings import read_settings


def submission(key: str, at: object = None) -> Arrival:
    """The submission that belongs to a key: always the same person and payload."""
    sent = Submission("PARTNER_API", "/demo", f"{key}@example.org", "Ann", company="A", idempotency_key=key)
    return Arrival(sent, Channel.API, at=at, client=f"client-{key}")  # type: ignore[arg-type]


def busy(lab: Lab, acknowledged: Path, seed: int) -> None:
    """Append, flush and seal for ever."""
    handle = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def append(number: int) -> None:
        rng = random.Random(f"{seed}:{number}")
        while True:
            keys = [f"{seed}-{number}-{rng.randrange(400)}" for _ in range(rng.choice((1, 1, 2, 20)))]
            try:
                lab.gate.admit([submission(key) for key in keys])
            except LabError:
                continue
            os.write(handle, "".join(f"{key}\n" for key in keys).encode())

    for number in range(3):
        threading.Thread(target=append, args=(number,), daemon=True).start()
    rng, backups = random.Random(seed), acknowledged.parent / "backups"
    backups.mkdir(exist_ok=True)
    ended = lab.clock() - timedelta(days=2 + seed % 300)
    for turn in range(10_000):
        with_bulk = [submission(f"{seed}-bulk-{turn}-{n}", ended - timedelta(days=turn)) for n in range(30)]
        for work in (
            lambda: lab.log.flush("submissions"),
            lambda: lab.run_gate(f"run-{seed}-{turn}").admit(with_bulk),  # noqa: B023 - called in this turn
            lambda: seal_now(lab, (ended - timedelta(days=turn)).date()),  # noqa: B023 - called in this turn
            lambda: turn % 4 or back_up(lab, backups / f"{seed}-{turn}-{os.getpid()}"),  # noqa: B023
        ):
            try:
                work()
            except LabError:
                continue
        if rng.random() < 0.3:
            time.sleep(0.001)


def main() -> None:
    for line in sys.stdin:
        folder, acknowledged, seed, delay = line.rsplit(maxsplit=3)
        child = os.fork()
        if child == 0:
            try:
                lab = open_lab(read_settings({"LAB_DATA_DIR": folder}), system_clock, housekeeping=False)
                busy(lab, Path(acknowledged), int(seed))
            finally:
                os._exit(1)
        time.sleep(float(delay))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
