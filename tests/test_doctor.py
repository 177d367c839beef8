"""What the doctor sees, and that it changes nothing."""

from __future__ import annotations

import os
import socket
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, update

from lab import disk, doctor
from lab.clock import ManualClock
from lab.database import Database, journal, leases, meta, segments
from lab.doctor import Finding, examine, healthy
from lab.ids import microseconds
from lab.importer import import_files
from lab.opening import open_lab
from lab.report import Installed, Status
from lab.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LLAMA = Installed("llama3.1:8b", "46e0c10c039e", 4_900_000_000, "8.0B", False)


def absent(host: str, _model: str) -> Status:
    return Status(host, False, None, (), f"No Ollama answers at {host}; start it with: ollama serve", ("Get it.",))


def present(host: str, _model: str) -> Status:
    return Status(host, True, "0.12.0", (LLAMA,), f"Ollama 0.12.0 answers at {host} with llama3.1:8b.")


def without_models(host: str, _model: str) -> Status:
    return Status(host, True, "0.12.0", (), "Ollama answers but holds no model.", ("Get one: ollama pull llama3.1:8b",))


def look(clock: ManualClock, ollama: Callable[[str, str], Status] = absent) -> dict[str, Finding]:
    """The findings by check."""
    return {finding.check: finding for finding in examine(clock=clock, look=ollama)}


@pytest.fixture
def filled(settings: Settings, clock: ManualClock, tmp_path: Path) -> Database:
    """A lab that was opened, holds one imported attempt, and is closed."""
    log = tmp_path / "a.log"
    log.write_text('203.0.113.7 - - [19/Nov/2026:09:00:00 +0000] "POST /a HTTP/1.1" 302 1\n')
    with open_lab(settings, clock, housekeeping=False) as lab:
        import_files(lab, [log], {"/a": "WEBSITE_FORM"})
    return Database(settings.database_url)


def test_a_fresh_machine_is_well_and_stays_untouched(clock: ManualClock, settings: Settings) -> None:
    """Nothing is made by looking; an absent Ollama is a note."""
    found = look(clock)
    assert healthy(list(found.values()))
    assert (found["ollama"].state, found["database"].state) == ("note", "ok")
    assert not settings.data_dir.exists()


def test_a_lab_in_use_is_well_in_every_respect(filled: Database, clock: ManualClock) -> None:
    """All checks are made."""
    found = look(clock, present)
    filled.close()
    assert list(found) == [
        "settings", "sources", "folder", "disk", "database", "format", "zone", "key", "journal", "files", "leases", "clock",
        "ollama",
    ]  # fmt: skip
    assert {finding.state for finding in found.values()} == {"ok"}
    assert "llama3.1:8b writes the reports" in found["ollama"].sentence


