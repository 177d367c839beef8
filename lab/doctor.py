"""The doctor: looks at everything the lab stands on and says what is wrong, with the remedy.

It changes nothing, and it works where the lab itself refuses to open. The trap it avoids: a check that stops
at the first fault. Every check that can still be made is made.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from lab.clock import Clock, system_clock
from lab.database import Database, journal, meta, segments
from lab.errors import LabError
from lab.eventlog.housekeeping import Rhythm
from lab.ids import instant
from lab.settings import Settings, read_settings
from lab.world import read_world

if TYPE_CHECKING:
    from lab.report.ollama_status import Status

OK, NOTE, WRONG = "ok", "note", "wrong"
YEAR_OF_WRITING = 2026
LEAST_FREE_BYTES, FEW_FREE_BYTES = 200_000_000, 2_000_000_000
CLOCK_SLACK_S = 60.0
STILL_APPENDING_S = 300.0


Look = Callable[[str, str], "Status"]
"""Asks Ollama, given its host and the preferred model."""


class Finding(NamedTuple):
    """One check's result: ok, note (works, but know this) or wrong. The sentence ends in the remedy, if any."""

    check: str
    state: str
    sentence: str


class Known(NamedTuple):
    """What the database says about the data, read once. Instants are None where there is nothing yet."""

    meta: Mapping[str, str]
    segments: tuple[tuple[str, int], ...]
    journal_rows: int
    journal_oldest: datetime | None
    newest: datetime | None
    newest_append: datetime | None


