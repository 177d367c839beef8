"""A backup is whole, of one instant, opens elsewhere, and does not carry the key."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from lab.attempt import Arrival, Category, Channel, Submission
from lab.backup import back_up
from lab.clock import ManualClock
from lab.command_line import main
from lab.data_folder import rekey
from lab.database import Database, jobs, leases, segments
from lab.doctor import examine
from lab.errors import BadRequest, Cancelled, DataFolderError, StorageFailed
from lab.eventlog.housekeeping import keep_house
from lab.ids import microseconds
from lab.opening import open_lab
from lab.report import Status
from lab.sealing import seal, verify_here
from lab.settings import Settings, read_settings
from lab.simulator import backfill, scenario

if TYPE_CHECKING:
    from lab.opening import Lab

ROOT = Path(__file__).resolve().parent.parent


def sent(who: int) -> Arrival:
    return Arrival(Submission("WEBSITE_FORM", "/demo", f"person{who}@example.org", "Ann"), Channel.API, client=f"10.0.0.{who}")


def fill(lab: Lab) -> None:
    """Five days in files, and rows that still wait in the journal."""
    plan = scenario("healthy", days=5, per_day=40)
    lab.jobs.run("simulate", plan.params(), lambda progress: backfill(lab, plan, progress))
    lab.gate.admit([sent(who) for who in range(20)])


class Hook:
    """A job's progress that does something once a stage is told; `at` is how often it was told before."""

    job_id = ""

    def __init__(self, stage: str, act: object, at: int = 0) -> None:
        self.stage, self.act, self.left, self.stages = stage, act, at, list[str]()

    def report(self, stage: str, done: int = 0, total: int = 0, **_detail: object) -> None:
        self.stages.append(stage)
        if stage == self.stage:
            self.left -= 1
            if self.left == -1:
                self.act()  # type: ignore[operator]


def opened_at(folder: Path, clock: ManualClock) -> Lab:
    if not (folder / "hash.key").exists():
        database = Database(f"sqlite:///{folder / 'lab.db'}")
        rekey(database)
        database.close()
    return open_lab(read_settings({"LAB_DATA_DIR": str(folder), "LAB_OLLAMA_HOST": "http://127.0.0.1:9"}), clock, housekeeping=False)


def test_a_restored_lab_gives_the_same_figures_and_goes_on(lab: Lab, clock: ManualClock, tmp_path: Path) -> None:
    """On another path, with the key put back: same metrics, same view, and yesterday's lead is still a duplicate."""
    fill(lab)
    (lab.settings.data_dir / "leftovers").mkdir()
    (lab.settings.data_dir / "leftovers" / "run.txt").write_text("broken\n")
    told = back_up(lab, tmp_path / "copies" / "friday")
    away = tmp_path / "new place"
    shutil.copytree(told["folder"], away)
    shutil.copy(told["key"], away / "hash.key")
    with opened_at(away, clock) as other:
        assert other.metrics.daily().equals(lab.metrics.daily())
        assert other.metrics.by("source").sort("day", "key").equals(lab.metrics.by("source").sort("day", "key"))
        mine, theirs = lab.log.view(), other.log.view()
        assert (theirs.rows, [one.version for one in theirs.days]) == (mine.rows, [one.version for one in mine.days])
        assert told["rows"] == mine.rows
        (again,) = other.gate.admit([sent(1)], clock() + timedelta(minutes=5))
        assert again.category is Category.DUPLICATE_LEAD
        assert (away / "leftovers" / "run.txt").read_text() == "broken\n"
    assert {one.check: one.state for one in examine({"LAB_DATA_DIR": str(away)}, clock, absent)}["key"] == "ok"


def absent(host: str, _model: str) -> Status:
    return Status(host, False, None, (), "No Ollama answers.", ())


def test_the_key_is_not_in_it_and_that_is_said(lab: Lab, clock: ManualClock, tmp_path: Path) -> None:
    """Without it the lab opens only once somebody asked for a new one, and the doctor notices."""
    fill(lab)
    told = back_up(lab, tmp_path / "b")
    assert (str(lab.settings.data_dir / "hash.key") in told["sentence"], "not match" in told["sentence"]) == (True, True)
    key = (lab.settings.data_dir / "hash.key").read_bytes()
    assert not [path for path in (tmp_path / "b").rglob("*") if path.is_file() and key in path.read_bytes()]
    with pytest.raises(DataFolderError, match="put the old hash.key back"):
        open_lab(read_settings({"LAB_DATA_DIR": str(tmp_path / "b")}), clock, housekeeping=False)
    opened_at(tmp_path / "b", clock).close()
    found = {one.check: one for one in examine({"LAB_DATA_DIR": str(tmp_path / "b")}, clock, absent)}["key"]
    assert (found.state, "put the old hash.key back" in found.sentence) == ("note", True)


