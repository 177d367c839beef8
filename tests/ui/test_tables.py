"""Tables write times in the lab's zone and codes as words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from lab.ui import tables


def test_instants_are_written_in_the_labs_zone() -> None:
    """The browser's own zone never shows."""
    frame = pl.DataFrame({"at": [datetime(2025, 11, 20, 22, 30, tzinfo=UTC)], "n": [1]})
    assert tables.timed(frame, ZoneInfo("Europe/Amsterdam"), "%-d %b %H:%M:%S").rows() == [("20 Nov 23:30:00", 1)]


def test_codes_are_written_as_words_and_nothing_stays_nothing() -> None:
    """Null is left for the table's placeholder."""
    frame = pl.DataFrame({"source": ["PARTNER_API", None], "kept": ["A_B", "C"]})
    assert tables.named(frame, "source").rows() == [("Partner API", "A_B"), (None, "C")]


def test_counts_are_laid_across_in_the_given_order() -> None:
    """Known columns first, missing pairs are zero, the largest row on top."""
    frame = pl.DataFrame(
        {
            "source": ["A", "B", "B"],
            "kind": ["true_duplicate", "double_click", "another"],
            "attempts": [2, 5, 1],
        }
    )
    wide = tables.pivoted(frame, "source", "kind", ["double_click", "client_retry", "true_duplicate"])
    assert wide.columns == ["source", "double_click", "true_duplicate", "another", "total"]
    assert wide.rows() == [("B", 5, 0, 1, 6), ("A", 0, 2, 0, 2)]
