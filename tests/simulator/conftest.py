"""A progress that remembers what it was told, and stops or does something else at the n-th report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.errors import Cancelled


class Told:
    """What a job's progress was told. `at` maps the number of a report (from 1) to what happens then."""

    job_id = "job"

    def __init__(self, at: dict[int, Callable[[], None]] | None = None) -> None:
        self.reports: list[tuple[str, int, int, dict[str, Any]]] = []
        self._at = at or {}

    def report(self, stage: str, done: int = 0, total: int = 0, **detail: Any) -> None:
        self.reports.append((stage, done, total, detail))
        self._at.get(len(self.reports), lambda: None)()


def stop() -> None:
    raise Cancelled("Stopped as asked; what was stored so far stays.")


@pytest.fixture
def told() -> Told:
    """A progress that never stops anything."""
    return Told()


@pytest.fixture
def stopping() -> Callable[[int], Told]:
    """A maker of progresses that stop the run at the n-th report."""
    return lambda number: Told({number: stop})


@pytest.fixture
def telling() -> Callable[[dict[int, Callable[[], None]]], Told]:
    """A maker of progresses that do something at given reports."""
    return Told
