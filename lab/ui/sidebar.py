"""The sidebar: whose traffic, which window, and the few lines that say whether the lab is well.

The trap it avoids: a figure drawn in the colours of the mode before. The status lines are a fragment of their
own that looks every few seconds; it also sees when the browser turned light or dark and runs the page again.
"""

from __future__ import annotations

import streamlit as st

from lab.clock import business_day
from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import pick
from lab.sealing import states
from lab.ui import loaders, models, words
from lab.ui.cards import Badge, icon
from lab.ui.here import DEFAULT_WINDOW, DRAWN_MODE, EARLIEST, WINDOWS, chosen_traffic, redraw, usual_traffic
from lab.ui.links import window_label
from lab.ui.runtime import current_lab

EVERY_S = 5
BUSY_S = 1
"""Work under way is told as often here as on its page, so that both say the same."""
DRAWN_JOBS = "_drawn_jobs"
LIVE_S = 900
"""A lab whose last attempt is older than this is quiet, not live."""
KINDS = {"demo": "Filling", "simulate": "Simulating", "burst": "Simulating", "import": "Importing", "report": "Writing"}


def sidebar(lab: Lab) -> None:
    """Draw it; `here()` reads what was chosen."""
    version = lab.log.version()
    st.session_state[DRAWN_MODE] = st.context.theme.type
    st.session_state[DRAWN_JOBS] = _under_way(lab)
    with st.sidebar:
        whose = [one.value for one in Traffic]
        usual = whose.index(usual_traffic(version).value)
        st.selectbox("Traffic", whose, index=usual, key="traffic", bind="query-params")
        st.selectbox(
            "Window",
            WINDOWS,
            index=WINDOWS.index(DEFAULT_WINDOW),
            format_func=window_label,
            key="window",
            bind="query-params",
        )
        st.date_input(
            "Until",
            value=None,
            min_value=EARLIEST,
            key="until",
            format="YYYY-MM-DD",
            bind="query-params",
            help="Last day of the window; empty means the last day with data.",
        )
        st.fragment(_status, run_every=EVERY_S if not lab.jobs.active() else BUSY_S)()


def _status() -> None:
    drawn = st.session_state.get(DRAWN_MODE)
    if drawn is not None and st.context.theme.type not in (None, drawn):
        redraw()
    lab = current_lab()
    if st.session_state.get(DRAWN_JOBS) != _under_way(lab):
        redraw()
    version = lab.log.version()
    traffic = chosen_traffic(version)
    kind = "" if traffic == Traffic.ALL else f"{traffic.value.lower()} "
    last = loaders.totals(version, traffic).last_at
    with st.container(gap="xxsmall"):
        if last is None:
            _line(Badge("Empty", "gray", "hourglass_empty"), f"no {kind}attempt yet")
        else:
            day, today = business_day(last, lab.zone), business_day(lab.clock(), lab.zone)
            age = (lab.clock() - last).total_seconds()
            live = age < LIVE_S
            badge = Badge("Live", "green", "sensors") if live else Badge("Quiet", "gray", "sensors_off")
            when = words.ago(age) if age < 86_400 else words.short_day(day, today)
            _line(badge, f"{kind}attempt {when}")
        if closed := [day for day, state in states(lab).items() if state == "sealed"]:
            today = business_day(lab.clock(), lab.zone)
            _line(Badge("Sealed", "gray", "lock"), f"to {words.short_day(max(closed), today)}")
        for job in lab.jobs.active()[:2]:
            _line(Badge(KINDS.get(job.kind, "Working"), "orange", "pending"), f"{job.share:.0%}")
        _model(lab)
        st.markdown(f":small[All times in {words.safe(lab.settings.zone_name)}]")


def _under_way(lab: Lab) -> list[str]:
    """Jobs by id: when one begins or ends, in this browser or another, the page is drawn anew."""
    return [job.id for job in lab.jobs.active()]


def _model(lab: Lab) -> None:
    chosen = pick(models.status(lab).models, lab.settings.ollama_model)
    if chosen is None:
        _line(Badge("No model", "orange", "power_off"), "rules write")
    else:
        _line(Badge("Model", "green", "smart_toy"), chosen[0].name)


def _line(badge: Badge, text: str) -> None:
    st.markdown(f":{badge.hue}-badge[{icon(badge.icon)} {words.safe(badge.word)}] :small[{words.safe(text)}]")
