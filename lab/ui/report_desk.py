"""The Report page's desk: which day and version, who writes, the writing under way.

The trap it avoids: a report lost by a refresh. The session holds the job's id and the stage last seen; the job's
row is the truth and is found again by its day.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import NamedTuple

import streamlit as st

from lab.errors import LabError
from lab.jobs import Job
from lab.metrics import Traffic
from lab.opening import Lab
from lab.report import Status
from lab.report.versions import Line, Report
from lab.ui import cards, jobs_panel, links, words
from lab.ui.day import go, neighbours
from lab.ui.here import EARLIEST, Here

REPORT, SEEN, WHO = "report_job", "report_stage", "report_analyst"
OTHERS = 20
AUTOMATIC, RULES = "Automatic", "Rules"
STAGES = {
    "facts": "Counting the facts", "looking": "Looking for a model", "loading": "The model is being loaded",
    "prompt": "The model reads the facts", "reading": "The model reads the facts", "writing": "Writing",
    "checking": "Checking every figure", "starting": "Starting", "waiting": "Waiting",
}  # fmt: skip


class Desk(NamedTuple):
    """What was chosen: the day, the version to show (None without any), and the job that writes it, if any."""

    day: date
    report: Report | None
    job: Job | None


def desk(here: Here, found: Status) -> Desk:
    """The toolbar in one row that wraps, and Ollama's state under it."""
    lab = here.lab
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = _day(here)
        every = lab.reports.versions(day)
        written = [one for one in every if one.traffic == here.traffic]
        number = _version(day, written)
        near = neighbours(here.days, day)
        for label, symbol, to in (("Earlier", "chevron_left", near.earlier), ("Later", "chevron_right", near.later)):
            st.button(label, icon=cards.icon(symbol), on_click=go, args=(to,), disabled=to is None)
        st.selectbox(
            "Analyst", [AUTOMATIC, *(one.name for one in found.models), RULES], key=WHO, width=190,
            help="Automatic takes the preferred local model, else another one, else rules.", persist_state="session",
        )  # fmt: skip
        job = writing(lab, day)
        _write_button(here, day, again=bool(written), busy=job is not None)
        report = lab.reports.version(day, number) if number else None
        if report is not None:
            _markdown(report)
    if others := Counter(one.traffic for one in every if one.traffic != here.traffic):
        told = " and ".join(f"{words.many(number, 'version')} of {kind} traffic" for kind, number in others.items())
        st.caption(f"This day also has {told}; choose it in the sidebar.")
    return Desk(day, report, job)


def _day(here: Here) -> date:
    if "day" not in st.session_state and "day" not in st.query_params:
        go(here.shown)
    day = st.date_input(
        "Day", value=None, min_value=EARLIEST, key="day", format="YYYY-MM-DD", bind="query-params", width=150
    )
    return day if isinstance(day, date) else here.shown


def _version(day: date, written: list[Line]) -> int | None:
    if not written:
        return None
    names = {one.version: f"{one.version}, {one.model or one.analyst}" for one in written}
    return st.selectbox(
        "Version", list(names), format_func=lambda one: names[one], key=f"version-{day}-{written[0].version}", width=170
    )


def _write_button(here: Here, day: date, again: bool, busy: bool) -> None:
    label = "Write again" if again else "Write it now"
    st.button(
        label, type="primary", icon=":material/refresh:" if again else ":material/edit:",
        disabled=busy or day > here.today, on_click=_request, args=(here, day),
    )  # fmt: skip


def _request(here: Here, drawn: date) -> None:
    """Ask for what the widgets say now, which may be newer than what the button was drawn with."""
    day, who = st.session_state.get("day") or drawn, st.session_state[WHO]
    analyst, model = {AUTOMATIC: ("auto", None), RULES: ("rules", None)}.get(who, ("ollama", who))
    try:
        st.session_state[REPORT] = here.lab.reports.request(day, analyst, model, here.traffic)
    except LabError as error:
        st.session_state["_report_refused"] = str(error)