def test_every_file_is_as_the_sums_say_and_nothing_else_is_there(lab: Lab, tmp_path: Path) -> None:
    """`sha256sum -c` can check it without the lab; the database is one file at rest."""
    fill(lab)
    folder = Path(back_up(lab, tmp_path / "b")["folder"])
    told = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == told.keys() | {"SHA256SUMS", "BACKUP.txt"}
    assert all(sha256((folder / file).read_bytes()).hexdigest() == value for file, value in told.items())
    assert "To restore" in (folder / "BACKUP.txt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "data"]


def test_made_while_others_append_it_is_of_one_instant(lab: Lab, clock: ManualClock, tmp_path: Path) -> None:
    """Appends and flushes go on; the copy holds the first n rows, each once."""
    stop, numbers = threading.Event(), iter(range(1_000_000))

    def go_on() -> None:
        while not stop.is_set():
            lab.gate.admit([sent(next(numbers) % 200) for _ in range(20)])
            if next(numbers) % 3 == 0:
                lab.log.flush("submissions")

    fill(lab)
    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        told = [back_up(lab, tmp_path / f"b{number}") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    for one in told:
        with opened_at(Path(one["folder"]), clock) as other:
            view = other.log.view()
            assert view.rows == one["rows"]
            assert not one["damaged"]
            live = other.metrics.of_day(clock().date(), "select seq from attempts where channel = 'api' order by seq")
            seqs = live["seq"].to_list()
            first = seqs[0]
            assert seqs == list(range(first, first + len(seqs)))
    assert told[0]["rows"] < told[-1]["rows"] <= lab.log.view().rows


def test_a_file_that_housekeeping_took_meanwhile_costs_a_second_look(lab: Lab, clock: ManualClock, tmp_path: Path) -> None:
    """Withdrawn and unlinked between the copy of the catalog and that of the file: the newer catalog does not name it."""
    fill(lab)
    (run_id,) = {one.run_id for one in lab.log.view().segments}

    def withdraw() -> None:
        with lab.database.write() as connection:
            lab.log.withdraw(connection, "submissions", run_id)
        clock.advance(minutes=11)
        assert keep_house(lab.log, clock, "test")

    hook = Hook("copying files", withdraw, at=2)
    told = back_up(lab, tmp_path / "b", hook)  # type: ignore[arg-type]
    assert (told["damaged"], told["rows"]) == ([], 20)
    assert not list((tmp_path / "b").rglob(f"day={(clock() - timedelta(days=3)).date()}/*.parquet"))


def test_a_damaged_file_is_left_out_named_and_set_aside_in_the_copy(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is saved, the exit code says that something is wrong, the copy names only files it has."""
    fill(lab)
    lost, changed = [lab.log.folder / one.file for one in lab.log.view().segments[:2]]
    lost.unlink()
    data = bytearray(changed.read_bytes())
    data[100] ^= 1
    changed.write_bytes(data)
    lab.close()
    assert main(["backup", str(tmp_path / "b"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {one["file"]: one["why"] for one in told["damaged"]} == {
        str(lost.relative_to(lab.log.folder)): "missing",
        str(changed.relative_to(lab.log.folder)): "not what was written",
    }
    with opened_at(tmp_path / "b", ManualClock(lab.clock())) as other:
        named = [other.log.folder / one.file for one in other.log.view().segments]
        assert len(named) == told["files"] == 3
        assert all(path.exists() for path in named)


def test_nothing_is_under_way_in_the_copy(lab: Lab, clock: ManualClock, tmp_path: Path) -> None:
    """No lease holds a restored lab up, a job that ran shows as interrupted, the backup's own job is not in it."""
    fill(lab)
    with lab.database.write() as connection:
        connection.execute(insert(leases).values(name="housekeeping", holder="x:1:y", expires_us=microseconds(clock()) + 10**12))
    running, go = threading.Event(), threading.Event()

    def work(_progress: object) -> dict[str, object]:
        running.set()
        go.wait(30)
        return {}

    job = lab.jobs.start("import", {}, work)
    running.wait(30)
    done = lab.jobs.run("backup", {}, lambda progress: back_up(lab, tmp_path / "b", progress))
    go.set()
    assert done.state == "done", done.error
    with opened_at(tmp_path / "b", clock) as other, other.database.read() as connection:
        states = dict(connection.execute(select(jobs.c.id, jobs.c.state)).all())
        assert (states[job], done.id in states) == ("interrupted", False)
        assert not connection.execute(select(leases)).all()
        assert keep_house(other.log, clock, "me")


@pytest.mark.parametrize("place", ["full", "a file", "data/inside", "."])
def test_a_folder_that_cannot_serve_is_refused_and_left_alone(lab: Lab, tmp_path: Path, place: str) -> None:
    """Not empty, no folder, inside the data, around the data."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("mine")
    (tmp_path / "a file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadRequest, match="; name "):
        back_up(lab, tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_serves(lab: Lab, tmp_path: Path) -> None:
    """As `mktemp -d` makes it."""
    (tmp_path / "b").mkdir()
    assert back_up(lab, tmp_path / "b")["rows"] == 0
    assert (tmp_path / "b" / "lab.db").is_file()


@pytest.mark.parametrize("stage", ["copying the database", "copying files", "finishing"])
def test_stopped_it_leaves_nothing(lab: Lab, tmp_path: Path, stage: str) -> None:
    """At whatever stage."""
    fill(lab)

    def stop() -> None:
        raise Cancelled("Stopped.")

    with pytest.raises(Cancelled, match="no backup was made"):
        back_up(lab, tmp_path / "b", Hook(stage, stop))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_disk_that_refuses_is_told_and_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    """One sentence with the remedy."""

    def refuse() -> None:
        raise OSError(28, "No space left on device")

    fill(lab)
    with pytest.raises(StorageFailed, match="No space left on device.*free space"):
        back_up(lab, tmp_path / "b", Hook("copying files", refuse))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


KILLED = """
import os, signal, sys
from lab.backup import back_up
from lab.opening import open_lab
from lab.settings import read_settings

class Deadly:
    job_id, left = "", int(sys.argv[2])
    def report(self, stage, done=0, total=0):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

with open_lab(read_settings(), housekeeping=False) as lab:
    back_up(lab, sys.argv[1], Deadly())
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize("after", [1, 4, 7])
def test_killed_midway_it_leaves_nothing_that_looks_like_a_backup(
    lab: Lab, settings: Settings, tmp_path: Path, after: int
) -> None:
    """And the next one to the same folder clears away what is left."""
    fill(lab)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "b"), str(after)]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "b").exists()
    (left,) = [path for path in tmp_path.iterdir() if path.name != "data"]
    assert left.name.startswith(".b.unfinished-")
    assert not (left / "SHA256SUMS").exists()
    assert back_up(lab, tmp_path / "b")["rows"] == lab.log.view().rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "data"]


