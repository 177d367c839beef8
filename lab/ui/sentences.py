"""Titles: what is to be seen, said in one sentence by rules, so that a chart never leaves the reading to chance.

The trap it avoids: a fixed title over data that says something else. Only whole days are judged; an open day
is never called a fall. What is usual stands in the trend's own columns, day by day, so that the window shown
changes nothing; and a change must be large as well as unlikely, or small numbers cry wolf (20 attempts).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from lab.attempt import Category
from lab.ui import words

MIN_POINTS = 6
MIN_ATTEMPTS = 20
MIN_RATIO = 1.5


class Unusual(NamedTuple):
    """A whole day that stands out: `usual` is a share for failures, the crossed limit for attempts."""

    day: date
    what: Literal["failures", "many", "few"]
    value: float
    usual: float


def unusual(trend: pl.DataFrame) -> list[Unusual]:
    """Whole days of the trend that stand out, in day order; failures before volume on the same day."""
    found: list[Unusual] = []
    for row in trend.filter(~pl.col("open")).iter_rows(named=True):
        day, attempts, low, high = row["day"], row["attempts"], row["expected_low"], row["expected_high"]
        if attempts >= MIN_ATTEMPTS and row["high_share"] is not None and row["failed_share"] >= row["high_share"]:
            found.append(Unusual(day, "failures", row["failed_share"], row["usual_share"]))
        if low is None or high is None or max(high, attempts) < MIN_ATTEMPTS:
            continue
        if attempts >= MIN_RATIO * high:
            found.append(Unusual(day, "many", attempts, high))
        elif attempts * MIN_RATIO <= low:
            found.append(Unusual(day, "few", attempts, low))
    return found


def days_to_look_at(trend: pl.DataFrame) -> list[Unusual]:
    """One entry for each day that stands out, in day order: its failures where it has them, else its volume."""
    first: dict[date, Unusual] = {}
    for one in unusual(trend):
        first.setdefault(one.day, one)
    return list(first.values())


def trend(frame: pl.DataFrame) -> str:
    """The trend's title: a lasting rise first, then the latest day that stood out, else the plain total."""
    attempts, failed = int(frame["attempts"].sum()), int(frame["failed"].sum())
    if attempts == 0:
        return f"No attempts in these {frame.height} days"
    found = days_to_look_at(frame)
    high = [one for one in found if one.what == "failures"]
    whole = frame.filter(~pl.col("open"))["day"].to_list()
    lasting = 0
    while lasting < min(len(high), len(whole)) and high[-1 - lasting].day == whole[-1 - lasting]:
        lasting += 1
    if lasting >= 2:
        return f"Failures have stayed high since {words.plain_day(high[-lasting].day)}"
    if found:
        return _of_day(found[-1])
    if frame["expected_high"].null_count() == frame.height:
        return f"{words.many(attempts, 'attempt')} in {_active_days(frame)}, {words.share(failed, attempts)} failed"
    return "Attempts and failures are inside their usual range"


def _active_days(frame: pl.DataFrame) -> str:
    return words.many(frame.filter(pl.col("attempts") > 0).height, "day")


def _of_day(one: Unusual) -> str:
    day = words.plain_day(one.day)
    if one.what == "failures":
        return f"Failures peaked on {day}: {words.share(one.value)}, usually {words.share(one.usual)}"
    if one.what == "many":
        return f"{day} brought {words.count(one.value)} attempts, above the expected {words.count(one.usual)}"
    return f"Only {words.many(int(one.value), 'attempt')} came on {day}; {words.count(one.usual)} were expected"


def last_minutes(frame: pl.DataFrame, bursts: Sequence[tuple[datetime, datetime]], zone: ZoneInfo) -> str:
    """Title of the live chart."""
    start = f"Last {frame.height} minutes"
    attempts, failed = int(frame["attempts"].sum()), int(frame["failed"].sum())
    if attempts == 0:
        return f"{start}: no attempts"
    if bursts:
        when = words.span(bursts[-1][0], bursts[-1][1], zone)
        return f"{start}: {'one burst' if len(bursts) == 1 else f'{len(bursts)} bursts'}, {when}"
    return f"{start}: {words.many(attempts, 'attempt')}, {words.share(failed, attempts)} failed"


