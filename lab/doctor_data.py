"""The doctor's checks of the data itself: database, format, zone, key, journal, files, leases, clock.

Everything is read in one go. The trap it avoids: a database that a newer or older lab wrote. Only columns that
every format has are asked for without looking first.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, column, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from lab.data_folder import fingerprint
from lab.database import Database, jobs, journal, leases, meta, segments
from lab.disk import Growth, growth, used
from lab.errors import LabError
from lab.eventlog.housekeeping import Rhythm
from lab.finding import NOTE, OK, WRONG, Finding
from lab.ids import instant, microseconds
from lab.pseudonyms import Pseudonyms
from lab.settings import Settings
from lab.snapshot import KEY_CHECK

YEAR_OF_WRITING = 2026
CLOCK_SLACK_S = 60.0
STILL_APPENDING_S = 300.0
LONGEST_LEASE = timedelta(minutes=30)


class Lease(NamedTuple):
    """Who holds what until when."""

    name: str
    holder: str
    expires_at: datetime


class Known(NamedTuple):
    """What the database says about the data, read once. Instants are None where there is nothing yet."""

    meta: Mapping[str, str]
    segments: tuple[tuple[str, int], ...]
    set_aside: tuple[str, ...]
    journal_rows: int
    journal_oldest: datetime | None
    newest: datetime | None
    newest_append: datetime | None
    stepped_back_s: float
    leases: tuple[Lease, ...]
    dead_jobs: int
    growth: Growth


def look_into(settings: Settings, now: datetime) -> tuple[Finding, Known | None]:
    """Whether the database opens and is sound, and what it says; nothing is made where nothing is."""
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
            known = _read(connection, settings, now)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        remedy = "restore it from a backup, or point LAB_DATA_DIR at another folder"
        return Finding("database", WRONG, f"It cannot be read ({cause}); {remedy}."), None
    finally:
        database.close()
    return Finding("database", OK, "It opens and is sound."), known


def _read(connection: Connection, settings: Settings, now: datetime) -> Known:
    last_row = connection.scalar(select(func.max(segments.c.max_us)).where(segments.c.run_id.is_(None)))
    made = connection.scalar(select(func.max(segments.c.created_us)))
    waiting = connection.execute(
        select(func.count(), func.min(journal.c.appended_us), func.max(journal.c.appended_us))
    ).one()
    before = func.lag(journal.c.appended_us).over(partition_by=journal.c.stream, order_by=journal.c.seq)
    steps = select((before - journal.c.appended_us).label("step")).subquery()
    files = connection.execute(select(segments.c.file, segments.c.bytes)).all()
    aside: set[str] = set()
    if any(one["name"] == "damage" for one in inspect(connection).get_columns("segments")):
        aside.update(connection.scalars(select(segments.c.file).where(column("damage").is_not(None))))
    expired = jobs.c.state.in_(("queued", "running")) & (jobs.c.lease_us < microseconds(now))
    size = used(settings.data_dir, settings.database_url)
    return Known(
        {row.name: row.value for row in connection.execute(select(meta))},
        tuple((row.file, row.bytes) for row in files if row.file not in aside),
        tuple(sorted(aside)),
        waiting[0],
        _instant(waiting[1]),
        _instant(max((one for one in (last_row, made, waiting[2]) if one is not None), default=None)),
        _instant(waiting[2]),
        (connection.scalar(select(func.max(steps.c.step))) or 0) / 1e6,
        tuple(Lease(row.name, row.holder, instant(row.expires_us)) for row in connection.execute(select(leases))),
        connection.scalar(select(func.count()).select_from(jobs).where(expired)) or 0,
        growth(connection, size.log + size.database),
    )


def checks(known: Known, settings: Settings, now: datetime) -> list[Finding]:
    """Everything that can be said of a database that was read."""
    return [
        _format(known),
        _zone(known, settings),
        _key(known, settings.data_dir / "hash.key"),
        _journal(known, now),
        _files(known, settings),
        _leases(known, now),
    ]


def _format(known: Known) -> Finding:
    from lab.data_folder import FORMAT

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


def _key(known: Known, path: Path) -> Finding:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        if not known.segments and not known.journal_rows:
            return Finding("key", OK, "The hash key will be made on first use.")
        return Finding("key", WRONG, f"{path} is missing; put it back before the lab starts, or it makes a new one.")
    except OSError as error:
        return Finding("key", WRONG, f"{path} cannot be read ({error.strerror}); make it readable to the lab's user.")
    if len(key) != 32:
        return Finding("key", WRONG, f"{path.name} holds {len(key)} bytes instead of 32; put the right one back.")
    if known.meta.get(KEY_CHECK, expected := fingerprint(Pseudonyms(key))) != expected:
        said = "This data came from a backup and had another key, so its pseudonyms do not match new ones"
        return Finding("key", NOTE, f"{said}; put the old hash.key back.")
    return Finding("key", OK, "The hash key is there; backups do not hold it, so keep a copy apart.")


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
    if bad:
        remedy = "restore from a backup"
        return Finding("files", WRONG, f"{len(bad):,} files are missing or of another size, first {bad[0]}; {remedy}.")
    if known.set_aside:
        said = f"{len(known.set_aside):,} damaged files are set aside, first {known.set_aside[0]}"
        return Finding("files", WRONG, f"{said}; restore them from a backup, or import their rows again.")
    return Finding("files", OK, f"All {len(known.segments):,} files of the log are there.")


def _leases(known: Known, now: datetime) -> Finding:
    here = socket.gethostname()[:24]
    for one in known.leases:
        ahead, what = one.expires_at - now, f"The {one.name} lease is held by {one.holder}"
        if ahead > LONGEST_LEASE:
            remedy = "set the clock right, for until then nobody keeps house"
            said = f"{what} until {one.expires_at:%Y-%m-%d %H:%M} UTC, longer than any is given: the clock went back"
            return Finding("leases", WRONG, f"{said}; {remedy}.")
        if ahead < timedelta():
            said = f"{what}, which stopped without giving it back"
            return Finding("leases", NOTE, f"{said}; the next lab that runs takes it over, so start it.")
        if one.holder.rpartition(":")[0].rpartition(":")[0] != here:
            remedy = "let only one machine use the folder"
            return Finding("leases", NOTE, f"{what} on another machine than {here}; {remedy}.")
    if known.dead_jobs:
        said = f"{known.dead_jobs:,} jobs were interrupted when their process ended"
        return Finding("leases", NOTE, f"{said}; start them again from their page.")
    return Finding("leases", OK, "None is held by a process that is gone, or by another machine.")


def clock_check(known: Known | None, now: datetime) -> Finding:
    """The clock against the year, against the newest row, and against itself."""
    if now.year < YEAR_OF_WRITING:
        return Finding("clock", WRONG, f"The machine's clock says {now:%Y-%m-%d}; set it.")
    if known is not None and known.newest is not None:
        behind_s = (known.newest - now).total_seconds()
        if behind_s > CLOCK_SLACK_S:
            said = f"The machine's clock is {behind_s / 60:,.0f} minutes behind the log; set it."
            return Finding("clock", WRONG, said)
        if known.stepped_back_s > CLOCK_SLACK_S:
            said = f"The machine's clock went back by {known.stepped_back_s / 60:,.0f} minutes while rows came in"
            return Finding("clock", NOTE, f"{said}; their order holds, but see to its time service.")
    return Finding("clock", OK, f"It is {now:%Y-%m-%d %H:%M} UTC, after everything in the log.")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _instant(us: int | None) -> datetime | None:
    return None if us is None else instant(us)
