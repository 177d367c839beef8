"""Simulate: fill past days or send a burst now, watch it, see what it planted."""

from __future__ import annotations

import streamlit as st

from lab.ui import cards, run_form, run_panel
from lab.ui.runtime import current_lab

lab = current_lab()
badge, title, sentence = run_panel.title(lab)
cards.head([badge], f"All times in {lab.settings.zone_name}", title, sentence)
left, right = st.columns([1, 1.6])
with left:
    run_form.form(lab)
with right:
    run_panel.panel(lab)
run_panel.history(lab)
