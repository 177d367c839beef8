"""The Simulate page's left half: what to simulate, checked before it starts.

The trap it avoids: a form that starts a second run of the same kind because it was pressed twice. A run's kind is
its key, so whoever asks meanwhile is shown the one under way. What was chosen is kept for the session, so a page
that was left is found as it was.
"""

from __future__ import annotations

import streamlit as st

from lab.errors import BadRequest
from lab.opening import Lab
from lab.ui import words
from lab.ui.jobs_panel import active
from lab.ui.overview import start_demo

KINDS = ("demo", "simulate", "burst")
FILLING = ("demo", "simulate")
RUN = "simulate_job"
BACKFILL, BURST = "Past days", "A burst now"
_NOTHING = "Nothing"


def form(lab: Lab) -> None:
    """Choose past days or a burst, then its sizes; a wrong choice is answered beside the button."""
    ways = [BACKFILL, BURST]
    way = st.radio("What to simulate", ways, key="sim_way", horizontal=True, persist_state="session")
    with st.container(border=True):
        if way == BURST:
            _burst(lab)
        else:
            _backfill(lab)
    if way != BURST and not active(lab, KINDS):
        st.button(
            "Or fill the demo: ten weeks, two incidents", type="tertiary", icon=":material/auto_awesome:",
            on_click=start_demo,
        )  # fmt: skip


def _backfill(lab: Lab) -> None:
    from lab.simulator import SCENARIOS, TROUBLES, backfill, checked, scenario
    from lab.simulator.plan import MOST_DAYS, MOST_PER_DAY

    def said(name: str) -> str:
        own = {"healthy": _NOTHING, "demo": "Two incidents in the last five days, and today"}
        return own.get(name) or f"{TROUBLES[name].title} yesterday"

    left, right = st.columns(2)
    days = left.number_input(
        "Days", 1, MOST_DAYS, 70, key="sim_days", help="Whole days, ending yesterday.", persist_state="session"
    )
    per_day = right.number_input(
        "Attempts a day", 1, MOST_PER_DAY, 1_200, step=100, key="sim_per_day",
        help="About so many on a usual day.", persist_state="session",
    )
    name = st.selectbox(
        "What goes wrong", list(SCENARIOS), format_func=said, key="sim_scenario", persist_state="session"
    )
    sources = _sources(lab)
    seed = _seed()
    busy = bool(active(lab, FILLING))
    if _submit("Fill the days", busy):
        try:
            plan = scenario(name, days=int(days), per_day=int(per_day), seed=seed, sources=sources)
            checked(plan, lab.world)
        except BadRequest as error:
            st.error(words.safe(str(error)), icon=":material/error:")
            return
        params = plan.params()
        _started(lab.jobs.start("simulate", params, lambda progress: backfill(lab, plan, progress), key="simulate"))


def _burst(lab: Lab) -> None:
    from lab.simulator import TROUBLES, Plan, Trouble, burst, checked
    from lab.simulator.plan import MOST_ATTEMPTS, MOST_SECONDS

    left, right = st.columns(2)
    attempts = left.number_input(
        "Attempts", 1, MOST_ATTEMPTS, 300, step=100, key="sim_attempts", persist_state="session"
    )
    seconds = right.number_input(
        "Over how many seconds", 1, MOST_SECONDS, 60, step=10, key="sim_seconds", persist_state="session"
    )
    names = st.multiselect(
        "What goes wrong", list(TROUBLES), format_func=lambda name: TROUBLES[name].title, key="sim_troubles",
        persist_state="session", placeholder=_NOTHING,
        help=" ".join(f"{one.title}: {one.help}" for one in TROUBLES.values()),
    )  # fmt: skip
    sources = _sources(lab)
    seed = _seed()
    busy = bool(active(lab, ("burst",)))
    if _submit("Send the burst", busy):
        plan = Plan(
            "burst", seed=seed, sources=sources, troubles=tuple(Trouble(name) for name in names),
            attempts=int(attempts), seconds=int(seconds),
        )  # fmt: skip
        try:
            checked(plan, lab.world)
        except BadRequest as error:
            st.error(words.safe(str(error)), icon=":material/error:")
            return
        _started(lab.jobs.start("burst", plan.params(), lambda progress: burst(lab, plan, progress), key="burst"))


def _sources(lab: Lab) -> tuple[str, ...]:
    options = list(lab.world.sources)
    chosen = st.multiselect(
        "Sources", options, format_func=words.name, key="sim_sources", placeholder="All of them",
        persist_state="session",
    )  # fmt: skip
    return tuple(chosen)


def _seed() -> int:
    asked = "Equal seeds give equal submissions."
    return int(st.number_input("Seed", 0, 2**53 - 1, 42, key="sim_seed", help=asked, persist_state="session"))


def _submit(label: str, busy: bool) -> bool:
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(label, type="primary", icon=":material/play_arrow:", disabled=busy)
        if busy:
            st.caption("One is under way; stop it, or wait for its end.", width="content")
    return pressed


def _started(job_id: str) -> None:
    st.session_state[RUN] = job_id
    st.rerun()
