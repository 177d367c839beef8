"""What pages read, kept by the log's version: equal version, equal rows, so nothing here is ever stale.

The trap it avoids: a cache by time, which shows old figures as new ones. Every loader takes the version first,
and, where the answer moves with the clock, the minute too. Never imported by app.py: Streamlit has no runtime
there yet.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import streamlit as st

from lab.metrics import ByNow, Cursor, DayDetail, Dimension, Filter, Page, Totals, Traffic
from lab.ui.runtime import current_lab


@st.cache_data(max_entries=16, show_spinner=False)
def has_real(version: str) -> bool:
    """Whether a real attempt was ever stored."""
    return current_lab().metrics.has_real()


@st.cache_data(max_entries=16, show_spinner=False)
def days_with_data(version: str, traffic: Traffic) -> list[date]:
    """Days that hold attempts of this traffic, oldest first."""
    return current_lab().metrics.days_with_data(traffic)


@st.cache_data(max_entries=16, show_spinner=False)
def totals(version: str, traffic: Traffic) -> Totals:
    """All time."""
    return current_lab().metrics.totals(traffic)


@st.cache_data(max_entries=32, show_spinner=False)
def trend(version: str, traffic: Traffic, first: date, last: date, today: date) -> pl.DataFrame:
    """Days with their expected range; `today` says which of them is open."""
    return current_lab().metrics.trend(first, last, traffic)


@st.cache_data(max_entries=32, show_spinner=False)
def by(version: str, traffic: Traffic, dimension: Dimension, first: date, last: date) -> pl.DataFrame:
    """Daily counts by source, page, category or duplicate kind."""
    return current_lab().metrics.by(dimension, first, last, traffic)


@st.cache_data(max_entries=32, show_spinner=False)
def cells(version: str, traffic: Traffic, first: date, last: date) -> pl.DataFrame:
    """Sources by pages."""
    return current_lab().metrics.cells(first, last, traffic)


@st.cache_data(max_entries=32, show_spinner=False)
def day(version: str, traffic: Traffic, on: date, tick: datetime | None) -> DayDetail:
    """Everything about one day; `tick` is the minute while it is open."""
    return current_lab().metrics.day(on, traffic)


@st.cache_data(max_entries=16, show_spinner=False)
def expected_by_now(version: str, traffic: Traffic, on: date, tick: datetime | None) -> ByNow | None:
    """What the same weekday usually held at this time of day; None for a day that is over."""
    return None if tick is None else current_lab().metrics.expected_by_now(on, tick, traffic)


@st.cache_data(max_entries=16, show_spinner=False)
def _last_hour(version: str, traffic: Traffic) -> pl.DataFrame:
    lab = current_lab()
    return lab.metrics.last_minutes(lab.clock(), 60, traffic)


def last_minutes(version: str, traffic: Traffic, now: datetime) -> pl.DataFrame:
    """The last 60 minutes at `now`: without new rows the clock alone moves them, and no query is run."""
    return shifted(_last_hour(version, traffic), now)


def shifted(frame: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The same number of minutes ending at `now`, when nothing has arrived since the frame was read."""
    late = int((now.replace(second=0, microsecond=0) - frame["minute"][-1]).total_seconds() // 60)
    if late <= 0:
        return frame
    size = frame.height
    minutes = [frame["minute"][-1] + timedelta(minutes=at) for at in range(max(1, late - size + 1), late + 1)]
    blank: dict[str, Any] = {"minute": minutes, **{name: [0] * len(minutes) for name in frame.columns[1:]}}
    return pl.concat([frame, pl.DataFrame(blank, schema=frame.schema)]).tail(size)


@st.cache_data(max_entries=16, show_spinner=False)
def keys(version: str, dimension: Dimension) -> list[str]:
    """Every source, page or category that was ever stored, by name."""
    found = current_lab().metrics.by(dimension)["key"].drop_nulls().unique().sort()
    return [str(one) for one in found.to_list()]


@st.cache_data(max_entries=64, show_spinner=False)
def page(version: str, asked: Filter, before: Cursor | None, size: int) -> Page:
    """A page of stored rows."""
    return current_lab().metrics.page(asked, before, size)
