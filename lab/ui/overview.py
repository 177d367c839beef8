"""Parts of the Overview: the empty lab's two ways to start, running work, the live hour, what stands out."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import streamlit as st

from lab.jobs import Job
from lab.metrics import Traffic
from lab.metrics.minutes import bursts
from lab.opening import Lab
from lab.ui import cards, charts, links, loaders, sentences, words
from lab.ui.here import Here, redraw
from lab.ui.runtime import current_lab

LIVE_EVERY_S = 5
REDRAW_AFTER_S = 15
"""A page whose log goes on changing is drawn anew at most this often."""
REPORTS = 50
"""Among so many of the newest the latest of the chosen traffic is looked for."""
FILLING = {"demo": "Filling the lab", "simulate": "Simulating", "import": "Importing"}


def start_demo() -> None:
    """Ten weeks of simulated attempts with two incidents, as a job; one at a time."""
    from lab.simulator import DEMO, backfill  # the simulator's people take a while to import

    lab = current_lab()
    params = {"days": DEMO.days, "per_day": DEMO.per_day, "seed": DEMO.seed}
    lab.jobs.start("demo", params, lambda progress: backfill(lab, DEMO, progress), key="demo")


def empty_lab(here: Here) -> None:
    """An empty lab explains itself and offers two ways to start."""
    cards.head(
        [cards.EMPTY_LAB],
        f"All times in {here.lab.settings.zone_name}",
        "No attempts yet",
        "The lab keeps every attempt to submit a lead, accepted or refused, and shows what happened day by day. "
        "Give it something to look at.",
    )
    _last_failure(here.lab)
    demo, own = st.columns(2)
    with demo, st.container(border=True, height="stretch"):
        st.subheader("Fill the lab", anchor=False)
        st.markdown(
            "A demo: ten weeks of simulated attempts from six sources, with two incidents in the last five days. "
            "It takes a few seconds and is marked as simulated everywhere."
        )
        st.space("stretch")
        if running := here.lab.jobs.active("demo"):
            watch(running[0].id)
        else:
            st.button("Fill the lab", type="primary", icon=":material/play_arrow:", on_click=start_demo)
    with own, st.container(border=True, height="stretch"):
        st.subheader("Bring a log of your own", anchor=False)
        st.markdown(
            "An access log of Apache or nginx, plain or .gz. You see what would be stored before anything is written, "
            "and an import can be withdrawn as a whole."
        )
        st.space("stretch")
        links.link("bring", "Choose a file")
        links.link("simulate", "Or send a burst now")


def _last_failure(lab: Lab) -> None:
    for job in lab.jobs.recent("demo", limit=1):
        if job.error:
            st.error(words.safe(job.error), title="The lab was not filled", icon=":material/error:")


def running(lab: Lab) -> None:
    """Work that adds attempts, as lines above the page, found again after a refresh."""
    for job in lab.jobs.active():
        if job.kind in FILLING:
            with st.container(border=True):
                watch(job.id)


@st.fragment(run_every=1)
def watch(job_id: str) -> None:
    """One job until it ends; then the page is drawn anew."""
    lab = current_lab()
    job: Job = lab.jobs.get(job_id)
    if not job.active:
        redraw()
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container():
            cards.job_line(job, FILLING.get(job.kind, job.kind))
        st.button("Stop", key=f"stop-{job_id}", icon=":material/stop:", on_click=lab.jobs.cancel, args=(job_id,))


@st.fragment(run_every=LIVE_EVERY_S)
def live_hour(here: Here) -> None:
    """The last 60 minutes. Looks at the log's version every few seconds and asks nothing while it is the same."""
    lab = current_lab()
    version, now = lab.log.version(), lab.clock()
    if version != here.version and now - here.now >= timedelta(seconds=REDRAW_AFTER_S):
        redraw()
    frame = loaders.last_minutes(version, here.traffic, now)
    found = bursts(frame)
    pairs = list(zip(found["start"].to_list(), found["end"].to_list(), strict=True))
    if not int(frame["attempts"].sum()):
        _quiet_hour(here)
        return
    picked = cards.figure(charts.last_minutes(frame, here.colours, lab.zone, pairs), "hour", select=True)
    if picked:
        minute = frame["minute"][int(picked[1])]
        links.attempts(links.within(minute, minute + timedelta(minutes=1)))


