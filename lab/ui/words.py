"""How figures, times, names and stored text are written in the interface.

The trap it avoids: Markdown and Plotly both interpret text. A stored name `![](http://…)` would become a
beacon in the operator's browser, so whatever is not our own constant passes `safe` or `hover_safe` first.
"""

from __future__ import annotations

import html
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from lab.attempt import readable

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@/=\"'^])")


def safe(text: str) -> str:
    """Text that Streamlit Markdown shows letter by letter, as one line.

    Addresses are found again after escapes are read, so a word joiner keeps them from becoming links.
    """
    shown = " ".join(text.split()).replace("://", ":\u2060//").replace("www.", "www\u2060.")
    return _SPECIAL.sub(r"\\\1", shown)


def hover_safe(text: str) -> str:
    """Text that Plotly shows letter by letter: its labels are a small subset of HTML and of d3 templates."""
    return html.escape(text, quote=False).replace("%{", "%\u2060{")


def count(value: int | float | None) -> str:
    """1,204; a long dash where there is nothing to count."""
    return "–" if value is None else f"{value:,.0f}"


def share(part: float | None, whole: float | None = None) -> str:
    """20.0%, of a fraction or of part and whole; a long dash when the whole is nothing."""
    if whole is not None:
        part = None if part is None or whole == 0 else part / whole
    return "–" if part is None else f"{part * 100:.1f}%"


def milliseconds(value: float | None) -> str:
    """38 ms, 2.4 ms, 1.2 s."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def many(number: int, one: str, several: str | None = None) -> str:
    """1 attempt, 1,204 attempts."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def clock(instant: datetime, zone: ZoneInfo) -> str:
    """13:53 in the lab's zone."""
    return instant.astimezone(zone).strftime("%H:%M")


def clock_to_second(instant: datetime, zone: ZoneInfo) -> str:
    """13:53:07 in the lab's zone."""
    return instant.astimezone(zone).strftime("%H:%M:%S")


def short_day(day: date, today: date | None = None) -> str:
    """18 Nov; with the year when it is not today's."""
    return f"{day.day} {day:%b}" + (f" {day.year}" if today and today.year != day.year else "")


def plain_day(day: date) -> str:
    """18 November, without the year, inside a sentence."""
    return f"{day.day} {day:%B}"


def long_day(day: date) -> str:
    """Tuesday 18 November 2025."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def relative_day(day: date, today: date) -> str:
    """today, yesterday, on 18 November (with the year when it is another one)."""
    if day == today:
        return "today"
    if day == today - timedelta(days=1):
        return "yesterday"
    return f"on {plain_day(day)}" if day.year == today.year else f"on {plain_day(day)} {day.year}"


def span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """13:53 to 14:01; one time when both are the same minute."""
    first, last = clock(start, zone), clock(end, zone)
    return first if first == last else f"{first} to {last}"


JUST_NOW_S = 5


def ago(seconds: float) -> str:
    """Just now, 14 s ago, 12 min ago, 5 h ago, 3 days ago."""
    if seconds < JUST_NOW_S:
        return "just now"
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit if unit != 'day' or number == 1 else 'days'} ago"
    return f"{int(seconds)} s ago"


def name(code: str) -> str:
    """A code as words, as reports write it too."""
    return readable(code)
