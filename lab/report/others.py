"""Rows of a ranked list under the names they are told by: those with a stranger's label are one row, the others.

The trap it avoids: six facts that all say OTHER. An import may bring any path; each would be a fact of its own, of
no use to a reader, and would push a page with a name out of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from lab.report.wording import OTHER


class Named(NamedTuple):
    """`name` as told; `stored` is the label behind it, None where there are several; `counts` are summed."""

    name: str
    stored: str | None
    counts: tuple[int, ...]


def named(rows: Iterable[Sequence[Any]], label: Callable[[str | None], str]) -> list[Named]:
    """Rows of a stored label and its counts, the first count deciding the order; ties by name."""
    found: dict[str, Named] = {}
    for stored, *counts in rows:
        name = label(stored)
        if (before := found.get(name)) is None:
            found[name] = Named(name, stored, tuple(counts))
        else:
            found[name] = Named(name, None, tuple(map(sum, zip(before.counts, counts, strict=True))))
    return sorted(found.values(), key=lambda one: (-one.counts[0], one.name))


def told(noun: str, name: str, words: str | None = None) -> str:
    """"page /demo", or "other pages"."""
    return f"other {noun}s" if name == OTHER else f"{noun} {words or name}"
