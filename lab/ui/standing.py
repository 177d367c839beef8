"""How a day stands against its usual: the verdict that titles a page, and the tiles under it.

The trap it avoids: an open day judged as a whole one. Counts of an open day are compared with the same weekday
at the same time of day; what has no such figure is not compared at all.
"""

from __future__ import annotations

from datetime import date, datetime
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from lab.attempt import Category
from lab.metrics import ByNow, DayDetail
from lab.ui import sentences, words
from lab.ui.cards import EMPTY_LAB, IN_RANGE, NEEDS_A_LOOK, TOO_EARLY, Badge, Tile

HISTORY_DAYS = 63
"""Days before the shown one that its usual is taken from: eight of each weekday, and the day itself."""
SPARK_DAYS = 14
LATELY_DAYS = 7
FEWEST_SAME = 3
"""Earlier days of the weekday below which a tile shows no usual."""


class Standing(NamedTuple):
    """A badge, a title and a sentence."""

    badge: Badge
    title: str
    sentence: str


def standing(history: pl.DataFrame, detail: DayDetail, by_now: ByNow | None, today: date) -> Standing:
    """`history` is the trend that ends with the day; `by_now` is given for an open day only."""
    when = words.relative_day(detail.day, today)
    if not detail.attempts:
        return Standing(EMPTY_LAB._replace(word="No attempts"), f"No attempts {when}", "")
    before = history.filter(pl.col("day") < detail.day)
    usual = sentences.usual(before)
    share = detail.failed / detail.attempts
    why = _why(detail)
    if usual and detail.attempts >= sentences.MIN_ATTEMPTS and share >= usual.high_from:
        return Standing(NEEDS_A_LOOK, _failing(detail, share, usual.share, when), why)
    low, high, known = _limits(history, detail, by_now)
    if known and detail.attempts >= max(high * sentences.MIN_RATIO, sentences.MIN_ATTEMPTS):
        title = f"More attempts than usual {when}: {words.count(detail.attempts)}, expected up to {words.count(high)}"
        return Standing(NEEDS_A_LOOK, title, why)
    if known and low >= sentences.MIN_ATTEMPTS and detail.attempts * sentences.MIN_RATIO <= low:
        title = f"Fewer attempts than usual {when}: {words.count(detail.attempts)}, expected {words.count(low)} or more"
        return Standing(NEEDS_A_LOOK, title, why)
    if usual is None:
        title = f"{words.many(detail.attempts, 'attempt')} {when}, {words.share(share)} failed"
        return Standing(TOO_EARLY, title, why)
    day = "Today" if detail.day == today else words.plain_day(detail.day)
    return Standing(IN_RANGE, f"{day} is inside its usual range", f"{why}{_lately(before, detail.day)}")


def _lately(before: pl.DataFrame, day: date) -> str:
    """A day in range after one that was not says so."""
    found = [one for one in sentences.days_to_look_at(before) if (day - one.day).days <= LATELY_DAYS]
    if not found:
        return ""
    last = found[-1]
    told = f"{words.share(last.value)} failed" if last.what == "failures" else words.many(int(last.value), "attempt")
    return f" But {words.plain_day(last.day)} stood out: {told}."


def _failing(detail: DayDetail, share: float, usual: float, when: str) -> str:
    enough = detail.sources.filter(pl.col("attempts") >= sentences.MIN_ATTEMPTS)
    if enough.height > 1:
        worst = enough.sort(pl.col("failed") / pl.col("attempts"), descending=True).row(0, named=True)
        worst_share = worst["failed"] / worst["attempts"]
        if worst_share >= max(1.5 * share, 0.3) and worst["failed"] >= 0.4 * detail.failed:
            tenths = max(1, round(worst_share * 10))
            return f"{words.name(worst['source'])} is being refused: {tenths} in 10 attempts failed {when}"
    return f"Failures are high {when}: {words.share(share)}, usually {words.share(usual)}"


