"""Day: one business day, why attempts failed, from where, by whom and when."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from lab.ui import cards, charts, links, loaders, standing
from lab.ui import day as parts
from lab.ui.here import here

parts.take_picked()
view = here()
day = parts.chooser(view)
detail = loaders.day(view.version, view.traffic, day, view.tick(day))
if not detail.attempts:
    parts.nothing(view, day)
    st.stop()

start = day - timedelta(days=standing.HISTORY_DAYS)
history = loaders.trend(view.version, view.traffic, start, day, view.today)
by_now = loaders.expected_by_now(view.version, view.traffic, day, view.tick(day))
stands = standing.standing(history, detail, by_now, view.today)
parts.head(view, detail, stands)
cards.tiles(standing.tiles(history, detail, by_now))
parts.calendar(view, day)

with st.container(border=True):
    chart = charts.day_timeline(detail.minutes, detail.bursts, view.colours, view.lab.zone, detail.open)
    if picked := cards.figure(chart, "timeline", select=True):
        first = detail.minutes["minute"][int(picked[1]) * charts.TIMELINE_STEP]
        links.attempts(links.within(first, first + timedelta(minutes=charts.TIMELINE_STEP)))

on_day = links.on_day(day)
category, source, page = st.columns(3)
with category, st.container(border=True, height="stretch"):
    if picked := cards.figure(charts.failure_categories(detail.categories, view.colours), "categories", select=True):
        links.attempts(on_day, category=picked[0])
with source, st.container(border=True, height="stretch"):
    chart = charts.outcomes(detail.sources, "source", "source", view.colours)
    if picked := cards.figure(chart, "sources", select=True):
        links.attempts(on_day, source=picked[0])
with page, st.container(border=True, height="stretch"):
    chart = charts.outcomes(detail.pages, "page", "page", view.colours)
    if picked := cards.figure(chart, "pages", select=True):
        links.attempts(on_day, page=picked[0])

with st.container(border=True):
    parts.reasons(detail)
left, right = st.columns([1.4, 1])
with left, st.container(border=True, height="stretch"):
    parts.users(view, detail)
    parts.duplicates(detail)
with right, st.container(border=True, height="stretch"):
    parts.bursts(view, detail)
    parts.rate_limits(detail)
