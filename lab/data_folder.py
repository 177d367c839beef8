"""The data folder before anything is written to it: writable, ours, of our format, zone and key, with its catalog.

The trap it avoids: a folder that is not what it seems. With another zone every day would be cut anew, with another
key every person would be a new one and every imported line too, and without its database a full log looks empty.
"""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from lab.database import Database, journal, meta, segments
from lab.errors import DataFolderError
from lab.pseudonyms import Pseudonyms, read_or_make_key

FORMAT = 1
"""Version of the data folder's layout."""
KEY_FILE = "hash.key"
_KEY, _QUESTION = "key", "Which key is this?"


def prepare_folder(folder: Path) -> None:
    """Make the folder; DataFolderError when it cannot be made or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(
            f"The data folder {folder} cannot be made ({error.strerror}); point LAB_DATA_DIR at a folder you can write."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataFolderError(
            f"The data folder {folder} is read-only; make it writable, or point LAB_DATA_DIR at one that is."
        )


def check_data(database: Database, folder: Path, zone: ZoneInfo) -> None:
    """Compare format, zone and catalog with what lies there; an empty lab takes the zone it is opened with."""
    with database.write() as connection:
        known = {row.name: row.value for row in connection.execute(select(meta))}
        version = known.get("format", str(FORMAT))
        if not version.isdigit() or int(version) > FORMAT:
            raise DataFolderError(
                f"The data folder was written by a newer lab (format {version}, this one reads {FORMAT}); "
                "update the lab, or point LAB_DATA_DIR at another folder."
            )
        filled = holds_rows(connection)
        stored = known.get("zone", zone.key)
        if stored != zone.key and filled:
            raise DataFolderError(
                f"The data folder cuts days in {stored}, not in {zone.key}; set LAB_TIME_ZONE={stored}, "
                "or point LAB_DATA_DIR at another folder."
            )
        if "format" not in known and any((folder / "submissions").glob("day=*/*.parquet")):
            raise DataFolderError(
                f"{folder} holds Parquet files of a log but its database is empty or lost; restore lab.db from a "
                "backup, or point LAB_DATA_DIR at another folder."
            )
        for name, value in (("format", str(FORMAT)), ("zone", zone.key)):
            _remember(connection, name, value)


def open_key(database: Database, folder: Path) -> bytes:
    """The key of the pseudonyms; DataFolderError when it is lost, or not the one the log was written with."""
    path = folder / KEY_FILE
    with database.read() as connection:
        expected = connection.scalar(select(meta.c.value).where(meta.c.name == _KEY))
        filled = holds_rows(connection)
    remedy = (
        f"put the old {KEY_FILE} back, or, if it is lost for good, run `python -m lab rekey` to go on with a new one"
    )
    if filled and expected is not None and not path.exists():
        raise DataFolderError(f"The key of the pseudonyms, {path}, is missing; {remedy}.")
    key = read_or_make_key(path)
    found = fingerprint(Pseudonyms(key))
    if filled and expected is not None and found != expected:
        raise DataFolderError(f"{path} is not the key this log was written with; {remedy}.")
    if found != expected:
        with database.write() as connection:
            _remember(connection, _KEY, found)
    return key


def rekey(database: Database) -> None:
    """Forget which key the log was written with: the next opening takes the one there is, or makes one."""
    with database.write() as connection:
        connection.execute(delete(meta).where(meta.c.name == _KEY))


def fingerprint(pseudonyms: Pseudonyms) -> str:
    """Tells whether two keys are the same one, and nothing else about them."""
    return pseudonyms.key(_QUESTION)


def holds_rows(connection: Connection) -> bool:
    """Whether the log holds anything."""
    filed = connection.execute(select(segments.c.id).limit(1)).first()
    return bool(filed or connection.execute(select(journal.c.seq).limit(1)).first())


def _remember(connection: Connection, name: str, value: str) -> None:
    if connection.execute(update(meta).where(meta.c.name == name).values(value=value)).rowcount == 0:
        connection.execute(insert(meta).values(name=name, value=value))
