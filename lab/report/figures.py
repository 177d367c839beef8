"""Figures found in a text: numbers, shares, durations, times, dates, weekdays, codes, paths and persons.

The trap it avoids: comparing digits without their meaning, so that 20 ms supports 20%. A figure is a kind and a
value; two figures agree only within a kind, and a coarser one only as a proper rounding of a finer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import NamedTuple

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORDS = {
    word: place
    for place, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    )
}

_MONTH = "|".join([*MONTHS, *(month[:3] for month in MONTHS)])
_COUNTED = (
    "attempts?|users?|leads?|sources?|pages?|fields?|failures?|duplicates?|replays?|bursts?|clients?|days?|"
    "categor(?:y|ies)|signals?|retries"
)
_PATTERN = re.compile(
    rf"""
      (?P<iso>\b\d{{4}}-\d{{2}}-\d{{2}}\b)
    | (?P<date>\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_MONTH})\b\.?(?:,?\s+\d{{4}}\b)?)
    | (?P<american>\b(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?)
    | (?P<time>\b\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s?[ap]\.?m\b\.?)?)
    | (?P<hour>\b\d{{1,2}}\s?[ap]\.?m\b\.?)
    | (?P<weekday>\b(?:{"|".join(WEEKDAYS)})s?\b)
    | (?P<person>\bU\d+\b)
    | (?P<pseudonym>\b[uc]_[0-9a-f]{{6,}}\b)
    | (?P<code>\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b)
    | (?P<path>(?<![\w/])/[A-Za-z][A-Za-z0-9_~/-]*(?:\.[A-Za-z0-9]+)*)
    | (?P<percent>[+\u2212-]?\b\d[\d,]*(?:\.\d+)?\s?(?:%|per\s?cent\b|percentage\s+points?\b))
    | (?P<ms>\b\d[\d,]*(?:\.\d+)?\s?(?:ms|milliseconds?)\b)
    | (?P<times>\b\d[\d,]*(?:\.\d+)?\s?(?:[x×]|times)(?!\w))
    | (?P<number>\b\d[\d,]*(?:\.\d+)?\b)
    | (?P<vague>\b(?:half|twice|thrice|doubl(?:ed|ing)|double(?![\ -]clicks?\b)|tripled?|quadrupled?
        |dozens?|hundreds?|thousands?|millions?
        |(?:a|one)\s+(?:third|quarter|fifth|tenth)|two\s+thirds|three\s+quarters)\b)
    | (?P<one>\bone\b(?=\s+(?:\w+\s+)?(?:{_COUNTED})\b))
    | (?P<word>\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CASED = {"person": re.compile(r"U\d+"), "code": re.compile(r"[A-Z0-9_]+")}


class Figure(NamedTuple):
    """`kind` is number, percent, ms, times, time, date, weekday, code, path, person, pseudonym or vague.

    `value` is in one form for equal figures; `shown` is what the text has.
    """

    kind: str
    value: str
    shown: str


def find(text: str) -> Iterator[Figure]:
    """Every figure of the text, from left to right."""
    return (figure for figure, _ in placed(text))


def placed(text: str) -> Iterator[tuple[Figure, int]]:
    """Every figure of the text with where it ends."""
    for match in _PATTERN.finditer(text):
        kind, shown = str(match.lastgroup), match.group()
        if kind in _CASED and not _CASED[kind].fullmatch(shown):
            continue
        yield _figure(kind, shown), match.end()


def find_names(text: str, names: Mapping[str, str]) -> Iterator[Figure]:
    """The codes that the text names in words; `names` are the words for each, such as Partner API for PARTNER_API."""
    for shown, code in names.items():
        if re.search(rf"(?<!\w){re.escape(shown)}(?!\w)", text):
            yield Figure("code", code, shown)


def agrees(said: Figure, known: Figure) -> bool:
    """Whether `known` supports `said`: equal, or said with fewer decimals and rounded properly."""
    if said.kind != known.kind:
        return said.kind == known.kind == "date" and known.value.startswith(said.value)
    if said.kind == "date":
        return known.value == said.value or known.value.startswith(f"{said.value} ")
    if said.kind not in {"number", "percent", "ms", "times"}:
        return said.value == known.value
    mine, theirs = Decimal(said.value), Decimal(known.value)
    if mine == theirs:
        return True
    places, finer = -int(mine.as_tuple().exponent), -int(theirs.as_tuple().exponent)
    if places >= finer:
        return False
    step = Decimal(1).scaleb(-places)
    return mine in {theirs.quantize(step, ROUND_HALF_EVEN), theirs.quantize(step, ROUND_HALF_UP)}


def _figure(kind: str, shown: str) -> Figure:
    lower = shown.lower()
    if kind == "iso":
        year, month, day = shown.split("-")
        return Figure("date", f"{int(day)} {MONTHS[(int(month) - 1) % 12][:3]} {year}", shown)
    if kind in {"date", "american"}:
        numbers = re.findall(r"\d+", shown)
        month_name = re.findall(r"[a-z]{3,}", lower)[0][:3]
        return Figure("date", " ".join([numbers[0], month_name, *numbers[1:]]), shown)
    if kind in {"time", "hour"}:
        return Figure("time", _time(lower), shown)
    if kind == "weekday":
        return Figure(kind, lower.removesuffix("s"), shown)
    if kind in {"word", "one"}:
        return Figure("number", str(WORDS[lower]), shown)
    if kind in {"number", "percent", "ms", "times"}:
        digits = re.search(r"\d[\d,]*(?:\.\d+)?", shown)
        return Figure(kind, digits.group().replace(",", "") if digits else "0", shown)
    return Figure(kind, shown, shown)


def _time(lower: str) -> str:
    numbers = [int(part) for part in re.findall(r"\d+", lower)]
    hour, rest = numbers[0], numbers[1:] or [0]
    if "p" in lower:
        hour = hour % 12 + 12
    elif "a" in lower:
        hour %= 12
    return ":".join(f"{part:02d}" for part in [hour, *rest])
