"""Rows to put into a log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from lab.attempt import Attempt
from lab.clock import ManualClock
from lab.ids import uuid7

MakeRow = Callable[..., Attempt]


@pytest.fixture
def make_row(clock: ManualClock) -> MakeRow:
    """A successful attempt, `after_s` seconds after the clock; any column can be given."""

    def make(after_s: float = 0.0, **columns: object) -> Attempt:
        at: datetime = clock() + timedelta(seconds=after_s)
        row = Attempt(
            uuid7(at), 0, at, at.date(), None, "api", "attempt", "WEBSITE_FORM", "/demo", "u_1", "SUCCESS", None, None,
            None, None, None, "lead", 12.5, None, "c_1", "Firefox", None, None, None, None, 1, None, None,
        )  # fmt: skip
        return row._replace(**columns)

    return make
