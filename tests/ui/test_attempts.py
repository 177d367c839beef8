"""A download's name says what it holds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from lab.metrics import Filter, Traffic
from lab.ui.attempts import file_name

DAY = date(2026, 11, 20)
HOUR = datetime(2026, 11, 20, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (Filter(DAY, DAY), "attempts-2026-11-20.csv"),
        (Filter(date(2026, 10, 22), DAY), "attempts-2026-10-22-to-2026-11-20.csv"),
        (Filter(DAY, DAY, "FAILED", source="PARTNER_API"), "attempts-2026-11-20-failed-partner_api.csv"),
        (Filter(DAY, DAY, traffic=Traffic.REAL, page="/../a b"), "attempts-2026-11-20-real-a_b.csv"),
        (Filter(since=HOUR, until=HOUR.replace(minute=5)), "attempts-2026-11-21.csv"),
        (Filter(), "attempts.csv"),
    ],
)
def test_a_download_is_named_after_its_days_and_filter(asked: Filter, name: str) -> None:
    """Days in the lab's zone; nothing of a stored name but letters and figures."""
    assert file_name(asked, "csv", ZoneInfo("Europe/Amsterdam")) == name
