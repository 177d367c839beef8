"""The doctor: looks at everything the lab stands on and says what is wrong, with the remedy.

It changes nothing, and it works where the lab itself refuses to open. The trap it avoids: a check that stops
at the first fault. Every check that can still be made is made. `doctor_data` has those of the data itself.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lab.clock import Clock, business_day, system_clock
from lab.disk import free_bytes, outlook
from lab.doctor_data import Known, checks, clock_check, look_into
from lab.errors import LabError
from lab.finding import NOTE, OK, WRONG, Finding
from lab.settings import Settings, read_settings
from lab.world import read_world

if TYPE_CHECKING:
    from lab.report.ollama_status import Status

__all__ = ["NOTE", "OK", "WRONG", "Finding", "examine", "healthy"]

LEAST_FREE_BYTES, FEW_FREE_BYTES = 200_000_000, 2_000_000_000
FEW_DAYS_LEFT, LAST_DAYS_LEFT = 30, 3

Look = Callable[[str, str], "Status"]
"""Asks Ollama, given its host and the preferred model."""


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
    now = clock()
    set_here = sum(origin != "default" for origin in settings.origin.values())
    said = f"All {len(settings.origin)} can be used; {set_here} set, the rest by default."
    database, known = look_into(settings, now)
    return [
        Finding("settings", OK, said),
        _sources(settings),
        _folder(settings.data_dir),
        _disk(settings, known, now),
        database,
        *(checks(known, settings, now) if known is not None else ()),
        clock_check(known, now),
        _ollama(settings, look),
    ]


def healthy(findings: list[Finding]) -> bool:
    """Whether nothing is wrong; notes are no fault."""
    return all(finding.state != WRONG for finding in findings)


def _sources(settings: Settings) -> Finding:
    if not _existing(settings.data_dir).is_dir():
        return Finding("sources", NOTE, "They are read from the data folder, which is none; see below.")
    try:
        world = read_world(settings.data_dir / "sources.toml")
    except LabError as error:
        return Finding("sources", WRONG, str(error))
    return Finding("sources", OK, f"{len(world.sources)} sources and {len(world.pages)} pages are declared.")


def _folder(folder: Path) -> Finding:
    """A file is written, brought to disk and removed: permissions alone do not tell of a disk mounted read-only."""
    if (there := _existing(folder)).is_file():
        remedy = "move it away, or point LAB_DATA_DIR at a folder you can write"
        return Finding("folder", WRONG, f"{there} is a file, not a folder; {remedy}.")
    if not folder.exists():
        parent = _existing(folder)
        if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
            return Finding("folder", OK, f"{folder} will be made on first use.")
        return Finding("folder", WRONG, f"{folder} cannot be made; point LAB_DATA_DIR at a folder you can write.")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-", suffix=".tmp") as file:
            file.write(b"doctor")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        remedy = "make it writable, or point LAB_DATA_DIR at a folder that is"
        return Finding("folder", WRONG, f"{folder} cannot be written ({error.strerror}); {remedy}.")
    return Finding("folder", OK, f"{folder} can be written.")


def _disk(settings: Settings, known: Known | None, now: datetime) -> Finding:
    free = free_bytes(settings.data_dir)
    if free < LEAST_FREE_BYTES:
        return Finding("disk", WRONG, f"Only {free / 1e6:,.0f} MB are free; make room, 2 GB or more.")
    said = f"{free / 1e9:,.{0 if free >= 1e10 else 1}f} GB are free."
    left = None
    if known is not None and known.growth.days:
        today = business_day(now, settings.zone)
        left, pace = known.growth.days_left(free, today), outlook(known.growth, free, today)
        if left is not None and left < FEW_DAYS_LEFT:
            return Finding("disk", WRONG if left < LAST_DAYS_LEFT else NOTE, f"{said} {pace} Make room before that.")
    if free < FEW_FREE_BYTES:
        return Finding("disk", NOTE, f"{said} Make room before large imports.")
    return Finding("disk", OK, said if left is None else f"{said} {pace}")


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
