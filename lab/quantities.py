"""Quantities as sentences write them: 1 row, 1,204 rows, 1.2 MB. The trap it avoids: a figure without its unit."""

from __future__ import annotations


def many(number: int, one: str) -> str:
    """1 row, 1,204 rows."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def size(value: int) -> str:
    """1.2 MB, 340 kB, 2.1 GB."""
    for unit, one in (("GB", 1e9), ("MB", 1e6)):
        if value >= one:
            return f"{value / one:,.1f} {unit}"
    return f"{value / 1e3:,.0f} kB"
