"""How a day stands against its usual: the verdict that titles a page, and the tiles under it.

The trap it avoids: an open day judged as a whole one. Counts of an open day are compared with the same weekday
at the same time of day; what has no such figure is not compared at all.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from lab.attempt import Category
from lab.metrics import ByNow, DayDetail, usual
from lab.metrics.usual import SPAN_DAYS
from lab.ui import sentences, words
from lab.ui.cards import EMPTY_LAB, IN_RANGE, NEEDS_A_LOOK, TOO_EARLY, Badge, Tile

HISTORY_DAYS = SPAN_DAYS
"""Days before the shown one that its usual is read from."""
SPARK_DAYS = 14
LATELY_DAYS = 7


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
    [row] = history.filter(pl.col("day") == detail.day).iter_rows(named=True)
    share = detail.failed / detail.attempts
    why = _why(detail)
    if detail.attempts >= sentences.MIN_ATTEMPTS and row["high_share"] is not None and share >= row["high_share"]:
        usual_share = by_now.failed_share if by_now and by_now.failed_share is not None else row["usual_share"]
        return Standing(NEEDS_A_LOOK, _failing(detail, share, usual_share, when), why)
    if by_now is not None:
        low = high = by_now.attempts
    else:
        low, high = row["expected_low"], row["expected_high"]
    many = words.count(detail.attempts)
    if high is not None and detail.attempts >= max(high * sentences.MIN_RATIO, sentences.MIN_ATTEMPTS):
        expected = f"usually {words.count(high)} by now" if by_now else f"expected up to {words.count(high)}"
        return Standing(NEEDS_A_LOOK, f"More attempts than usual {when}: {many}, {expected}", why)
    if low is not None and low >= sentences.MIN_ATTEMPTS and detail.attempts * sentences.MIN_RATIO <= low:
        expected = f"usually {words.count(low)} by now" if by_now else f"expected {words.count(low)} or more"
        return Standing(NEEDS_A_LOOK, f"Fewer attempts than usual {when}: {many}, {expected}", why)
    if row["usual_share"] is None:
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


def tiles(history: pl.DataFrame, detail: DayDetail, by_now: ByNow | None) -> list[Tile]:
    """Six figures of the day, each with its usual where there is one and a fortnight behind it.

    `history` reaches HISTORY_DAYS back from the day. Counts of an open day are compared by now or not at all.
    """
    known = usual(history, detail.day)
    recent = history.tail(SPARK_DAYS)
    full = recent.filter(pl.col("attempts") > 0)
    attempts, success, success_share = known.attempts, known.success, known.success_share
    users, turned_away = _usually(known.users), _usually(known.turned_away)
    tail = ""
    if by_now is not None:
        attempts, success = by_now.attempts, by_now.success
        success_share = None if by_now.failed_share is None else 1 - by_now.failed_share
        tail, users, turned_away = " by now", "so far", "so far"
    high_share = history.filter(pl.col("day") == detail.day)["high_share"].item()
    high = high_share is not None and detail.attempts > 0 and detail.failed / detail.attempts >= high_share
    counted = [_usually(value, tail) or ("so far" if by_now else "") for value in (attempts, success)]
    return [
        Tile("Attempts", words.count(detail.attempts), counted[0], spark=_spark(recent, "attempts")),
        Tile("Accepted", words.count(detail.success), counted[1], spark=_spark(recent, "success")),
        Tile(
            "Success rate",
            words.share(detail.success, detail.attempts),
            f"usual {words.share(success_share)}" if success_share is not None else "",
            hue="red" if high else "gray",
            spark=(full["success"] / full["attempts"]).to_list(),
            kind="line",
        ),
        Tile(
            "Users or clients" if clients_only(detail) else "Users",
            words.count(detail.users_count),
            users,
            spark=_spark(recent, "users"),
            help=CLIENTS if clients_only(detail) else None,
        ),
        Tile(
            "Turned away",
            words.count(detail.turned_away),
            turned_away,
            spark=_spark(recent, "turned_away"),
            help="Users who were refused and have not been accepted since.",
        ),
        Tile(
            "Answer time p95",
            words.milliseconds(detail.p95_ms),
            f"usual {words.milliseconds(known.p95_ms)}" if known.p95_ms is not None else "",
            spark=full["p95_ms"].drop_nulls().to_list(),
            kind="line",
        ),
    ]


CLIENTS = "No attempt named its user, so network addresses are told apart: several users may share one."


def clients_only(detail: DayDetail) -> bool:
    """Whether no attempt of the day named its user; an access log never does."""
    return detail.users.height > 0 and bool(detail.users["user"].str.starts_with("c_").all())


def _usually(value: int | None, tail: str = "") -> str:
    return "" if value is None else f"usual {words.count(value)}{tail}"


def _spark(recent: pl.DataFrame, column: str) -> list[float]:
    return [float(value or 0) for value in recent[column].to_list()]


def note(day: date, now: datetime, zone: ZoneInfo, is_open: bool) -> str:
    """Beside the badge: the day, and up to when it is known while it is open."""
    if is_open:
        return f"{words.long_day(day)}, {words.clock(now, zone)} {zone.key}"
    return f"{words.long_day(day)} · all times in {zone.key}"
