"""A file system that drops and reorders what was not synced: what the catalog names stands after any power cut.

The real code runs over a recording of its calls. For each seed a power cut is put between two calls; file content
that was not fsynced is cut at random, names that were not made durable by an fsync of their folder may be missing
or old. Whatever the database had committed by then must be whole.
"""

from __future__ import annotations

import os
import random
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import event, select

from lab.attempt import Arrival, Channel, Submission
from lab.database import segments
from lab.eventlog import durable
from lab.opening import Lab
from lab.sealing import seal_now


class Call(NamedTuple):
    """One call that the disk saw, or a commit with the files that the catalog named afterwards."""

    name: str
    path: str = ""
    other: str = ""
    data: bytes = b""
    files: tuple[tuple[str, str], ...] = ()


class RecordingOs:
    """The os module, writing down every call that matters to durability."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = calls
        self._open: dict[int, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Any, *rest: Any) -> int:
        handle = os.open(path, *rest)
        self._open[handle] = str(path)
        return handle

    def write(self, handle: int, data: Any) -> int:
        done = os.write(handle, data)
        self._calls.append(Call("write", self._open[handle], data=bytes(data[:done])))
        return done

    def fsync(self, handle: int) -> None:
        os.fsync(handle)
        self._calls.append(Call("fsync", self._open[handle]))

    def rename(self, old: Any, new: Any) -> None:
        os.rename(old, new)
        self._calls.append(Call("rename", str(old), str(new)))


@pytest.fixture
def recorded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Bulk appends, live appends, flushes and seals, as the disk saw them."""
    calls: list[Call] = []
    monkeypatch.setattr(durable, "os", RecordingOs(calls))

    def committed(_connection: Any) -> None:
        calls.append(Call("commit"))

    event.listen(lab.database.engine, "commit", committed)
    for turn in range(4):
        at = lab.clock() - timedelta(days=turn + 1)
        for part in range(2):
            lab.run_gate(f"r{turn}-{part}").admit([sent(f"{turn}-{part}-{n}", at) for n in range(15)])
            _note(lab, calls)
        lab.gate.admit([sent(f"live-{turn}", at)])
        lab.log.flush("submissions")
        _note(lab, calls)
        seal_now(lab, at.date())
        _note(lab, calls)
    event.remove(lab.database.engine, "commit", committed)
    return calls


def sent(who: str, at: object) -> Arrival:
    submission = Submission("PARTNER_API", "/demo", f"p{who}@example.org", "Ann", company="A")
    return Arrival(submission, Channel.API, at=at)  # type: ignore[arg-type]


def _note(lab: Lab, calls: list[Call]) -> None:
    """What the catalog names now, known from the last commit on."""
    with lab.database.engine.connect() as connection:
        rows = connection.execute(select(segments.c.file, segments.c.sha256)).all()
    files = tuple((str(lab.log.folder / row.file), row.sha256) for row in rows)
    last = max(index for index, call in enumerate(calls) if call.name == "commit")
    calls[last] = calls[last]._replace(files=files)


def after_power_cut(calls: list[Call], rng: random.Random) -> dict[str, bytes]:
    """Names and content that a legal but unkind disk may show after these calls."""
    content: dict[str, bytearray] = {}
    synced: dict[str, bytes] = {}
    durable_names: dict[str, str] = {}
    pending: list[tuple[str, str]] = []
    for call in calls:
        if call.name == "write":
            content.setdefault(call.path, bytearray()).extend(call.data)
        elif call.name == "fsync" and call.path in content:
            synced[call.path] = bytes(content[call.path])
        elif call.name == "rename":
            pending.append((call.path, call.other))
        elif call.name == "fsync":
            for old, new in [one for one in pending if str(Path(one[1]).parent) == call.path]:
                durable_names[new] = old
                pending.remove((old, new))
    durable_names |= {new: old for old, new in pending if rng.random() < 0.5}
    seen = {}
    for new, old in durable_names.items():
        whole, kept = bytes(content[old]), synced.get(old, b"")
        lost = whole[len(kept) :]
        seen[new] = kept + lost[: rng.randrange(len(lost) + 1)]
    return seen


def test_what_was_committed_stands_after_a_power_cut_at_any_moment(
    recorded: list[Call], seed: int, rounds: int
) -> None:
    """Ten cuts a round: 200 by default, 2,000 in CI."""
    rng = random.Random(seed)
    named: tuple[tuple[str, str], ...] = ()
    checked = 0
    for _ in range(rounds * 10):
        cut = rng.randrange(len(recorded) + 1)
        shown = after_power_cut(recorded[:cut], rng)
        named = next((call.files for call in reversed(recorded[:cut]) if call.files), ())
        for file, written in named:
            assert sha256(shown.get(file, b"")).hexdigest() == written, f"lost after call {cut}: {file}"
            checked += 1
    assert checked


def test_an_unkind_disk_does_lose_what_is_not_synced(recorded: list[Call], seed: int) -> None:
    """The simulation can fail: without the fsyncs, committed files are lost."""
    rng = random.Random(seed)
    careless = [call for call in recorded if call.name != "fsync"]
    lost = 0
    for _ in range(50):
        shown = after_power_cut(careless, rng)
        named = next(call.files for call in reversed(careless) if call.files)
        lost += sum(sha256(shown.get(file, b"")).hexdigest() != written for file, written in named)
    assert lost


def test_the_order_is_write_fsync_rename_fsync_of_the_folder_commit(recorded: list[Call]) -> None:
    """For every file of the log, before the commit that names it."""
    done: dict[str, str] = {}
    final: dict[str, str] = {}
    for call in recorded:
        if call.name == "write":
            done[call.path] = "written"
        elif call.name == "fsync" and done.get(call.path) == "written":
            done[call.path] = "synced"
        elif call.name == "rename":
            assert done[call.path] == "synced"
            final[call.other] = "renamed"
        elif call.name == "fsync":
            for path, state in final.items():
                if str(Path(path).parent) == call.path and state == "renamed":
                    final[path] = "durable"
        elif call.name == "commit":
            assert all(final[file] == "durable" for file, _ in call.files)