def test_a_setting_that_cannot_be_used_is_the_finding(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    """Without settings there is nothing else to look at."""
    monkeypatch.setenv("LAB_KEEP_PAYLOADS", "many")
    (finding,) = examine(clock=clock, look=absent)
    assert (finding.check, finding.state) == ("settings", "wrong")
    assert "use 0 or more" in finding.sentence


def test_wrong_sources_are_found_and_the_rest_is_still_checked(clock: ManualClock, settings: Settings) -> None:
    """Every check that can be made is made."""
    settings.data_dir.mkdir()
    (settings.data_dir / "sources.toml").write_text("pages = 3")
    found = look(clock)
    assert found["sources"].state == "wrong"
    assert {"folder", "disk", "database", "clock", "ollama"} <= found.keys()


def test_a_folder_that_cannot_be_made_is_wrong(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file stands where a folder should be."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "file" / "data"))
    found = look(clock)
    assert (found["folder"].state, "point LAB_DATA_DIR" in found["folder"].sentence) == ("wrong", True)


@pytest.mark.parametrize("inside", ["", "data"])
def test_a_folder_that_is_a_file_is_the_only_thing_wrong(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inside: str
) -> None:
    """The sources that cannot be read from it are no fault of sources.toml."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LAB_DATA_DIR", str(tmp_path / "file" / inside))
    found = look(clock)
    assert [name for name, one in found.items() if one.state == "wrong"] == ["folder"]
    assert found["folder"].sentence.startswith(f"{tmp_path / 'file'} is a file, not a folder; move it away, or point")
    assert "sources.toml" not in found["sources"].sentence


def test_a_folder_that_refuses_a_write_is_wrong(
    clock: ManualClock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried, not asked: permissions do not tell everything, as with a disk mounted read-only."""

    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    settings.data_dir.mkdir()
    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refuse)
    assert "Read-only file system); make it writable" in look(clock)["folder"].sentence


@pytest.mark.parametrize(("free_bytes", "state"), [(10_000_000, "wrong"), (900_000_000, "note"), (50_000_000_000, "ok")])
def test_a_full_disk_is_wrong_and_a_nearly_full_one_a_note(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, free_bytes: int, state: str
) -> None:
    """Promises end where the disk does."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: usage(1, 1, free_bytes))
    assert look(clock)["disk"].state == state


def test_a_damaged_database_is_wrong_and_says_how_to_go_on(filled: Database, clock: ManualClock, settings: Settings) -> None:
    """It is told as a sentence, not as a traceback."""
    filled.close()
    for path in settings.data_dir.glob("lab.db*"):
        path.write_bytes(b"this is no database" * 500)
    found = look(clock)
    assert found["database"].state == "wrong"
    assert "restore it from a backup" in found["database"].sentence
    assert "files" not in found


@pytest.mark.parametrize(
    ("name", "value", "check", "remedy"),
    [("format", "99", "format", "update the lab"), ("zone", "Asia/Tokyo", "zone", "set LAB_TIME_ZONE=Asia/Tokyo")],
)
def test_a_folder_of_a_newer_lab_or_another_zone_is_wrong(
    filled: Database, clock: ManualClock, name: str, value: str, check: str, remedy: str
) -> None:
    """The doctor sees it where the lab refuses to open."""
    with filled.write() as connection:
        connection.execute(update(meta).where(meta.c.name == name).values(value=value))
    filled.close()
    found = look(clock)
    assert (found[check].state, remedy in found[check].sentence) == ("wrong", True)


def test_an_empty_lab_may_change_its_zone(clock: ManualClock, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was cut into days yet."""
    open_lab(settings, clock, housekeeping=False).close()
    monkeypatch.setenv("LAB_TIME_ZONE", "Asia/Tokyo")
    assert look(clock)["zone"].state == "note"


@pytest.mark.parametrize(
    ("oldest_minutes", "newest_minutes", "state"), [(5, 0, "ok"), (600, 500, "note"), (600, 1, "wrong")]
)
def test_rows_that_wait_are_wrong_only_where_a_running_lab_leaves_them(
    filled: Database, clock: ManualClock, oldest_minutes: int, newest_minutes: int, state: str
) -> None:
    """A lab that was switched off keeps its journal safe; one that still appends should have filed it."""
    with filled.write() as connection:
        for seq, minutes in ((100, oldest_minutes), (101, newest_minutes)):
            at = NOW - timedelta(minutes=minutes)
            row = {"stream": "submissions", "seq": seq, "day": at.date(), "appended_us": microseconds(at), "body": "{}"}
            connection.execute(insert(journal), row)
    filled.close()
    found = look(clock)["journal"]
    assert (found.state, found.sentence.startswith("2 rows wait")) == (state, True)


def test_a_missing_or_shortened_file_of_the_log_is_wrong(filled: Database, clock: ManualClock, settings: Settings) -> None:
    """The first one is named."""
    filled.close()
    (file,) = settings.data_dir.rglob("*.parquet")
    os.truncate(file, 10)
    found = look(clock)
    assert found["files"].state == "wrong"
    assert file.name in found["files"].sentence


def test_a_clock_before_the_log_or_before_the_lab_is_wrong(filled: Database, clock: ManualClock) -> None:
    """Set back by a day, or by a flat battery."""
    filled.close()
    clock.at = NOW - timedelta(days=1)
    assert "1,440 minutes behind the log" in look(clock)["clock"].sentence
    clock.at = datetime(1970, 1, 1, tzinfo=UTC)
    assert look(clock)["clock"].sentence == "The machine's clock says 1970-01-01; set it."


def test_an_ollama_without_a_model_is_a_note_with_the_command(clock: ManualClock) -> None:
    """Rules write the reports meanwhile."""
    finding = look(clock, without_models)["ollama"]
    assert finding.state == "note"
    assert finding.sentence.endswith("ollama pull llama3.1:8b")


def test_a_probe_file_is_written_synced_and_gone_again(filled: Database, clock: ManualClock, settings: Settings) -> None:
    """Looking leaves the folder as it was."""
    filled.close()
    before = {path for path in settings.data_dir.rglob("*") if path.suffix not in {".db-wal", ".db-shm"}}
    assert look(clock)["folder"].state == "ok"
    assert {path for path in settings.data_dir.rglob("*") if path.suffix not in {".db-wal", ".db-shm"}} == before


def test_a_missing_key_is_wrong_before_a_new_one_is_made(filled: Database, clock: ManualClock, settings: Settings) -> None:
    """Opening the lab would make another one without a word; a short one it would refuse."""
    filled.close()
    key = settings.data_dir / "hash.key"
    key.write_bytes(b"short")
    assert "5 bytes instead of 32" in look(clock)["key"].sentence
    key.unlink()
    found = look(clock)["key"]
    assert (found.state, "put it back before the lab starts" in found.sentence, key.exists()) == ("wrong", True, False)


@pytest.mark.parametrize(
    ("holder", "minutes", "state", "said"),
    [
        ("{here}:1:a", 1, "ok", "None is held"),
        ("{here}:1:a", -5, "note", "start it"),
        ("elsewhere:1:a", 1, "note", "only one machine"),
        ("{here}:1:a", 300, "wrong", "the clock went back"),
    ],
)
def test_a_lease_that_is_expired_foreign_or_too_long_is_told(
    filled: Database, clock: ManualClock, holder: str, minutes: int, state: str, said: str
) -> None:
    """Whoever waits for housekeeping learns why it does not come."""
    expires_us = microseconds(NOW + timedelta(minutes=minutes))
    with filled.write() as connection:
        name = holder.format(here=socket.gethostname()[:24])
        connection.execute(insert(leases).values(name="housekeeping", holder=name, expires_us=expires_us))
    filled.close()
    found = look(clock)["leases"]
    assert (found.state, said in found.sentence) == (state, True), found


def test_a_clock_that_went_back_while_rows_came_in_is_a_note(filled: Database, clock: ManualClock) -> None:
    """Rows in order of number, appended at earlier and earlier instants."""
    with filled.write() as connection:
        for seq, minutes in ((100, 5), (101, 12), (102, 3)):
            at = NOW - timedelta(minutes=minutes)
            row = {"stream": "submissions", "seq": seq, "day": at.date(), "appended_us": microseconds(at), "body": "{}"}
            connection.execute(insert(journal), row)
    filled.close()
    found = look(clock)["clock"]
    assert (found.state, "went back by 7 minutes" in found.sentence) == ("note", True)


@pytest.mark.parametrize(("days", "state"), [(1.5, "wrong"), (20, "note"), (400, "ok")])
def test_the_disk_is_judged_against_the_growth_of_the_log(
    filled: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, days: float, state: str
) -> None:
    """Room for 20 days is a note, whatever its size."""
    day = {"stream": "submissions", "rows": 10**6, "bytes": 10**10, "min_us": 0, "max_us": 0, "sha256": "", "created_us": 0}
    with filled.write() as connection:
        for number in range(1, 41):
            on = NOW.date() - timedelta(days=number)
            connection.execute(insert(segments).values(id=str(number), day=on, file=str(number), **day))
    filled.close()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _path: usage(1, 1, int(days * 10**10)))
    found = look(clock)["disk"]
    assert (found.state, "10.0 GB a day with data" in found.sentence) == (state, True), found
    assert ("Make room" in found.sentence) == (state != "ok")


def test_files_set_aside_as_damaged_are_wrong(filled: Database, clock: ManualClock) -> None:
    """They are named, and not also counted as missing."""
    with filled.write() as connection:
        connection.execute(update(segments).values(damage="missing"))
    filled.close()
    found = look(clock)["files"]
    assert (found.state, "1 damaged files are set aside, first submissions/day=2026-11-19" in found.sentence) == ("wrong", True)
