"""Overview: how today stands, what the last weeks looked like, what comes in right now."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from lab.ui import cards, charts, links, loaders, overview, standing, words
from lab.ui import day as parts
from lab.ui.here import here

view = here()
if view.empty:
    overview.empty_lab(view)
    st.stop()

day, version, traffic = view.shown, view.version, view.traffic
overview.running(view.lab)
detail = loaders.day(version, traffic, day, view.tick(day))
by_now = loaders.expected_by_now(version, traffic, day, view.tick(day))
history = loaders.trend(version, traffic, day - timedelta(days=standing.HISTORY_DAYS), day, view.today)
stands = standing.standing(history, detail, by_now, view.today)
parts.head(view, detail, stands)
cards.tiles(standing.tiles(history, detail, by_now))

trend = loaders.trend(version, traffic, view.first, view.last, view.today)
left, right = st.columns([2, 1])
with left, st.container(border=True, height="stretch"):
    until = words.clock(view.now, view.lab.zone)
    if picked := cards.figure(charts.trend(trend, view.colours, until), "trend", select=True):
        links.open_page("day", day=picked[0])
with right, st.container(border=True, height="stretch"):
    overview.stands_out(view, trend)
    st.space("stretch")
    overview.all_time(view)

left, right = st.columns([1.15, 1])
with left, st.container(border=True, height="stretch"):
    overview.live_hour(view)
with right, st.container(border=True, height="stretch"):
    if picked := cards.figure(charts.failure_categories(detail.categories, view.colours), "categories", select=True):
        links.attempts(links.on_day(day), category=picked[0])

left, right = st.columns([1.15, 1])
with left, st.container(border=True, height="stretch"):
    cells = loaders.cells(version, traffic, day, day)
    if picked := cards.figure(charts.cells(cells, view.colours), "cells", select=True):
        links.attempts(links.on_day(day), source=picked[0], page=picked[1])
with right, st.container(border=True):
    chart = charts.outcomes(detail.sources, "source", "source", view.colours)
    if picked := cards.figure(chart, "sources", select=True):
        links.attempts(links.on_day(day), source=picked[0])
with right, st.container(border=True, height="stretch"):
    overview.latest_report(view)
