"""The Simulate page's right half: the run under way, how it ended, what it planted, and the runs before it.

The trap it avoids: planted faults read as findings. Ground truth is shown here and on no page that judges, and
always with the word simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import streamlit as st
from sqlalchemy import select

from lab.database import Database, ground_truth, runs
from lab.ids import instant
from lab.jobs import Job
from lab.opening import Lab
from lab.ui import cards, jobs_panel, links, seals, words
from lab.ui.run_form import KINDS, RUN
from lab.ui.runtime import current_lab


class Planted(NamedTuple):
    """A trouble that a run put into its rows: where, from when until when, and how many attempts it caused."""

    kind: str
    component: str
    start: datetime
    end: datetime
    strength: float
    attempts: int


def planted(database: Database, run_id: str) -> list[Planted]:
    """The ground truth of a run, oldest first."""
    query = select(ground_truth).where(ground_truth.c.run_id == run_id).order_by(ground_truth.c.start_us)
    with database.read() as connection:
        return [
            Planted(row.kind, row.component, instant(row.start_us), instant(row.end_us), row.strength, row.attempts)
            for row in connection.execute(query)
        ]


def run_of(database: Database, job: Job) -> str | None:
    """The run that a job worked on, also when it was stopped; None when it never began one."""
    if told := (job.result or {}).get("run_id"):
        return str(told)
    with database.read() as connection:
        found = connection.scalar(select(runs.c.run_id).where(runs.c.job_id == job.id))
    return None if found is None else str(found)


def panel(lab: Lab) -> None:
    """What runs now, else what ran last, else what a demo holds."""
    running = jobs_panel.active(lab, KINDS)
    for job in running:
        with st.container(border=True):
            jobs_panel.watch(job.id, live)
    if running:
        return
    last = jobs_panel.remembered(lab, RUN, KINDS)
    if last is None:
        _nothing_yet(lab)
        return
    with st.container(border=True):
        _ended(lab, last)


def live(job: Job) -> None:
    """A run under way: its bar, and the running count by outcome."""
    st.subheader(words.safe(what(job)), anchor=False)
    if job.place:
        st.progress(0.0, text=words.safe(f"Waiting, number {job.place} in the queue"))
        return
    day = f", {job.detail['day']}" if job.detail.get("day") else ""
    of = f"{words.count(job.done)} of {words.count(job.total)}" if job.total else job.stage or "starting"
    st.progress(job.share, text=words.safe(f"{of}, {job.share:.0%}{day}"))
    success, failed = int(job.detail.get("success") or 0), int(job.detail.get("failed") or 0)
    elapsed_s = (current_lab().clock() - job.started_at) / timedelta(seconds=1) if job.started_at else 0.0
    pace = words.count((success + failed) / elapsed_s) if elapsed_s >= 1 else "–"
    _counts(success, failed, "A second", pace)


def what(job: Job) -> str:
    """A run in a few words: Backfill: 70 days of 1,200 attempts."""
    name, given = jobs_panel.NAMES.get(job.kind, job.kind), job.params
    if job.kind == "burst":
        return f"{name}: {given.get('attempts', 0):,} attempts in {given.get('seconds', 0):,} s{_wrong(given)}"
    return f"{name}: {given.get('days', 0):,} days of {given.get('per_day', 0):,} attempts{_wrong(given)}"


def _wrong(given: Mapping[str, object]) -> str:
    troubles = given.get("troubles")
    names = [words.name(str(one.get("name", ""))).lower() for one in troubles] if isinstance(troubles, list) else []
    return f", {' and '.join(names)}" if names else ""


def _counts(success: int, failed: int, label: str, value: str) -> None:
    with st.grid(4, min_column_width=104):
        st.metric("Accepted", words.count(success))
        st.metric("Failed", words.count(failed))
        st.metric("Failed share", words.share(failed, success + failed))
        st.metric(label, value)


def _ended(lab: Lab, job: Job) -> None:
    st.subheader(words.safe(what(job)), anchor=False)
    jobs_panel.ended(job, "Simulation")
    by = (job.result or {}).get("by_outcome") or {
        "SUCCESS": job.detail.get("success"), "FAILED": job.detail.get("failed"),
    }  # fmt: skip
    if by["SUCCESS"] is not None:
        _counts(int(by["SUCCESS"]), int(by["FAILED"] or 0), "Took", jobs_panel.took(job))
    if run_id := run_of(lab.database, job):
        _ground_truth(lab, run_id)
    if job.state == "done":
        with st.container(horizontal=True):
            links.link("overview", "See it in the Overview")
            if job.kind == "burst":
                links.link("attempts", "List the attempts")
            else:
                seals.offer(lab, job)


def _ground_truth(lab: Lab, run_id: str) -> None:
    found = planted(lab.database, run_id)
    if not found:
        st.caption("Nothing was made to go wrong in this run.")
        return
    number = "One trouble was" if len(found) == 1 else f"{len(found)} troubles were"
    st.markdown(f"**{number} planted** :gray-badge[:material/science: Simulated]")
    for one in found:
        when = f"{jobs_panel.moment(one.start, lab.zone)} to {jobs_panel.moment(one.end, lab.zone)}"
        where = ", ".join(words.name(part) if part.isupper() else part for part in one.component.split())
        where = where.replace("every, source", "every source")
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width="content"):
                st.markdown(f"**{words.safe(words.name(one.kind))}**: {words.safe(where)}")
                st.caption(words.safe(f"{when} · {words.many(one.attempts, 'attempt')} caused"))
            links.link("day", "Open the day", day=one.start.astimezone(lab.zone).date().isoformat())


def _nothing_yet(lab: Lab) -> None:
    with st.container(border=True):
        st.subheader("Nothing has been simulated yet", anchor=False)
        st.markdown(
            "A demo holds ten weeks of attempts from every declared source, with daily and weekly seasons, people who "
            "click twice, a partner who sends in batches, and robots. In its last five days a form field breaks for "
            "the mobile app, and a partner repeats its leads in a storm."
        )
        sources = ", ".join(words.name(name) for name in lab.world.sources)
        st.markdown(words.safe(f"Declared sources: {sources}."))
        st.caption("Simulated attempts are marked as such; Traffic in the sidebar leaves them out or shows only them.")


def history(lab: Lab) -> None:
    """Past runs, newest first."""
    over = [job for kind in KINDS for job in lab.jobs.recent(kind, limit=20) if not job.active]
    over.sort(key=lambda job: job.created_at, reverse=True)
    st.subheader("Past runs", anchor=False)
    if not over:
        st.caption("None yet.")
        return
    jobs_panel.table(over[:20], lab.zone, "Past simulations with state and result", what, "runs")


def title(lab: Lab) -> tuple[cards.Badge, str, str]:
    """Badge, title and sentence of the page."""
    running = jobs_panel.active(lab, KINDS)
    if running:
        return jobs_panel.STATES["running"], "A simulation is under way", (
            "It goes on when you leave this page, and every browser shows the same run."
        )
    last = jobs_panel.remembered(lab, RUN, KINDS)
    sentence = "Fill past days, or send a burst now. Every attempt goes through the gate like anybody else's."
    if last is None:
        return cards.EMPTY_LAB._replace(word="No runs yet"), "Simulate traffic", sentence
    added = words.many(int((last.result or {}).get("added") or 0), "submission")
    ends = {"done": f"The last simulation added {added}", "cancelled": "The last simulation was stopped"}
    return jobs_panel.STATES[last.state], ends.get(last.state, "The last simulation did not end well"), sentence
