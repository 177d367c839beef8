"""Disk: what the lab uses, how it grows, and when the disk is full at that pace.

Growth is read from the catalog: rows and bytes of the last 30 business days that hold any. The trap it avoids:
a pace that counts the log only. Leads weigh more than the log's rows, so the database grows along with them.
"""

from __future__ import annotations

import os
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError

from lab.database import Database, segments
from lab.eventlog.stream import SUBMISSIONS
from lab.quantities import many, size

DAYS = 30
STILL_GROWING = timedelta(days=30)
"""A newest day older than this tells of an import of old days, not of growth."""
_FOLDERS = {SUBMISSIONS.name: "log", "leftovers": "leftovers", "uploads": "uploads"}


class Used(NamedTuple):
    """Bytes on disk by what they are for."""

    log: int
    database: int
    leftovers: int
    uploads: int
    other: int

    @property
    def total(self) -> int:
        return sum(self)


class Growth(NamedTuple):
    """A mean day of the last `days` with data. `bytes` is the log's part; `all_bytes` has the database's share."""

    days: int
    rows: float
    bytes: float
    all_bytes: float
    newest: date | None

    def days_left(self, free_bytes: int, today: date) -> float | None:
        """Days until so many bytes are used; None where nothing grows."""
        if self.newest is None or today - self.newest > STILL_GROWING or self.all_bytes <= 0:
            return None
        return free_bytes / self.all_bytes


def used(data_dir: Path, database_url: str) -> Used:
    """Walk the data folder; a file that goes away meanwhile counts nothing."""
    main = database_file(database_url)
    parts = {"log": 0, "leftovers": 0, "uploads": 0, "other": 0}
    files = {main.with_name(f"{main.name}{end}") for end in ("", "-wal", "-shm")} if main else set[Path]()
    for place, _, names in os.walk(data_dir):
        top = Path(place).relative_to(data_dir).parts[:1]
        part = _FOLDERS.get(top[0], "other") if top else "other"
        for name in names:
            path = Path(place) / name
            if path not in files:
                parts[part] += _size(path)
    return Used(parts["log"], sum(map(_size, files)), parts["leftovers"], parts["uploads"], parts["other"])


def growth(connection: Connection, log_and_database: int) -> Growth:
    """From the catalog, over the last 30 days with data; `log_and_database` is what both use now, in bytes."""
    counted = func.sum(segments.c.rows), func.sum(segments.c.bytes)
    by_day = select(segments.c.day, *counted).group_by(segments.c.day).order_by(segments.c.day.desc()).limit(DAYS)
    days = connection.execute(by_day).all()
    if not days:
        return Growth(0, 0.0, 0.0, 0.0, None)
    all_rows = int(connection.scalar(select(func.sum(segments.c.rows))) or 0)
    rows = sum(int(one[1]) for one in days) / len(days)
    in_log = sum(int(one[2]) for one in days) / len(days)
    a_row = log_and_database / all_rows if all_rows else 0.0
    return Growth(len(days), rows, in_log, max(in_log, rows * a_row), days[0].day)


def look(database: Database, data_dir: Path, database_url: str) -> tuple[Used, Growth]:
    """Both, for a lab that is open."""
    now = used(data_dir, database_url)
    with database.read() as connection:
        return now, growth(connection, now.log + now.database)


def free_bytes(path: Path) -> int:
    """Bytes that may still be written where the path is, or will be."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def outlook(found: Growth, free: int, today: date) -> str:
    """When the disk is full at this pace, in one sentence."""
    left = found.days_left(free, today)
    if left is None:
        return "Nothing has grown lately, so there is no day on which the disk would be full."
    pace = f"{size(round(found.all_bytes))} a day with data, database included"
    if left >= 3_650:
        return f"At {pace}, the disk lasts for more than ten years."
    return f"At {pace}, the disk is full in {many(round(left), 'day')}."


def database_file(url: str) -> Path | None:
    """The file of an SQLite database; None for any other."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
