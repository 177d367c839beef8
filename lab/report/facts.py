"""A day in numbered facts, the most important first: volume and outcome, then what stands out, then the detail.

The trap it avoids: two analysts, or two versions of a report, that count differently. Every analyst reads these
facts and nothing else; labels are our own codes and paths, persons are U1 to Un, and no stored text of a stranger
gets further than this room's door (`wording.code`, `wording.path`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from lab.metrics.usual import POINTS
from lab.report import wording
from lab.report.evidence import Evidence, gather
from lab.report.fact import Facts, Kind
from lab.report.others import named, told
from lab.report.sheet import Sheet
from lab.report.signals import signals

if TYPE_CHECKING:
    from lab.metrics import DayDetail, Metrics, Traffic

TOP = 6
"""Rows taken of each ranked list: sources, pages, reasons, duplicates, limits."""
PEOPLE = 5
ACTIVE = 3
"""Attempts from which on a user is worth a fact."""
REPEAT_FAILURES = 3
"""Failures from which on a user without an accepted attempt counts as failing repeatedly."""


class _Day(NamedTuple):
    """What every topic needs at hand."""

    sheet: Sheet
    evidence: Evidence
    usual_name: str

    @property
    def detail(self) -> DayDetail:
        return self.evidence.detail


def build_facts(metrics: Metrics, day: date, traffic: Traffic, now: datetime) -> Facts:
    """The facts of one business day; a day without attempts has facts too (its zeros)."""
    evidence = gather(metrics, day, traffic, now)
    if traffic.value == "Real":  # the day's simulated attempts are no part of it, and may outnumber the real ones
        evidence = replace(evidence, detail=replace(evidence.detail, simulated_attempts=0))
    zone = metrics.zone
    until = wording.clock_time(now, zone) if evidence.detail.open else None
    at_hand = _Day(Sheet(zone), evidence, "usual by now" if until else f"usual {day:%A}")
    topics: tuple[Callable[[_Day], None], ...] = (
        _volume, _signals, _failures, _minutes, _sources, _users, _duplicates, _limits, _latency, _quality,
    )
    at_hand.sheet.add(99, "day", Kind.TIME, "volume", "business day", day.isoformat(), wording.long_day(day), "day")
    if until:
        at_hand.sheet.add(98, "until", Kind.TIME, "quality", "the day is open; counted until", until, until, "time")
    for topic in topics:
        topic(at_hand)
    return Facts(day, str(traffic), zone.key, now.isoformat(), until, at_hand.sheet.numbered())


def _volume(day: _Day) -> None:
    sheet, detail, usual = day.sheet, day.detail, day.evidence.usual
    sheet.count(97, "attempts", "volume", "attempts", detail.attempts, base=usual.attempts, base_name=day.usual_name)
    if detail.attempts and usual.attempts:
        sheet.add(
            90, "attempts.change", Kind.RATIO, "volume", f"attempts against the {day.usual_name}",
            detail.attempts / usual.attempts, wording.change(detail.attempts, usual.attempts), "change",
        )
    if usual.low is not None and usual.high is not None:
        for key, label, value in (("low", "lower", usual.low), ("high", "upper", usual.high)):
            name = f"{label} end of the expected range of attempts"
            sheet.count(30, f"expected.{key}", "volume", name, math.floor(value + 0.5))
    if not detail.attempts:
        return
    sheet.count(
        96, "accepted", "volume", "accepted attempts", detail.success, base=usual.success, base_name=day.usual_name,
        where={"outcome": "SUCCESS"},
    )
    sheet.count(
        95, "failed", "volume", "failed attempts", detail.failed, base=usual.failed, base_name=day.usual_name,
        where={"outcome": "FAILED"},
    )
    sheet.add(
        94, "failed.share", Kind.RATE, "volume", "failed share of attempts", 100 * detail.failed / detail.attempts,
        wording.share(detail.failed, detail.attempts), "%", base=usual.failed_share, where={"outcome": "FAILED"},
        compare=None if usual.failed_share is None else f"{day.usual_name} {wording.percent(usual.failed_share)}",
    )


def _signals(day: _Day) -> None:
    for place, signal in enumerate(signals(day.evidence)):
        day.sheet.count(
            max(80, 89 - place), signal.key, "signals", signal.label, signal.value, signal.unit, signal.share,
            signal.base, day.usual_name, signal.where,
        )


def _failures(day: _Day) -> None:
    detail, usual = day.detail, day.evidence.usual
    for place, (category, attempts) in enumerate(_rows(detail.categories, "category", "attempts")):
        name = wording.code(category)
        base = usual.categories.get(category, 0) if usual.categories else None
        day.sheet.count(
            79 - min(place, 9), f"category:{name}", "failures",
            f"failed attempts of category {wording.name(category)}", attempts,
            share=f"{wording.share(attempts, detail.failed)} of failures", base=base, base_name=day.usual_name,
            where={"category": category, "outcome": "FAILED"},
        )
    rows = _rows(detail.reasons, "category", "stage", "field", "reason", "attempts")
    for place, (category, stage, field, reason, attempts) in enumerate(rows[:TOP]):
        parts = [wording.code(category)]
        if stage:
            parts.append(f"stage {wording.code(stage)}")
        if field:
            parts.append(f"field {wording.code(field)}")
        told = wording.reason(reason) if stage else None
        day.sheet.count(
            58 - place, f"reason:{':'.join(part.split()[-1] for part in parts)}:{place}", "reasons",
            f"refused by {', '.join([wording.name(category), *parts[1:]])}" + (f' ("{told}")' if told else ""),
            attempts,
            share=f"{wording.share(attempts, detail.failed)} of failures",
            where={"category": category, "outcome": "FAILED", **({"text": reason} if reason else {})},
        )


def _minutes(day: _Day) -> None:
    sheet, detail = day.sheet, day.detail
    if not detail.attempts:
        return
    busiest = detail.minutes.sort(["attempts", "minute"], descending=[True, False]).row(0, named=True)
    at = wording.clock_time(busiest["minute"], sheet.zone)
    sheet.add(
        64, "minute.busiest", Kind.TIME, "minutes", "busiest minute", busiest["minute"].isoformat(), at, "time",
        where={"since": busiest["minute"].isoformat()},
    )
    sheet.count(63, "minute.attempts", "minutes", "attempts in the busiest minute", busiest["attempts"])
    ranked = detail.bursts.sort(["attempts", "start"], descending=[True, False])
    for place, burst in enumerate(ranked.head(3).iter_rows(named=True), start=1):
        start, end = (wording.clock_time(burst[edge], sheet.zone) for edge in ("start", "end"))
        peak = f", at most {wording.count(burst['peak'])} a minute" if burst["peak"] < burst["attempts"] else ""
        failed = wording.count(burst["failed"]) if burst["failed"] else "none"
        where = {"since": burst["start"].isoformat(), "until": burst["end"].isoformat()}
        sheet.count(
            70 - place, f"burst:{place}", "bursts", "attempts in a burst", burst["attempts"],
            share=f"from {start} to {end}, {failed} of them failed{peak}", where=where,
        )


def _sources(day: _Day) -> None:
    detail, usual = day.detail, day.evidence.usual
    tables = (("source", detail.sources, wording.code, 57), ("page", detail.pages, wording.path, 45))
    for noun, frame, label, weight in tables:
        rows = named(frame.filter(pl.col("attempts") > 0).select(noun, "attempts", "failed").iter_rows(), label)
        for place, (name, stored, (attempts, failed)) in enumerate(rows[:TOP]):
            base = usual.sources.get(stored, 0) if noun == "source" and usual.sources and stored else None
            said = told(noun, name, wording.name(name) if noun == "source" else name)
            day.sheet.count(
                weight - place, f"{noun}:{name}", f"{noun}s", f"attempts of {said}", attempts,
                share=f"{wording.share(attempts, detail.attempts)} of attempts", base=base,
                base_name=day.usual_name, where={noun: stored} if stored else {},
            )
            day.sheet.add(
                weight - place, f"{noun}:{name}:failed", Kind.RATE, f"{noun}s",
                f"failed share of {said}", 100 * failed / attempts, wording.share(failed, attempts), "%",
                share=f"{wording.count(failed)} failed", where={noun: stored, "outcome": "FAILED"} if stored else {},
            )


def _users(day: _Day) -> None:
    sheet, detail = day.sheet, day.detail
    if not detail.attempts:
        return
    sheet.count(66, "users", "users", "distinct users", detail.users_count, "users")
    sheet.count(
        65, "turned_away", "users", "users turned away, refused without an accepted attempt since",
        detail.turned_away, "users",
    )
    rows = _rows(detail.users, "user", "attempts", "failed", "success")
    top = [row for row in rows[:PEOPLE] if row[1] >= ACTIVE]
    if 1 < len(top) < detail.users_count:
        held = sum(row[1] for row in top)
        sheet.add(
            50, "users.top", Kind.RATE, "users", f"share of attempts by the {len(top)} most active users",
            100 * held / detail.attempts, wording.share(held, detail.attempts), "%",
            share=f"{wording.count(held)} attempts of {len(top)} users",
        )
    for place, (user, attempts, failed, _) in enumerate(top, start=1):
        sheet.count(
            50 - place, f"user:U{place}", "people", f"attempts by U{place}", attempts,
            share=f"{wording.share(attempts, detail.attempts)} of attempts, {wording.count(failed)} failed",
            where={"user": user},
        )
    again = sum(1 for row in rows if row[2] >= REPEAT_FAILURES and row[3] == 0)
    if again:
        label = f"users with {REPEAT_FAILURES} or more failures and no accepted attempt, among the most active"
        sheet.count(52, "users.failing", "users", label, again, "users")


def _duplicates(day: _Day) -> None:
    rows = _rows(day.detail.duplicates, "kind", "source", "attempts")
    total = sum(row[2] for row in rows)
    if total or day.detail.attempts:
        day.sheet.count(51, "duplicates", "duplicates", "duplicates and replays of all kinds", total)
    for place, (kind, source, attempts) in enumerate(rows[:TOP]):
        name = f"{wording.name(kind)} from {wording.name(source)}"
        day.sheet.count(
            40 - place, f"duplicate:{wording.code(kind)}:{wording.code(source)}", "duplicates",
            f"duplicates of kind {name}", attempts, where={"source": source},
        )


def _limits(day: _Day) -> None:
    limited: dict[str, list[tuple[Any, ...]]] = {}
    for source, *row in day.detail.rate_limits.select("source", "page", "attempts").iter_rows():
        limited.setdefault(source, []).append(tuple(row))
    found = [(one, source) for source, rows in limited.items() for one in named(rows, wording.path)]
    found.sort(key=lambda pair: (-pair[0].counts[0], pair[0].name, pair[1]))
    for place, ((name, stored, (attempts,)), source) in enumerate(found[:TOP]):
        day.sheet.count(
            39 - place, f"limit:{name}:{wording.code(source)}", "limits",
            f"rate-limited attempts on {told('page', name)}, source {wording.name(source)}", attempts,
            where={"category": "RATE_LIMIT_EXCEEDED", "source": source, **({"page": stored} if stored else {})},
        )


def _latency(day: _Day) -> None:
    detail, usual = day.detail, day.evidence.usual
    for weight, key, name, value in (
        (44, "p50", "median answer time", detail.p50_ms),
        (46, "p95", "p95 answer time", detail.p95_ms),
    ):
        if value is None:
            continue
        base = usual.p95_ms if key == "p95" else None
        day.sheet.add(
            weight, f"latency.{key}", Kind.COUNT, "latency", name, value, wording.milliseconds(value), "ms",
            compare=None if base is None else f"{day.usual_name} {wording.milliseconds(base)}", base=base,
        )


def _quality(day: _Day) -> None:
    sheet, detail, usual = day.sheet, day.detail, day.evidence.usual
    sheet.count(35, "comparable", "quality", "comparable earlier days", usual.points, "days")
    if usual.points < POINTS:
        sheet.count(34, "comparable.least", "quality", "comparable days needed for a usual", POINTS, "days")
    for traffic, attempts in day.evidence.left_out.items():
        name = f"{traffic.lower()} attempts of the day, left out of this report"
        sheet.count(37, f"left_out:{traffic}", "quality", name, attempts)
    if detail.simulated_attempts:
        sheet.count(
            48 if detail.simulated_attempts < detail.attempts else 36, "simulated", "quality", "simulated attempts",
            detail.simulated_attempts, share=f"{wording.share(detail.simulated_attempts, detail.attempts)} of attempts",
        )


def _rows(frame: pl.DataFrame, *columns: str, by: tuple[str, ...] = ("attempts",)) -> list[tuple[Any, ...]]:
    """The columns' rows, most attempts first, ties by name so that the order never depends on chance."""
    names = [name for name in columns if name not in by]
    return (
        frame.select(columns)
        .sort([*by, *names], descending=[True] * len(by) + [False] * len(names), nulls_last=True)
        .rows()
    )
