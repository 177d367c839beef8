"""References: which fact each figure of a statement comes from, and where in the text it stands.

The trap it avoids: a citation kept by hand, which names an odd fact after the next change of a sentence. Facts are
cited by what the words hold, in the order in which they hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lab.report import figures
from lab.report.analyst import Statement
from lab.report.fact import Fact

COUNTED = frozenset({"number", "percent", "ms", "times", "time", "date"})
"""Kinds of figures that carry a reference; names do not."""
ON_THE_CLOCK = frozenset({"time", "date"})
"""They are marked only where they are a fact's value; the span of a burst belongs to the count beside it."""


class Mark(NamedTuple):
    """A figure that ends at `end` of the text comes from the fact of that id."""

    end: int
    fact: str


def marks(text: str, facts: Iterable[Fact]) -> list[Mark]:
    """A mark for every figure that one of `facts` holds, from left to right.

    A fact whose value it is comes before one that holds it beside its value, and one not marked yet before others.
    """
    held = [(fact, _of(fact.text), _of(f"{fact.share or ''}; {fact.compare or ''}")) for fact in facts]
    found: list[Mark] = []
    used: set[str] = set()
    for figure, end in figures.placed(text):
        if figure.kind not in COUNTED:
            continue
        values = [fact.id for fact, value, _ in held if _holds(figure, value)]
        beside = [fact.id for fact, _, extra in held if figure.kind not in ON_THE_CLOCK and _holds(figure, extra)]
        fresh, again = [one for one in values if one not in used], [one for one in beside if one in used]
        ranked = [*fresh, *again, *values, *beside]
        if ranked:
            used.add(ranked[0])
            found.append(Mark(end, ranked[0]))
    return found


def cited(text: str, *facts: Fact | None, on: Fact | None = None) -> Statement:
    """A statement citing those of `facts` that hold its figures, in order; all of them when it has no figure.

    `on` is cited whatever the words are: a nothing or a sign that is told without its figure.
    """
    given = [fact for fact in (*facts, on) if fact is not None]
    ids = [mark.fact for mark in marks(text, given)] or [fact.id for fact in given]
    return Statement(text, tuple(dict.fromkeys([*ids, *([on.id] if on else [])])))


def _of(text: str) -> list[figures.Figure]:
    return list(figures.find(text))


def _holds(said: figures.Figure, known: Sequence[figures.Figure]) -> bool:
    return any(figures.agrees(said, one) for one in known)
