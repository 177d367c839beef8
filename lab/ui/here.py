"""Where the reader stands: which lab, which state of its log, whose traffic, which days, which colours.

The trap it avoids: pages that each ask the log its version and read the sidebar in their own way. A page takes
one Here at its top and passes its parts to the loaders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import streamlit as st

from lab.clock import business_day
from lab.metrics import Traffic
from lab.opening import Lab
from lab.ui import loaders
from lab.ui.palette import Palette, palette
from lab.ui.runtime import current_lab

WINDOWS = (7, 30, 90)
DEFAULT_WINDOW = 30
EARLIEST = date(1990, 1, 1)
"""First day that a date input takes; left alone it takes ten years back from today, and an old log is older."""
DRAWN_MODE, DRAWN_VERSION = "_drawn_mode", "_drawn_version"


@dataclass(frozen=True)
class Here:
    """`days` are those that hold attempts of this traffic. `first` and `last` are the window's ends."""

    lab: Lab
    version: str
    traffic: Traffic
    now: datetime
    today: date
    days: tuple[date, ...]
    first: date
    last: date
    colours: Palette

    @property
    def empty(self) -> bool:
        return not self.days

    @property
    def shown(self) -> date:
        """Today if it holds anything, else the last day that does, else today."""
        return self.days[-1] if self.days else self.today

    def is_open(self, day: date) -> bool:
        return day >= self.today

    def tick(self, day: date) -> datetime | None:
        """What a loader of an open day is kept by beside the version: the minute. None for a day that is over."""
        return self.now.replace(second=0, microsecond=0) if self.is_open(day) else None


def here() -> Here:
    """Read the lab, its log's version, the sidebar's choices and the browser's mode, once a run."""
    lab = current_lab()
    version, now = lab.log.version(), lab.clock()
    today = business_day(now, lab.zone)
    traffic = chosen_traffic(version)
    days = tuple(loaders.days_with_data(version, traffic))
    window = int(st.session_state.get("window") or DEFAULT_WINDOW)
    last = st.session_state.get("until") or (days[-1] if days else today)
    st.session_state[DRAWN_VERSION] = version
    first = last - timedelta(days=window - 1)
    return Here(lab, version, traffic, now, today, days, first, last, palette(st.context.theme.type))


def chosen_traffic(version: str) -> Traffic:
    """What the sidebar says; before it has been drawn, Real once a real attempt exists."""
    said = st.session_state.get("traffic")
    if said in set(Traffic):
        return Traffic(said)
    return Traffic.REAL if loaders.has_real(version) else Traffic.ALL
