"""Report: a day in words, every figure traced to a fact."""

from __future__ import annotations

import streamlit as st

from lab.ui import models, report_body, report_desk
from lab.ui.here import here

view = here()
lab = view.lab
found = models.status(lab)
desk = report_desk.desk(view, found)
models.line(lab, found)
report_desk.how_it_went(lab, desk.day)
if desk.report is None:
    report_desk.nothing_yet(view, desk.day, desk.job)
    st.stop()
if desk.job is not None:
    report_desk.under_way(desk.job)

left, right = st.columns([1.75, 1], gap="large")
with left:
    report_body.head(desk.report, lab.zone)
    report_body.sections(desk.report, report_body.picture(view, desk.report))
with right:
    with st.container(border=True):
        report_body.traced(desk.report)
    with st.container(border=True):
        report_body.telling(desk.report, lab.zone)
