"""Links promise what the Attempts page reads."""

from __future__ import annotations

from datetime import UTC, date, datetime

from lab.ui import links


def test_a_page_that_is_not_there_is_not_linked() -> None:
    """The shell lists and the links lead to existing pages only."""
    assert links.exists("overview")
    assert not links.exists("no_such_page")


def test_a_day_and_a_stretch_are_written_into_the_url() -> None:
    """Days as the date inputs take them, instants with their zone."""
    assert links.on_day(date(2025, 11, 20)) == {"from": "2025-11-20", "to": "2025-11-20"}
    start = datetime(2025, 11, 20, 13, 53, tzinfo=UTC)
    assert links.within(start, start)["since"] == "2025-11-20T13:53:00+00:00"
