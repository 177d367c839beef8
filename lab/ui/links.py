"""Ways from one page to another, with what was picked in the URL; a page that does not exist is not linked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

import streamlit as st

from lab.ui import words
from lab.ui.cards import icon

PAGES = Path(__file__).resolve().parents[2] / "pages"


def exists(page: str) -> bool:
    """Whether there is such a page."""
    return (PAGES / f"{page}.py").is_file()


def link(page: str, label: str, symbol: str = "arrow_forward", /, **query: str) -> None:
    """A link to a page, the arrow on its right; nothing where the page is not there.

    Streamlit adds the sidebar's choices, which are bound to the URL on every page, and refuses to be given them.
    """
    if exists(page):
        st.page_link(
            f"{page}.py",
            label=words.safe(label),
            icon=icon(symbol),
            icon_position="right",
            query_params=query or None,
        )


def open_page(page: str, /, **query: str) -> NoReturn:
    """Leave for another page at once, before what was selected fades the rest of its chart."""
    st.switch_page(f"{page}.py", query_params=query)
    raise AssertionError("st.switch_page returned")


def window_label(days: int) -> str:
    """What the sidebar's window is called."""
    return f"Last {days} days"


def attempts(query: Mapping[str, str], **chosen: str) -> NoReturn:
    """Leave for the attempts of a source, page, category or user; a bound select box is told its option's label."""
    shown = {key: value if key == "user" else words.name(value) for key, value in chosen.items()}
    open_page("attempts", **query, **shown)


def on_day(day: date) -> dict[str, str]:
    """The attempts of one day, as the Attempts page reads them from the URL."""
    return {"from": day.isoformat(), "to": day.isoformat()}


def within(start: datetime, end: datetime) -> dict[str, str]:
    """The attempts of a stretch of time, end exclusive."""
    return {"since": start.isoformat(), "before": end.isoformat()}
