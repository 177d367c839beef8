"""A strip over the list of attempts: where in time the selection lies, by days or by the hours of one day.

Drawn where the counts that are kept anyway can tell: no user, words or stretch of time, and one key at most.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import streamlit as st

from lab.attempt import Outcome
from lab.metrics import Filter
from lab.metrics.daily import Dimension
from lab.ui import charts, loaders, words
from lab.ui.charts.minutes import binned
from lab.ui.here import Here
from lab.ui.template import CONFIG

MAX_DAYS = 400


def strip(here: Here, asked: Filter) -> None:
    """Draw it, or nothing."""
    possible: tuple[tuple[Dimension, str | None], ...] = (
        ("category", asked.category), ("source", asked.source), ("page", asked.page),
    )  # fmt: skip
    keys = [(name, value) for name, value in possible if value is not None]
    first, last = asked.first, asked.last
    if first is None or last is None or asked.user or asked.text or asked.since or asked.until or len(keys) > 1:
        return
    if first == last and not keys:
        hours = binned(loaders.day(here.version, here.traffic, first, here.tick(first)).minutes, 60)
        labels = [f"{one.astimezone(here.lab.zone):%H:%M}" for one in hours["minute"].to_list()]
        _draw(here, asked, hours, labels, "by the hour")
    elif timedelta(days=1) <= last - first <= timedelta(days=MAX_DAYS):
        daily = _daily(here, first, last, keys)
        _draw(here, asked, daily, [words.long_day(day) for day in daily["day"].to_list()], "by the day")


def _daily(here: Here, first: date, last: date, keys: list[tuple[Dimension, str]]) -> pl.DataFrame:
    if not keys:
        return loaders.trend(here.version, here.traffic, first, last, here.today)
    [(dimension, key)] = keys
    found = loaders.by(here.version, here.traffic, dimension, first, last).filter(pl.col("key") == key)
    days = pl.DataFrame({"day": pl.date_range(first, last, eager=True)})
    return days.join(found, on="day", how="left").with_columns(pl.col("success", "failed").fill_null(0)).sort("day")


def _draw(here: Here, asked: Filter, frame: pl.DataFrame, labels: list[str], how: str) -> None:
    accepted = [0] * frame.height if asked.outcome == Outcome.FAILED else frame["success"].to_list()
    failed = [0] * frame.height if asked.outcome == Outcome.SUCCESS else frame["failed"].to_list()
    figure = charts.histogram(labels, accepted, failed, here.colours)
    st.plotly_chart(figure, theme=None, config=CONFIG, key="strip", alt=f"The selected attempts {how}")
