"""System: the first thing wrong, or everything in order; the log, the jobs, the settings in force."""

from __future__ import annotations

import streamlit as st

from lab.disk import look
from lab.ui import cards, seals, system_parts, upkeep
from lab.ui.runtime import current_lab

lab = current_lab()
findings = system_parts.checks(str(lab.settings.data_dir))
badge, title, sentence = system_parts.headline(findings)
cards.head([badge], f"All times in {lab.settings.zone_name}", title, sentence)
on_disk, growth = look(lab.database, lab.settings.data_dir, lab.settings.database_url)
system_parts.tiles(lab, lab.log.version(), on_disk)
left, right = st.columns(2)
with left, st.container(border=True, height="stretch"):
    system_parts.health(findings)
with right, st.container(border=True, height="stretch"):
    system_parts.model_card(lab)
left, right = st.columns(2)
with left, st.container(border=True, height="stretch"):
    seals.panel(lab)
with right, st.container(border=True, height="stretch"):
    system_parts.jobs(lab)
left, right = st.columns(2)
with left, st.container(border=True, height="stretch"):
    upkeep.disk(lab, on_disk, growth)
with right, st.container(border=True, height="stretch"):
    upkeep.tasks(lab)
left, right = st.columns(2)
with left, st.container(border=True, height="stretch"):
    system_parts.sources(lab)
with right, st.container(border=True, height="stretch"):
    system_parts.settings(lab)
    system_parts.versions()