def _quiet_hour(here: Here) -> None:
    st.subheader("Last 60 minutes: no attempts", anchor=False)
    if last := loaders.totals(here.version, here.traffic).last_at:
        day = words.relative_day(last.astimezone(here.lab.zone).date(), here.today)
        at = words.clock_to_second(last, here.lab.zone)
        st.caption(f"The last one came {day} at {at}. This card looks again by itself.")
    links.link("simulate", "Send a burst now")


def stands_out(here: Here, trend: pl.DataFrame) -> None:
    """Days of the window that a rule picked out, newest first, each with a way to its page."""
    found = list(reversed(sentences.days_to_look_at(trend)))
    number = "One day" if len(found) == 1 else words.many(len(found), "day")
    number = f"{number} to look at" if found else "No day stands out"
    st.subheader(number, anchor=False)
    if not found:
        judged = trend.filter(~pl.col("open") & pl.col("expected_high").is_not_null()).height
        st.caption(
            f"{words.many(judged, 'day')} of this window could be compared with the same weekday before."
            if judged
            else "A day is compared with six earlier days of its weekday; there are not enough yet."
        )
    for one in found[:4]:
        word, text = _told(one)
        with st.container(gap="xxsmall"):
            st.markdown(f":violet-badge[◆ {word}] **{words.safe(words.long_day(one.day))}**")
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.caption(words.safe(text), width="content")
                links.link("day", "Open", day=one.day.isoformat())


def _told(one: sentences.Unusual) -> tuple[str, str]:
    if one.what == "failures":
        return "Failures", f"{words.share(one.value)} failed, usually {words.share(one.usual)}"
    if one.what == "many":
        return "Surge", f"{words.count(one.value)} attempts, expected up to {words.count(one.usual)}"
    return "Silence", f"{words.count(one.value)} attempts, expected {words.count(one.usual)} or more"


def latest_report(here: Here) -> None:
    """The newest report of this traffic and the way to it. A model may have written it, so it is escaped."""
    every = here.lab.reports.recent(limit=REPORTS)
    lines = [one for one in every if one.traffic == here.traffic]
    if not lines:
        kind = "" if here.traffic == Traffic.ALL else f" of {here.traffic.value.lower()} traffic"
        st.subheader(f"No report{kind} yet" if every else "No report yet", anchor=False)
        st.caption("A day in words, every figure checked against the log.")
        links.link("report", "Write one", day=here.shown.isoformat())
        return
    line = lines[0]
    who = cards.Badge(line.model or "Model", "blue", "smart_toy") if line.analyst == "ollama" else cards.Badge("Rules")
    cards.badges([cards.Badge(line.state.capitalize(), "gray", "lock" if line.state == "final" else "edit_note"), who])
    st.subheader(f"Report for {words.long_day(line.day)}", anchor=False)
    st.markdown(words.safe(line.headline))
    links.link("report", "Read the report", day=line.day.isoformat())


def all_time(here: Here) -> None:
    """Attempts, leads and success rate since the first day."""
    totals = loaders.totals(here.version, here.traffic)
    since = f" since {words.short_day(totals.first_day)} {totals.first_day.year}" if totals.first_day else ""
    with st.container(gap="xxsmall"):
        st.markdown(f"**All time** {words.safe(since)}")
        with st.grid(3, min_column_width=80):
            st.metric("Attempts", words.count(totals.attempts))
            why = "Attempts recorded in an imported log make no lead." if totals.leads < totals.success else None
            st.metric("Leads", words.count(totals.leads), help=why)
            st.metric("Success", words.share(totals.success_rate))