def _why(detail: DayDetail) -> str:
    """The category that accounts for most of the failures."""
    if not detail.failed:
        return "Nothing was refused."
    if detail.failed < sentences.MIN_ATTEMPTS / 2:
        return f"{words.count(detail.failed)} of {words.many(detail.attempts, 'attempt')} failed."
    top = detail.categories.row(0, named=True)
    if top["category"] == Category.UNSPECIFIED and top["attempts"] == detail.failed:
        return f"The log does not tell why {words.many(detail.failed, 'attempt')} failed."
    return (
        f"{words.name(top['category'])} accounts for {words.count(top['attempts'])} of "
        f"{words.many(detail.failed, 'failure')}."
    )


def _limits(history: pl.DataFrame, detail: DayDetail, by_now: ByNow | None) -> tuple[float, float, bool]:
    """Expected attempts from and to, and whether there are enough points to say."""
    if by_now is not None:
        enough = by_now.points >= sentences.MIN_POINTS and by_now.attempts is not None
        return float(by_now.attempts or 0), float(by_now.attempts or 0), enough
    row = history.filter(pl.col("day") == detail.day)
    if not row.height or row["expected_high"][0] is None:
        return 0.0, 0.0, False
    return row["expected_low"][0], row["expected_high"][0], True


def tiles(history: pl.DataFrame, detail: DayDetail, by_now: ByNow | None) -> list[Tile]:
    """Six figures of the day, each with its usual where there is one and a fortnight behind it."""
    before = history.filter(pl.col("day") < detail.day)
    recent = history.tail(SPARK_DAYS)
    full = recent.filter(pl.col("attempts") > 0)
    same = before.filter((pl.col("day").dt.weekday() == detail.day.isoweekday()) & (pl.col("attempts") > 0))
    still = by_now is not None

    def usual(column: str) -> float | None:
        if by_now is not None:
            return getattr(by_now, column, None) if by_now.points else None
        values = same[column].drop_nulls().to_list()
        return median(values) if len(values) >= FEWEST_SAME else None

    rates = before.filter(pl.col("attempts") > 0)
    enough = rates.height >= sentences.MIN_POINTS
    usual_rate = median((rates["success"] / rates["attempts"]).to_list()) if enough else None
    speeds = before["p95_ms"].drop_nulls().to_list()
    speeds = speeds if len(speeds) >= sentences.MIN_POINTS else []
    known = sentences.usual(before)
    high = bool(known and detail.attempts and detail.failed / detail.attempts >= known.high_from)
    tail = " by now" if still else ""
    sofar = "so far" if still else ""
    counted = {
        name: f"usual {words.count(value)}{tail}" if (value := usual(name)) is not None else ""
        for name in ("attempts", "success")
    }
    return [
        Tile("Attempts", words.count(detail.attempts), counted["attempts"] or sofar, spark=_spark(recent, "attempts")),
        Tile("Accepted", words.count(detail.success), counted["success"] or sofar, spark=_spark(recent, "success")),
        Tile(
            "Success rate",
            words.share(detail.success, detail.attempts),
            f"usual {words.share(usual_rate)}" if usual_rate is not None else "",
            hue="red" if high else "gray",
            spark=(full["success"] / full["attempts"]).to_list(),
            kind="line",
        ),
        Tile("Users", words.count(detail.users_count), _whole(same, "users", still), spark=_spark(recent, "users")),
        Tile(
            "Turned away",
            words.count(detail.turned_away),
            _whole(same, "turned_away", still),
            spark=_spark(recent, "turned_away"),
            help="Users who were refused and have not been accepted since.",
        ),
        Tile(
            "Answer time p95",
            words.milliseconds(detail.p95_ms),
            f"usual {words.milliseconds(median(speeds))}" if speeds else "",
            spark=full["p95_ms"].drop_nulls().to_list(),
            kind="line",
        ),
    ]


def _whole(same: pl.DataFrame, column: str, still: bool) -> str:
    if still:
        return "so far"
    values = same[column].to_list()
    return f"usual {words.count(median(values))}" if len(values) >= FEWEST_SAME else ""


def _spark(recent: pl.DataFrame, column: str) -> list[float]:
    return [float(value or 0) for value in recent[column].to_list()]


def note(day: date, now: datetime, zone: ZoneInfo, is_open: bool) -> str:
    """Beside the badge: the day, and up to when it is known while it is open."""
    if is_open:
        return f"{words.long_day(day)}, {words.clock(now, zone)} {zone.key}"
    return f"{words.long_day(day)} · all times in {zone.key}"
