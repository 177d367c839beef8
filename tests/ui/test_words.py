"""How figures, times and stored text are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from lab.ui import words


@pytest.mark.parametrize("text", ["![](http://evil/)", ":red-badge[x]", "**b** `c`", "$x^2$", "<b>", "https://evil"])
def test_stored_text_cannot_become_markdown(text: str) -> None:
    """Every mark that Markdown, its directives or its autolinks know is escaped."""
    shown = words.safe(text)
    marks = set("![]()<>:*`$/")
    assert all(shown[at - 1] == "\\" for at, letter in enumerate(shown) if letter in marks)
    assert shown.replace("\\", "").replace("\u2060", "") == text
    assert "://" not in shown.replace("\\", "")


def test_stored_text_stays_on_one_line() -> None:
    """A line break would start a new Markdown block."""
    assert words.safe("a\n\n# b") == "a \\# b"


def test_stored_text_cannot_become_a_plotly_label() -> None:
    """Neither HTML nor a hover template survives."""
    assert words.hover_safe("<a href=x>%{y}") == "&lt;a href=x&gt;%\u2060{y}"


def test_numbers_read_as_the_look_asks() -> None:
    """1,204; 20.0%; 38 ms; a dash where there is nothing."""
    assert words.count(1204) == "1,204"
    assert words.share(0.2) == "20.0%"
    assert words.share(241, 1204) == "20.0%"
    assert words.share(0, 0) == "–" == words.count(None) == words.milliseconds(None)
    assert words.milliseconds(38.2) == "38 ms"
    assert words.milliseconds(2.44) == "2.4 ms"
    assert words.milliseconds(1234.0) == "1.2 s"
    assert words.many(1, "attempt") == "1 attempt"
    assert words.many(1204, "attempt") == "1,204 attempts"


def test_times_are_in_the_labs_zone() -> None:
    """13:53 to 14:01, and days by name."""
    zone = ZoneInfo("Europe/Amsterdam")
    start, end = datetime(2025, 11, 20, 12, 53, tzinfo=UTC), datetime(2025, 11, 20, 13, 1, tzinfo=UTC)
    assert words.span(start, end, zone) == "13:53 to 14:01"
    assert words.span(start, start, zone) == "13:53"
    assert words.clock_to_second(start, zone) == "13:53:00"
    assert words.long_day(date(2025, 11, 18)) == "Tuesday 18 November 2025"
    assert words.short_day(date(2025, 11, 8)) == "8 Nov"


def test_days_are_named_from_today() -> None:
    """today, yesterday, on 18 November, and the year when it is another."""
    today = date(2025, 11, 21)
    assert words.relative_day(today, today) == "today"
    assert words.relative_day(date(2025, 11, 20), today) == "yesterday"
    assert words.relative_day(date(2025, 11, 18), today) == "on 18 November"
    assert words.relative_day(date(2015, 5, 12), today) == "on 12 May 2015"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(14.2, "14 s ago"), (4.2, "just now"), (-1, "just now"), (725, "12 min ago"), (18_001, "5 h ago"), (86_400, "1 day ago")],
)
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    """The largest unit that fits, rounded down."""
    assert words.ago(seconds) == text


def test_codes_become_words_and_paths_stay() -> None:
    """WEBSITE_FORM reads Website form; /pricing is a path."""
    assert words.name("WEBSITE_FORM") == "Website form"
    assert words.name("PARTNER_API") == "Partner API"
    assert words.name("double_click") == "Double click"
    assert words.name("/pricing") == "/pricing"
