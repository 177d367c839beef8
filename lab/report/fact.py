"""A fact: one numbered figure of a day, with how it is written and what it is compared with.

The trap it avoids: a report that can be read only by computing it again. Facts are stored with the report as
they were, and whatever is said in words rests on them and on nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any


class Kind(StrEnum):
    """count: attempts, users. rate: a part of a whole. ratio: against a base. time: an instant. label: a name."""

    COUNT = "count"
    RATE = "rate"
    RATIO = "ratio"
    TIME = "time"
    LABEL = "label"


@dataclass(frozen=True)
class Fact:
    """One figure. `key` names it across versions and days; `id` (F1, F2, …) is its place in one report.

    `text` is the value as written, `share` its part of a whole ("49.0% of failures"), `compare` what it is held
    against ("usual Thursday 690") and `base` that figure as a number. `where` is the filter of the attempts it
    counts; it may hold a pseudonym and is never shown to a model.
    """

    id: str
    key: str
    kind: Kind
    topic: str
    label: str
    value: float | str
    unit: str
    text: str
    share: str | None = None
    compare: str | None = None
    base: float | None = None
    where: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> float:
        """The value as a number; 0.0 for a time or a label."""
        return 0.0 if isinstance(self.value, str) else float(self.value)

    @property
    def line(self) -> str:
        """The fact as one line, as a model reads it."""
        extra = "; ".join(part for part in (self.share, self.compare) if part)
        return f"{self.id} {self.label}: {self.text}" + (f" ({extra})" if extra else "")


@dataclass(frozen=True)
class Facts:
    """A day's facts, most important first. `until` is the time an open day is counted up to, else None."""

    day: date
    traffic: str
    zone: str
    as_of: str
    until: str | None
    items: tuple[Fact, ...]

    @property
    def open(self) -> bool:
        return self.until is not None

    @cached_property
    def by_key(self) -> dict[str, Fact]:
        return {fact.key: fact for fact in self.items}

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self.items}

    def get(self, key: str) -> Fact | None:
        """The fact of that key, if the day has it."""
        return self.by_key.get(key)

    def of(self, topic: str) -> list[Fact]:
        """The facts of a topic, most important first."""
        return [fact for fact in self.items if fact.topic == topic]

    def to_json(self) -> str:
        """Everything, as text that `from_json` reads back equal."""
        return json.dumps(asdict(self), default=_plain, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Facts:
        stored = json.loads(text)
        items = tuple(_fact(one) for one in stored.pop("items"))
        return cls(**{**stored, "day": date.fromisoformat(stored["day"]), "items": items})


def _fact(stored: dict[str, Any]) -> Fact:
    return Fact(**{**stored, "kind": Kind(stored["kind"])})


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a fact")
