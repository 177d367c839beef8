"""Who writes the day's report: anything that turns facts into a draft of statements.

The trap it avoids: an analyst that hands over prose. A draft is made of statements, each with the ids of the
facts it rests on, so that each can be checked, dropped or replaced by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lab.report.fact import Facts

SECTIONS: tuple[tuple[str, str], ...] = (
    ("summary", "Executive summary"),
    ("users", "User behaviour"),
    ("system", "System behaviour"),
    ("misconfiguration", "Misconfiguration signals"),
    ("confidence", "Confidence"),
    ("scope", "Scope notes"),
)
"""A report's sections, key and title, in order."""


@dataclass(frozen=True)
class Statement:
    """A sentence or two, and the ids of the facts behind it."""

    text: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One section, by its key in `SECTIONS`."""

    key: str
    statements: tuple[Statement, ...]

    @property
    def title(self) -> str:
        return dict(SECTIONS)[self.key]


@dataclass(frozen=True)
class Draft:
    """A headline and the sections, in the order of `SECTIONS`."""

    headline: Statement
    sections: tuple[Section, ...]

    def section(self, key: str) -> Section:
        """The section of that key; an empty one when the draft lacks it."""
        return next((one for one in self.sections if one.key == key), Section(key, ()))


@dataclass(frozen=True)
class Effort:
    """What writing took. Times in milliseconds; tokens as the model's server counted them."""

    model: str | None = None
    digest: str | None = None
    pick: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_per_s: float | None = None
    tokens_estimated: int | None = None
    facts_left_out: int = 0
    load_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float | None = None
    retries: int = 0


Tell = Callable[..., None]
"""`tell(stage, done=0, total=0, **detail)` says how far the writing is; it raises Cancelled when asked to stop."""


class Analyst(Protocol):
    """`name` is "rules" or "ollama". `write` raises ModelFailed when there will be no draft."""

    name: str

    def write(self, facts: Facts, tell: Tell) -> tuple[Draft, Effort]: ...
