"""Who comes: personas, their share of a source's attempts, and how many attempts a visit of theirs takes.

The trap it avoids: a share of visits taken for a share of attempts, when one partner's batch is twenty of them.
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple


class Mix(NamedTuple):
    """Personas, their share of a source's attempts, and how many attempts a visit of theirs takes on average."""

    names: tuple[str, ...]
    shares: tuple[float, ...]
    sizes: tuple[float, ...]

    @property
    def attempts_a_visit(self) -> float:
        return sum(self.shares) / sum(share / size for share, size in zip(self.shares, self.sizes, strict=True))

    @property
    def cumulative(self) -> list[float]:
        """Cumulative chances of a visit to be one of each persona, ending in 1."""
        visits = [share / size for share, size in zip(self.shares, self.sizes, strict=True)]
        return [part / sum(visits) for part in accumulate(visits)]


def _mix(rest: str, **others: tuple[float, float]) -> Mix:
    used = sum(share for share, _ in others.values())
    table = {rest: (1 - used, 1.0), **others}
    return Mix(tuple(table), tuple(row[0] for row in table.values()), tuple(row[1] for row in table.values()))


BATCH = 22
PEOPLE = _mix(
    "visitor",
    mistaken=(0.044, 1.8),
    double_clicker=(0.018, 2),
    careful_client=(0.010, 1.1),
    retrier=(0.012, 2.2),
    returner=(0.014, 2),
    robot=(0.015, 4),
    impatient=(0.010, 13),
    stray=(0.006, 1),
)
MACHINES = _mix(
    "caller",
    batch=(0.56, BATCH * 1.1),
    stale_caller=(0.04, 2.5),
    mistaken=(0.03, 1.8),
    careful_client=(0.03, 1.1),
    stray=(0.006, 1),
)


def is_machine(source: str) -> bool:
    """Whether a source is another program rather than a form, told by its name."""
    return "API" in source.split("_")


def mix_of(source: str) -> Mix:
    """The personas that come to a source."""
    return MACHINES if is_machine(source) else PEOPLE