def _markdown(report: Report) -> None:
    from lab.report import to_markdown

    st.download_button(
        "Markdown", lambda: to_markdown(report), file_name=f"report-{report.day}-v{report.version}.md",
        mime="text/markdown", icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def writing(lab: Lab, day: date) -> Job | None:
    """The job that writes this day's report now, whoever asked for it."""
    jobs = [job for job in lab.jobs.active("report") if job.params.get("day") == day.isoformat()]
    return jobs[-1] if jobs else None


def progress(job: Job) -> None:
    """A report being written: stage, tokens, place in the queue."""
    st.session_state[SEEN] = job.stage
    by = job.params.get("model") or ("rules" if job.params.get("analyst") == "rules" else "")
    st.subheader(words.safe(f"Being written by {by}" if by else "Being written"), anchor=False)
    if job.place:
        waits = f"Waiting, number {job.place} in the queue: a local model answers one at a time"
        st.progress(0.0, text=words.safe(waits))
        return
    parts = [STAGES.get(job.stage, job.stage.capitalize())]
    if tokens := job.detail.get("tokens"):
        parts.append(words.many(int(tokens), "token"))
    if pace := job.detail.get("tokens_per_s"):
        parts.append(f"{float(pace):.1f} a second")
    st.progress(job.share, text=words.safe(" · ".join(parts)))


def how_it_went(lab: Lab, day: date) -> None:
    """Says so when the last writing of this day did not give a report, whoever asked for it."""
    if refused := st.session_state.pop("_report_refused", None):
        st.error(words.safe(refused), title="Not started", icon=":material/error:")
    of_day = [job for job in lab.jobs.recent("report", limit=OTHERS) if job.params.get("day") == day.isoformat()]
    last = of_day[0] if of_day else None
    if last and not last.active and last.state != "done":
        stopped = "Stopped as asked; no version was written." if last.state == "cancelled" else ""
        jobs_panel.ended(last, "Report", stopped)


def under_way(job: Job) -> None:
    """The card of a report being written."""
    with st.container(border=True):
        jobs_panel.watch(job.id, progress)


def nothing_yet(here: Here, day: date, job: Job | None) -> None:
    """No version: say what there is to write about, or that it is being written, and the reports of other days."""
    if job is not None:
        sentence = "It goes on when you leave this page, and every browser shows it."
        cards.head([jobs_panel.STATES[job.state]], words.long_day(day), "The report is being written", sentence)
        under_way(job)
        return
    is_open = here.is_open(day)
    attempts = day in here.days
    note = words.long_day(day)
    sentence = (
        f"The day is open; a draft covers it until {words.clock(here.now, here.lab.zone)}."
        if is_open
        else "Press Write it now: facts are counted, put into words, and every figure is looked up again."
    )
    if not attempts:
        whose = "" if here.traffic == Traffic.ALL else f"{here.traffic.value.lower()} "
        sentence = f"The log holds no {whose}attempt of it, and a report would say so. Choose another day or traffic."
    cards.head([cards.Badge("Not written", "gray", "draft")], note, "No report for this day yet", sentence)
    if here.empty:
        with st.container(horizontal=True):
            links.link("simulate", "Fill it with simulated days")
            links.link("bring", "Bring a log of your own")
    others = {one.day: one for one in reversed(_recent(here)) if one.day != day}
    if others:
        st.subheader("Reports of other days", anchor=False)
        for one in reversed(others.values()):
            with st.container(border=True, gap="xxsmall"):
                st.markdown(f"**{words.safe(one.headline)}**")
                with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                    said = f"{words.long_day(one.day)} · version {one.version}, {one.model or one.analyst}"
                    st.caption(words.safe(said), width="content")
                    links.link("report", "Read", day=one.day.isoformat())


def _recent(here: Here) -> list[Line]:
    """The newest reports of the chosen traffic."""
    return [one for one in here.lab.reports.recent(OTHERS) if one.traffic == here.traffic]