def examine(
    environment: Mapping[str, str] | None = None,
    clock: Clock = system_clock,
    look: Look | None = None,
) -> list[Finding]:
    """Every check, in the order in which the lab depends on them."""
    try:
        settings = read_settings(environment)
    except LabError as error:
        return [Finding("settings", WRONG, str(error))]
    set_here = sum(origin != "default" for origin in settings.origin.values())
    findings = [
        Finding("settings", OK, f"All {len(settings.origin)} can be used; {set_here} set, the rest by default."),
        _sources(settings),
        _folder(settings.data_dir),
        _disk(settings.data_dir),
    ]
    database, known = _database(settings)
    findings.append(database)
    if known is not None:
        findings += [_format(known), _zone(known, settings), _journal(known, clock()), _files(known, settings)]
    return [*findings, _clock(known, clock()), _ollama(settings, look)]


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing is wrong; notes are no fault."""
    return all(finding.state != WRONG for finding in findings)


def _sources(settings: Settings) -> Finding:
    try:
        world = read_world(settings.data_dir / "sources.toml")
    except LabError as error:
        return Finding("sources", WRONG, str(error))
    return Finding("sources", OK, f"{len(world.sources)} sources and {len(world.pages)} pages are declared.")


def _folder(folder: Path) -> Finding:
    if not folder.exists():
        parent = _existing(folder)
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return Finding("folder", OK, f"{folder} will be made on first use.")
        return Finding("folder", WRONG, f"{folder} cannot be made; point LAB_DATA_DIR at a folder you can write.")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"doctor")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = "make it writable, or point LAB_DATA_DIR at a folder that is"
        return Finding("folder", WRONG, f"{folder} cannot be written ({error.strerror}); {remedy}.")
    return Finding("folder", OK, f"{folder} can be written.")


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    if free < LEAST_FREE_BYTES:
        return Finding("disk", WRONG, f"Only {free / 1e6:,.0f} MB are free; make room, 2 GB or more.")
    if free < FEW_FREE_BYTES:
        return Finding("disk", NOTE, f"{free / 1e9:.1f} GB are free; make room before large imports.")
    return Finding("disk", OK, f"{free / 1e9:,.0f} GB are free.")


def _database(settings: Settings) -> tuple[Finding, Known | None]:
    try:
        url = make_url(settings.database_url)
        if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
            return Finding("database", OK, "It will be made on first use."), None
        database = Database(settings.database_url)
    except (LabError, SQLAlchemyError) as error:
        return Finding("database", WRONG, f"{error}"), None
    try:
        with database.read() as connection:
            if database.is_sqlite:
                found = connection.scalar(text("PRAGMA quick_check(1)"))
                if found != "ok":
                    return Finding("database", WRONG, f"It is damaged ({found}); restore it from a backup."), None
            mine = segments.c.run_id.is_(None)
            last_row = connection.scalar(select(func.max(segments.c.max_us)).where(mine))
            made = connection.scalar(select(func.max(segments.c.created_us)))
            waiting = connection.execute(
                select(func.count(), func.min(journal.c.appended_us), func.max(journal.c.appended_us))
            ).one()
            known = Known(
                {row.name: row.value for row in connection.execute(select(meta))},
                tuple((row.file, row.bytes) for row in connection.execute(select(segments.c.file, segments.c.bytes))),
                waiting[0],
                _instant(waiting[1]),
                _instant(max((one for one in (last_row, made, waiting[2]) if one is not None), default=None)),
                _instant(waiting[2]),
            )
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        remedy = "restore it from a backup, or point LAB_DATA_DIR at another folder"
        return Finding("database", WRONG, f"It cannot be read ({cause}); {remedy}."), None
    finally:
        database.close()
    return Finding("database", OK, "It opens and is sound."), known


def _format(known: Known) -> Finding:
    from lab.opening import FORMAT

    version = known.meta.get("format", str(FORMAT))
    if version.isdigit() and int(version) <= FORMAT:
        return Finding("format", OK, f"The data folder is of format {version}, which this lab reads.")
    remedy = "update the lab, or point LAB_DATA_DIR at another folder"
    return Finding("format", WRONG, f"The data folder is of format {version}, this lab reads {FORMAT}; {remedy}.")


def _zone(known: Known, settings: Settings) -> Finding:
    stored = known.meta.get("zone", settings.zone_name)
    if stored == settings.zone_name:
        return Finding("zone", OK, f"Days are cut in {stored}.")
    if not known.segments and not known.journal_rows:
        return Finding("zone", NOTE, f"The empty lab had {stored} and will take {settings.zone_name} when opened.")
    said = f"The data cuts days in {stored}, not in {settings.zone_name}; set LAB_TIME_ZONE={stored}."
    return Finding("zone", WRONG, said)


def _journal(known: Known, now: datetime) -> Finding:
    if known.journal_oldest is None or known.newest_append is None:
        return Finding("journal", OK, "No row waits for its file.")
    age_s = (now - known.journal_oldest).total_seconds()
    said = f"{known.journal_rows:,} rows wait for their file, the oldest for {age_s / 60:,.0f} minutes"
    if age_s <= 2 * Rhythm().flush_age_s:
        return Finding("journal", OK, f"{said}.")
    if (now - known.newest_append).total_seconds() <= STILL_APPENDING_S:
        return Finding("journal", WRONG, f"{said}, though rows still come; look at the server's log, then restart it.")
    return Finding("journal", NOTE, f"{said}; they are safe, and are filed once the lab runs again.")


def _files(known: Known, settings: Settings) -> Finding:
    bad = [file for file, size in known.segments if _size(settings.data_dir / file) != size]
    if not bad:
        return Finding("files", OK, f"All {len(known.segments):,} files of the log are there.")
    remedy = "restore from a backup"
    return Finding("files", WRONG, f"{len(bad):,} files are missing or of another size, first {bad[0]}; {remedy}.")


def _clock(known: Known | None, now: datetime) -> Finding:
    if now.year < YEAR_OF_WRITING:
        return Finding("clock", WRONG, f"The machine's clock says {now:%Y-%m-%d}; set it.")
    if known is not None and known.newest is not None:
        behind_s = (known.newest - now).total_seconds()
        if behind_s > CLOCK_SLACK_S:
            said = f"The machine's clock is {behind_s / 60:,.0f} minutes behind the log; set it."
            return Finding("clock", WRONG, said)
    return Finding("clock", OK, f"It is {now:%Y-%m-%d %H:%M} UTC, after everything in the log.")


def _ollama(settings: Settings, look: Look | None) -> Finding:
    from lab.report import ollama_status, pick

    status = (look or ollama_status)(settings.ollama_host, settings.ollama_model)
    chosen = pick(status.models, settings.ollama_model)
    if chosen is not None:
        model, why = chosen
        return Finding("ollama", OK, f"{status.sentence} {model.name} writes the reports ({why}).")
    remedy = f" {status.remedy[0]}" if status.reachable and status.remedy else ""
    return Finding("ollama", NOTE, f"Rules write the reports. {status.sentence}{remedy}")


def _existing(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _instant(us: int | None) -> datetime | None:
    return None if us is None else instant(us)
