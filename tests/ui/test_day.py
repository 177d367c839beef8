"""Days with data are stepped over, whatever lies between them."""

from __future__ import annotations

from datetime import date

from lab.ui.day import neighbours

DAYS = (date(2025, 11, 3), date(2025, 11, 7), date(2025, 11, 20))


def test_the_nearest_days_with_data_are_found() -> None:
    """Strictly earlier and later, from a day with data as from one without."""
    assert neighbours(DAYS, date(2025, 11, 7)) == (date(2025, 11, 3), date(2025, 11, 20))
    assert neighbours(DAYS, date(2025, 11, 10)) == (date(2025, 11, 7), date(2025, 11, 20))


def test_ends_have_no_neighbour_beyond() -> None:
    """Nor has an empty lab any."""
    assert neighbours(DAYS, date(2025, 11, 3)).earlier is None
    assert neighbours(DAYS, date(2025, 11, 20)).later is None
    assert neighbours((), date(2025, 11, 20)) == (None, None)
