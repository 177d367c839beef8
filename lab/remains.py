"""What deleting leaves behind in SQLite's files: old pages in the database, and copies in the write-ahead log.

The trap it avoids: believing DELETE. Free space keeps its bytes, moved rows leave theirs in their old page, and
the log holds pages as they were. So the file is written anew, the log emptied, and both can be searched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.database import Database

BYTES_AT_ONCE = 1 << 20
TRIES, WAIT_MS = 10, 500


def rewrite(database: Database) -> None:
    """Write the database file anew without its free space, and empty the write-ahead log."""
    pooled = database.engine.raw_connection()
    try:
        raw: Any = pooled.driver_connection
        raw.execute("VACUUM")
    finally:
        pooled.close()
    empty_write_ahead_log(database)


def empty_write_ahead_log(database: Database, tries: int = TRIES) -> bool:
    """Empty the write-ahead log; False while readers hold on to it. Waits briefly at a time: it keeps writers out."""
    pooled = database.engine.raw_connection()
    raw: Any = pooled.driver_connection
    before = raw.execute("PRAGMA busy_timeout").fetchone()[0]
    try:
        raw.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
        return any(raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0 for _ in range(tries))
    finally:
        raw.execute(f"PRAGMA busy_timeout = {before}")
        pooled.close()


def traces(database: Database, text: str) -> list[str]:
    """Names of the database's files whose bytes hold a text given in lower case."""
    main = Path(database.engine.url.database or "")
    return [path.name for path in (main, Path(f"{main}-wal")) if path.is_file() and holds_text(path, text)]


def holds_text(path: Path, text: str) -> bool:
    """Whether a file's bytes hold a text given in lower case; upper and lower case alike."""
    wanted, tail = text.encode(), b""
    with path.open("rb") as file:
        while data := file.read(BYTES_AT_ONCE):
            window = (tail + data).lower()
            if wanted in window:
                return True
            tail = window[-len(wanted) :]
    return False
