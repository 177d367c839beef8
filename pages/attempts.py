"""Attempts: every stored attempt, filtered, page by page; one opened with its whole context; downloads."""

from __future__ import annotations

import streamlit as st

from lab.ui import attempts, cards, loaders
from lab.ui.drawer import drawer
from lab.ui.here import here
from lab.ui.strip import strip

view = here()
head = st.container()
asked = attempts.filter_row(view)
place = attempts.Place(asked, view.version)
found = loaders.page(view.version, asked, place.cursors[-1], attempts.ROWS)

with head:
    badge = cards.Badge(f"{view.traffic} traffic", "gray", "filter_alt")
    note = f"all times in {view.lab.settings.zone_name}"
    cards.head([badge], note, attempts.sentence(asked, found.attempts, view))
if asked.since or asked.until:
    st.button("Show the whole time", icon=":material/zoom_out_map:", on_click=attempts.whole_time)
if view.empty:
    cards.empty_traffic(view.traffic.value)
    st.stop()
if not found.total:
    attempts.nothing(view, asked)
    st.stop()

strip(view, asked)
several = asked.first != asked.last or asked.first is None
attempts.pager(view, found, place, asked)
opened = attempts.table(view, found, several) or st.query_params.get("attempt")
if opened:
    drawer(view, opened)