def test_the_copy_is_independent_of_the_original(lab: Lab, tmp_path: Path) -> None:
    """Damage to the original's file does not reach the copy: it is no link."""
    fill(lab)
    back_up(lab, tmp_path / "b")
    with lab.database.read() as connection:
        file = connection.scalar(select(segments.c.file).limit(1))
    assert file
    good = (tmp_path / "b" / file).read_bytes()
    os.truncate(lab.log.folder / file, 10)
    assert (tmp_path / "b" / file).read_bytes() == good


def test_the_command_line_backs_up_and_tells_the_job(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, one JSON document, and a row on the System page."""
    fill(lab)
    assert main(["backup", str(tmp_path / "b"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["folder"] == str(tmp_path / "b")
    assert main(["backup", str(tmp_path / "b")]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert [job.state for job in lab.jobs.recent("backup")] == ["failed", "done"]


def test_sealed_days_and_their_chain_hold_in_the_copy(lab: Lab, clock: ManualClock, tmp_path: Path) -> None:
    """Verified against the head of the original, with files that are read-only there too."""
    fill(lab)
    silent = Hook("", None)
    head = seal(lab, None, silent)["head"]  # type: ignore[arg-type]
    told = back_up(lab, tmp_path / "b")
    assert told["head"] == head
    assert head in (tmp_path / "b" / "BACKUP.txt").read_text()
    with opened_at(tmp_path / "b", clock) as other:
        found = verify_here(other, silent, head)  # type: ignore[arg-type]
        assert (found["mismatch"], found["sealed_days"]) == (None, 5)
        sealed = [one.file for one in other.log.view().segments if one.seal is not None]
        assert [file for file in sealed if (other.log.folder / file).stat().st_mode & 0o222] == []
