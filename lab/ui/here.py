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
DRAWN_MODE = "_drawn_mode"


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
    first = last - timedelta(days=window - 1)
    return Here(lab, version, traffic, now, today, days, first, last, palette(st.context.theme.type))


def chosen_traffic(version: str) -> Traffic:
    """What the sidebar says, or what it will say."""
    said = st.session_state.get("traffic")
    return Traffic(said) if said in set(Traffic) else usual_traffic(version)


def usual_traffic(version: str) -> Traffic:
    """Real once a real attempt exists."""
    return Traffic.REAL if loaders.has_real(version) else Traffic.ALL


def redraw() -> None:
    """Run the whole page again, from a fragment; a click that already waits goes first.

    A run that is asked for while another request waits keeps its own page, so a link clicked meanwhile would be
    lost. Streamlit leaves for what waits whenever the session is read.
    """
    st.session_state.get(DRAWN_MODE)
    st.rerun()
