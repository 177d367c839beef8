"""Whether a draft says only what the facts say: every figure is looked up among the facts its statement cites.

A figure that the cited facts lack but exactly one other fact holds brings that fact into the citation; any other
figure, advice, a cause told as certain, an unknown reference, markup, a person other than U1 to Un, or a claim that
rests on nothing costs the statement its place. The trap it avoids: an empty section where the model failed; there the
rule-based wording stands in. Not checked here: direction, rank and attribution.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lab.attempt import Category, readable
from lab.report import figures
from lab.report.analyst import SECTIONS, Draft, Section, Statement
from lab.report.fact import Fact, Facts

FREE = frozenset({"confidence", "scope"})
"""Sections whose statements may rest on no fact, as they speak about the report itself."""

_REFERENCE = re.compile(r"\s*[\[({]\s*(F\d+(?:\s*(?:,|and|;)\s*F\d+)*)\s*[\])}]")
_MARKUP = re.compile(r"[<>\[\]`|\\]|://|www\.|@|\*\*|__|!\(")
_ADVICE = re.compile(
    r"\b(should|must|ought to|need(?:s|ed)? to|recommend\w*|suggest(?:ed)? (?:that|to)|we suggest|advis\w+|please|"
    r"consider (?:\w+ing|the|a)|make sure|ensure|it would be (?:wise|best|good)|action is required)\b",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\b(because|caused|due to|owing to|as a result of|resulted from|root cause|the (?:cause|reason) (?:is|was)|"
    r"led to|thanks to|attributable to)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(r"\b(may|might|could|possibly|perhaps|consistent with|cannot|not known|unknown)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Dropped:
    """A statement that lost its place, and why."""

    section: str
    text: str
    reason: str


@dataclass(frozen=True)
class Checks:
    """What checking a draft found. `figures` counts those of the statements kept, each traced to a fact."""

    figures: int = 0
    statements: int = 0
    kept: int = 0
    mended: int = 0
    dropped: tuple[Dropped, ...] = ()
    stood_in: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ground(draft: Draft, facts: Facts, fallback: Draft) -> tuple[Draft, Checks]:
    """The draft with what stands, `fallback`'s wording where nothing does, and what was found."""
    names = vocabulary(facts)
    known = {fact.id: known_figures(fact, names) for fact in facts.items}
    everywhere = _everywhere(facts)
    kept, dropped, stood_in, total, mended = [], [], [], 0, 0
    found = 0
    for key, _ in (("headline", ""), *SECTIONS):
        said = (draft.headline,) if key == "headline" else draft.section(key).statements
        total += len(said)
        good: list[Statement] = []
        for statement in said:
            checked, reason, count = check(statement, key in FREE, known, everywhere, names)
            if checked is None:
                dropped.append(Dropped(key, statement.text, reason))
                continue
            found += count
            mended += checked.facts != statement.facts
            good.append(checked)
        if not good:
            stood_in.append(key)
            good = [fallback.headline] if key == "headline" else list(fallback.section(key).statements)
        kept.append((key, tuple(good)))
    headline = kept[0][1][0]
    sections = tuple(Section(key, statements) for key, statements in kept[1:])
    standing = total - len(dropped)
    return Draft(headline, sections), Checks(found, total, standing, mended, tuple(dropped), tuple(stood_in))


def check(
    statement: Statement, free: bool, known: dict[str, set[figures.Figure]], everywhere: set[figures.Figure],
    names: Mapping[str, str],
) -> tuple[Statement | None, str, int]:
    """The statement as it may stand, or None; the reason it may not; how many figures it has."""
    text, cited = _references(statement)
    if unknown := next((one for one in cited if one not in known), None):
        return None, f"it cites {unknown}, which is no fact of this day", 0
    if _MARKUP.search(text):
        return None, "it carries markup or an address", 0
    if match := _ADVICE.search(text):
        return None, f"it gives advice ({match.group()!r})", 0
    if (match := _CAUSE.search(text)) and not _HEDGE.search(text):
        return None, f"it tells a cause as certain ({match.group()!r})", 0
    if not cited and not free:
        return None, "it rests on no fact", 0
    number = 0
    for figure in (*figures.find(text), *figures.find_names(text, names)):
        number += 1
        if figure.kind == "pseudonym":
            return None, "it names a person other than as U1 to Un", 0
        if _holds(figure, everywhere) or any(_holds(figure, known[one]) for one in cited):
            continue
        holders = [one for one, held in known.items() if _holds(figure, held)]
        if len(holders) != 1:
            where = "in no fact" if not holders else "in none of the facts it cites"
            return None, f"{figure.shown!r} is {where}", 0
        cited = (*cited, holders[0])
    return Statement(text, cited), "", number


def vocabulary(facts: Facts) -> dict[str, str]:
    """The words for every category, and for the sources of this day's facts, by which a text may name them."""
    codes = {*Category, *(fact.where["source"] for fact in facts.items if "source" in fact.where)}
    return {readable(code): str(code) for code in sorted(codes) if " " in readable(code)}


def known_figures(fact: Fact, names: Mapping[str, str]) -> set[figures.Figure]:
    """Every figure a fact supports: its value, share and comparison, and what its label names."""
    found: set[figures.Figure] = set()
    for part in (fact.text, fact.share, fact.compare, fact.label):
        every = (*figures.find(part or ""), *figures.find_names(part or "", names))
        found.update(figures.Figure(one.kind, one.value, "") for one in every)
    return found


def _everywhere(facts: Facts) -> set[figures.Figure]:
    """What any statement may say: the report's own day, its weekday, and the time it is counted until."""
    day = facts.by_key["day"]
    return known_figures(day, {}) | {figures.Figure("date", f"{facts.day.day} {facts.day:%b}".lower(), "")} | {
        one for fact in facts.items if fact.key == "until" for one in known_figures(fact, {})
    }


def _holds(said: figures.Figure, held: Iterable[figures.Figure]) -> bool:
    return any(figures.agrees(said, one) for one in held)


def _references(statement: Statement) -> tuple[str, tuple[str, ...]]:
    """The text without references in brackets, and all references in order, once each."""
    inside = [one for match in _REFERENCE.finditer(statement.text) for one in re.findall(r"F\d+", match.group(1))]
    text = re.sub(r"\s+([.,;:])", r"\1", _REFERENCE.sub("", statement.text)).strip()
    return text, tuple(dict.fromkeys([*statement.facts, *inside]))