def minutes_of_day(frame: pl.DataFrame, bursts: pl.DataFrame, zone: ZoneInfo) -> str:
    """Title of the day's timeline: its largest burst, else its busiest minute."""
    if bursts.height:
        top = bursts.sort("attempts", descending=True).row(0, named=True)
        when = words.span(top["start"], top["end"], zone)
        number = "One burst" if bursts.height == 1 else f"{bursts.height} bursts, the largest"
        failed = f", {words.share(top['failed'], top['attempts'])} failed"
        return f"{number}: {words.many(top['attempts'], 'attempt')} {_joined(when)}{failed}"
    if not frame.height or not int(frame["attempts"].sum()):
        return "No attempts in any minute of this day"
    top = frame.sort("attempts", descending=True).row(0, named=True)
    peak = words.many(top["attempts"], "attempt")
    return f"No bursts; the busiest minute was {words.clock(top['minute'], zone)} with {peak}"


def _joined(when: str) -> str:
    return f"from {when}" if " to " in when else f"at {when}"


def ranked_failures(rows: Sequence[tuple[str, int, float | None]]) -> str:
    """Title of the failure categories: the one furthest above its usual, else the largest."""
    total = sum(number for _, number, _ in rows)
    if total == 0:
        return "Nothing was refused"
    risen = [
        (number - usual, key, number, usual)
        for key, number, usual in rows
        if usual is not None and number >= MIN_RATIO * usual and number - usual >= MIN_ATTEMPTS / 2
    ]
    if risen:
        _, key, number, usual = max(risen)
        return f"{words.name(key)}: {words.many(number, 'attempt')}, against a usual {words.count(usual)}"
    if total < MIN_ATTEMPTS / 2:
        return f"{words.many(total, 'failure')} of {words.many(len(rows), 'kind')}"
    key, number, _ = max(rows, key=lambda row: row[1])
    if key == Category.UNSPECIFIED and number == total:
        return f"The log does not tell why {words.many(total, 'attempt')} failed"
    return f"{words.name(key)}: {words.count(number)} of {words.many(total, 'failure')}"


def ranked_outcomes(rows: Sequence[tuple[str, int, int]], noun: str) -> str:
    """Title of sources or pages, each (key, attempts, failed): the one that fails most beyond the rest."""
    total = sum(attempts for _, attempts, _ in rows)
    if total == 0:
        return "No attempt came to any page" if noun == "page" else f"No {noun} sent anything"
    usual = sum(failed for _, _, failed in rows) / total
    worst = max(rows, key=lambda row: row[2] / row[1] if row[1] >= MIN_ATTEMPTS else -1.0)
    if len(rows) > 1 and worst[1] >= MIN_ATTEMPTS and worst[2] / worst[1] >= max(MIN_RATIO * usual, usual + 0.05):
        return f"{words.name(worst[0])} failed {words.share(worst[2], worst[1])}, all together {words.share(usual)}"
    key, attempts, _ = max(rows, key=lambda row: row[1])
    if noun == "page":
        return f"{words.share(attempts, total)} of {words.many(total, 'attempt')} came to {words.name(key)}"
    return f"{words.name(key)} sent {words.share(attempts, total)} of {words.many(total, 'attempt')}"


def cells(rows: Sequence[tuple[str, str, int, int]], usual: float) -> str:
    """Title of sources by pages, each (source, page, attempts, failed)."""
    high = [
        (failed / attempts, source, page)
        for source, page, attempts, failed in rows
        if attempts >= MIN_ATTEMPTS and failed / attempts >= max(2 * usual, usual + 0.1)
    ]
    if not high:
        return "No source and page stands out" if rows else "No source has sent anything"
    if len(high) == 1:
        share, source, page = high[0]
        return f"{words.name(source)} on {words.name(page)} failed {words.share(share)}"
    sources = {source for _, source, _ in high}
    if len(sources) == 1:
        return f"Failed share is high for {words.name(sources.pop())} on {len(high)} pages"
    pages = {page for _, _, page in high}
    if len(pages) == 1:
        return f"Failed share is high on {words.name(pages.pop())} from {len(high)} sources"
    _, source, page = max(high)
    return f"Failed share is high in {len(high)} places, most for {words.name(source)} on {words.name(page)}"
