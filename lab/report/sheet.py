"""A sheet on which facts are collected. The trap it avoids: numbers that follow the order of asking, not of weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import count as counter
from zoneinfo import ZoneInfo

from lab.report import wording
from lab.report.fact import Fact, Kind


class Sheet:
    """Collects facts with a weight each; numbering comes last, by weight and then by the order of adding."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._rows: list[tuple[int, int, Fact]] = []
        self._order = counter()
        self._keys: Counter[str] = Counter()

    def add(
        self, weight: int, key: str, kind: Kind, topic: str, label: str, value: float | str, text: str,
        unit: str = "attempts", share: str | None = None, compare: str | None = None,
        base: float | None = None, where: Mapping[str, str] | None = None,
    ) -> None:
        self._keys[key] += 1
        if self._keys[key] > 1:
            key = f"{key}#{self._keys[key]}"
        fact = Fact("", key, kind, topic, label, value, unit, text, share, compare, base, where or {})
        self._rows.append((-weight, next(self._order), fact))

    def count(
        self, weight: int, key: str, topic: str, label: str, value: float, unit: str = "attempts",
        share: str | None = None, base: float | None = None, base_name: str = "usual",
        where: Mapping[str, str] | None = None,
    ) -> None:
        """A count, with its usual when there is one."""
        compare = f"{base_name} {wording.count(base)}" if base is not None else None
        self.add(weight, key, Kind.COUNT, topic, label, value, wording.count(value), unit, share, compare, base, where)

    def numbered(self) -> tuple[Fact, ...]:
        ordered = sorted(self._rows, key=lambda row: row[:2])
        return tuple(replace(fact, id=f"F{place}") for place, (_, _, fact) in enumerate(ordered, start=1))
