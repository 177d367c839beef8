"""How a day stands: judged when it is over, compared at the same time of day while it is open."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from lab.metrics import ByNow, DayDetail, Traffic
from lab.ui.cards import IN_RANGE, NEEDS_A_LOOK, TOO_EARLY, sparkline
from lab.ui.standing import standing, tiles

TODAY = date(2026, 11, 20)
EMPTY = pl.DataFrame()


def detail(day: date, attempts: int, failed: int, is_open: bool = False, **more: Any) -> DayDetail:
    categories = pl.DataFrame({"category": ["RATE_LIMIT_EXCEEDED"], "attempts": [failed]})
    sources = pl.DataFrame(
        {"source": ["WEBSITE_FORM", "PARTNER_API"], "attempts": [attempts - 40, 40], "success": [0, 0], "failed": [0, 0]}
    )
    given = {
        "users_count": 0, "turned_away": 0, "replays": 0, "simulated_attempts": 0, "p50_ms": None, "p95_ms": 41.0,
        "first_at": None, "last_at": None, "reasons": EMPTY, "pages": EMPTY, "users": pl.DataFrame({"user": ["u_01", "c_02"]}), "duplicates": EMPTY,
        "rate_limits": EMPTY, "minutes": EMPTY, "bursts": EMPTY, "categories": categories, "sources": sources, **more,
    }  # fmt: skip
    return DayDetail(
        day=day, traffic=Traffic.ALL, attempts=attempts, success=attempts - failed, failed=failed, open=is_open, **given
    )


def history(days: int, last: date, is_open: bool = False) -> pl.DataFrame:
    rows = [
        {
            "day": last - timedelta(days=back), "attempts": 1000, "success": 920 - back % 3, "failed": 80 + back % 3,
            "users": 500, "turned_away": 20, "p95_ms": 40.0, "expected_low": 900.0, "expected_high": 1100.0,
            "failed_share": (80 + back % 3) / 1000, "usual_share": 0.081, "high_share": 0.14, "open": is_open and back == 0,
        }
        for back in range(days - 1, -1, -1)
    ]  # fmt: skip
    return pl.DataFrame(rows)


NOON = ByNow(elapsed_s=43_200, points=8, attempts=500, success=460, failed=40, failed_share=0.08)
UNKNOWN = ("expected_low", "expected_high", "usual_share", "high_share")


def test_half_of_the_usual_at_half_of_the_day_is_in_range() -> None:
    """The open day's count meets the same time of day, never a whole day."""
    told = standing(history(63, TODAY, True), detail(TODAY, 500, 40, True), NOON, TODAY)
    assert (told.badge, told.title) == (IN_RANGE, "Today is inside its usual range")


@pytest.mark.parametrize(
    ("attempts", "title"),
    [
        (200, "Fewer attempts than usual today: 200, usually 500 by now"),
        (900, "More attempts than usual today: 900, usually 500 by now"),
    ],
)
def test_an_open_day_far_from_its_usual_needs_a_look(attempts: int, title: str) -> None:
    """By half, against what the weekday held by now."""
    told = standing(history(63, TODAY, True), detail(TODAY, attempts, attempts // 12, True), NOON, TODAY)
    assert (told.badge, told.title) == (NEEDS_A_LOOK, title)


def test_an_open_day_is_not_judged_by_few_points() -> None:
    """Five earlier weekdays are no usual."""
    few = ByNow(elapsed_s=43_200, points=5, attempts=None, success=None, failed=None)
    told = standing(history(63, TODAY, True), detail(TODAY, 900, 70, True), few, TODAY)
    assert told.badge == IN_RANGE


def test_a_failing_source_is_named() -> None:
    """When one source holds most of the failures, the title says which and by how much."""
    sources = pl.DataFrame(
        {"source": ["WEBSITE_FORM", "PARTNER_API"], "attempts": [800, 200], "success": [740, 60], "failed": [60, 140]}
    )
    day = TODAY - timedelta(days=2)
    told = standing(history(63, day), detail(day, 1000, 200, sources=sources), None, TODAY)
    assert told.title == "Partner API is being refused: 7 in 10 attempts failed on 18 November"
    assert told.sentence == "Rate limit exceeded accounts for 200 of 200 failures."


def test_a_young_lab_is_not_judged() -> None:
    """Under six whole days the title is the plain figures."""
    young = history(4, TODAY).with_columns(pl.lit(None, pl.Float64).alias(name) for name in UNKNOWN)
    told = standing(young, detail(TODAY, 209, 97), None, TODAY)
    assert (told.badge, told.title) == (TOO_EARLY, "209 attempts today, 46.4% failed")


def test_tiles_of_an_open_day_say_so() -> None:
    """Counts are compared by now; what has no such figure is so far."""
    shown = tiles(history(63, TODAY, True), detail(TODAY, 500, 40, True), NOON)
    assert [one.usual for one in shown] == [
        "usual 500 by now", "usual 460 by now", "usual 92.0%", "so far", "so far", "usual 40 ms",
    ]  # fmt: skip


def test_tiles_of_a_whole_day_take_its_weekday() -> None:
    """Medians of the same weekday; a label fits six abreast."""
    shown = tiles(history(63, TODAY), detail(TODAY, 1000, 400), None)
    assert [one.usual for one in shown] == [
        "usual 1,000", "usual 919", "usual 91.9%", "usual 500", "usual 20", "usual 40 ms",
    ]  # fmt: skip
    assert shown[2].hue == "red"
    assert all(len(one.label) <= 16 for one in shown)


def test_a_week_of_history_has_no_usual() -> None:
    """Six days of the same weekday are needed, for every tile alike."""
    shown = tiles(history(40, TODAY), detail(TODAY, 1000, 80), None)
    assert [one.usual for one in shown] == [""] * 6


def test_addresses_are_not_called_users() -> None:
    """An access log names no user: the tile says so and explains it."""
    day = detail(TODAY, 1000, 80, users=pl.DataFrame({"user": ["c_01", "c_02"]}))
    shown = tiles(history(63, TODAY), day, None)[3]
    assert (shown.label, bool(shown.help)) == ("Users or clients", True)
    assert tiles(history(63, TODAY), detail(TODAY, 1000, 80), None)[3].label == "Users"


def test_a_tile_draws_no_line_of_one_point() -> None:
    """Nor of zeros, nor of what is not a number: such a line has no extent."""
    assert sparkline([3.0]) is None
    assert sparkline([0.0, 0.0]) is None
    assert sparkline([float("nan"), 1.0]) is None
    assert sparkline([1.0, 0.0]) == [1.0, 0.0]
