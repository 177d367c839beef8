"""Everything the lab raises on purpose, as one tree. The trap it avoids: a refusal without a remedy.

LabError               anything a user can be told in one sentence; the message ends in the remedy
├── BadRequest         what was asked for cannot be done as asked (a date, a path, an option)
│   ├── BadSetting     a setting's value is not usable
│   ├── BadSources     sources.toml does not describe a world
│   └── UnreadableLog  a file to import is not in a format the lab reads
├── DataFolderError    the data folder cannot be used (read-only, newer version, another time zone)
├── StorageFailed      the disk refused a write or an fsync; nothing was acknowledged
├── QueueFull          more submissions wait to be written than the lab holds; try again
├── DaySealed          the day is closed; it takes no more rows
├── FileGone           a file of the view is no longer there: replaced (a new view helps), or lost
├── FileDamaged        a file of the log is not what was written
├── LabNotOpen         a page was run without the server that opens the lab
├── JobNotFound        no job has that id
├── Cancelled          the user stopped the job
└── ModelFailed        a language model did not give a usable answer; carries the class of failure
"""

from __future__ import annotations

from datetime import date
from pathlib import Path


class LabError(Exception):
    """Base of everything raised on purpose; `str(error)` is one sentence that ends in the remedy."""


class BadRequest(LabError):
    """What was asked for cannot be done as asked."""


class BadSetting(BadRequest):
    """A setting's value is not usable."""


class BadSources(BadRequest):
    """sources.toml does not describe a world."""


class UnreadableLog(BadRequest):
    """A file to import is not in a format the lab reads."""


class DataFolderError(LabError):
    """The data folder cannot be used."""


class StorageFailed(LabError):
    """The disk refused a write or an fsync; nothing was acknowledged."""


class QueueFull(LabError):
    """More submissions wait to be written than the lab holds."""


class DaySealed(LabError):
    """The business day is closed; `day` says which."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day.isoformat()} is sealed and takes no more rows; send them with another day's date.")
        self.day = day


class FileGone(LabError):
    """A file of the view is no longer there: replaced by housekeeping (a new view helps), or lost."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"The data file {file} is missing; restore it from a backup, or run `python -m lab doctor` to see "
            "what is left of its day."
        )
        self.file = file


class FileDamaged(LabError):
    """A file of the log is not what was written; `file` says which."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"The data file {file} is not what was written; restore it from a backup.")
        self.file = file


class LabNotOpen(LabError):
    """A page was run without the server that opens the lab."""


class JobNotFound(LabError):
    """No job has that id."""


class Cancelled(LabError):
    """The user stopped the job."""


class ModelFailed(LabError):
    """A language model did not give a usable answer; `kind` is the class of failure (e.g. "unreachable")."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
