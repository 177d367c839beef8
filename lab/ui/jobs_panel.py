"""Background work on a page: its progress with a stop button, how it ended, what ran before.

The trap it avoids: a run that belongs to one browser. The session holds no more than an id; what is under way is
found again from the jobs' rows, so a page that was left, and a second browser, show the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from lab.errors import JobNotFound
from lab.jobs import Job
from lab.opening import Lab
from lab.ui import cards, words
from lab.ui.cards import Badge
from lab.ui.here import redraw
from lab.ui.runtime import current_lab
from lab.ui.tables import MAX_ROWS, ROW_PX

EVERY_S = 1
STATES = {
    "queued": Badge("Waiting", "orange", "hourglass_top"),
    "running": Badge("Running", "orange", "pending"),
    "done": Badge("Done", "green", "check"),
    "failed": Badge("Failed", "red", "error"),
    "cancelled": Badge("Stopped", "gray", "stop_circle"),
    "interrupted": Badge("Interrupted", "red", "power_off"),
}
NAMES = {
    "demo": "Demo", "simulate": "Backfill", "burst": "Burst", "import": "Import", "preview": "Preview",
    "report": "Report", "seal": "Sealing", "verify": "Check", "backup": "Backup",
    "forget": "Erasure",
}  # fmt: skip

Draw = Callable[[Job], None]


def active(lab: Lab, kinds: Iterable[str]) -> list[Job]:
    """Jobs of these kinds that wait or run, in the order in which they were asked for."""
    wanted = set(kinds)
    return [job for job in lab.jobs.active() if job.kind in wanted]


def remembered(lab: Lab, key: str, kinds: Sequence[str]) -> Job | None:
    """The job whose id this session holds under `key`, else the latest of these kinds that is over; None without."""
    if job_id := st.session_state.get(key):
        try:
            return lab.jobs.get(job_id)
        except JobNotFound:
            del st.session_state[key]
    over = [job for kind in kinds for job in lab.jobs.recent(kind, limit=1) if not job.active]
    return max(over, key=lambda job: job.created_at, default=None)


@st.fragment(run_every=EVERY_S)
def watch(job_id: str, draw: Draw) -> None:
    """A job until it ends; then the whole page runs again, so that every total is new."""
    lab = current_lab()
    job = lab.jobs.get(job_id)
    if not job.active:
        redraw()
    draw(job)
    st.button(
        "Stop", key=f"stop-{job_id}", icon=":material/stop:", on_click=lab.jobs.cancel, args=(job_id,),
        help="What is stored by then stays.",
    )  # fmt: skip


def ended(job: Job, what: str, sentence: str = "") -> None:
    """How a job ended, in one sentence with its remedy."""
    if job.state == "done":
        said = sentence or str((job.result or {}).get("sentence", "")) or "It is done."
        st.success(words.safe(said), title=words.safe(f"{what}: done"), icon=":material/check_circle:")
    elif job.state == "cancelled":
        st.info(words.safe(sentence or told(job)), title=words.safe(f"{what}: stopped"), icon=":material/stop_circle:")
    else:
        title = words.safe(f"{what}: {STATES[job.state].word.lower()}")
        st.error(words.safe(told(job)), title=title, icon=":material/error:")


def told(job: Job) -> str:
    """What a job says of its end: its sentence, its error, or what an interruption means."""
    if job.state == "interrupted":
        return "The lab was stopped meanwhile. What was stored stays; start the same again and it adds only the rest."
    if job.state == "cancelled" and not job.error:
        return "It was stopped before it began; nothing was written."
    result = job.result or {}
    return job.error or str(result.get("sentence") or result.get("headline") or "")


def table(jobs: Sequence[Job], zone: ZoneInfo, alt: str, describe: Callable[[Job], str], key: str) -> None:
    """Jobs as rows, newest first; a dataframe reads no Markdown, so stored text may stand in it."""
    rows: list[dict[str, Any]] = [
        {
            "Started": moment(job.started_at or job.created_at, zone),
            "What": describe(job),
            "State": STATES[job.state].word,
            "Took": took(job),
            "Said": told(job),
        }
        for job in jobs
    ]
    st.dataframe(
        pl.DataFrame(rows),
        hide_index=True,
        row_height=ROW_PX,
        height=ROW_PX * (min(len(rows), MAX_ROWS) + 1) + 5,
        column_config={
            "Started": st.column_config.TextColumn(width=110),
            "What": st.column_config.TextColumn(width=250),
            "State": st.column_config.TextColumn(width=80),
            "Took": st.column_config.TextColumn(width=70),
        },
        alt=alt,
        key=key,
    )


def moment(instant: datetime, zone: ZoneInfo) -> str:
    """20 Nov 13:53 in the lab's zone."""
    return f"{words.short_day(instant.astimezone(zone).date())} {words.clock(instant, zone)}"


def took(job: Job) -> str:
    """How long a job worked; a dash while it has not ended."""
    if job.started_at is None or job.ended_at is None:
        return "–"
    return seconds((job.ended_at - job.started_at) / timedelta(seconds=1))


def seconds(value: float) -> str:
    """0.4 s, 12 s, 2 min 5 s."""
    if value < 10:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes:,} min {rest} s" if value >= 100 else f"{round(value)} s"


def line(job: Job) -> None:
    """The plain way to draw a job: one line."""
    cards.job_line(job, NAMES.get(job.kind, job.kind))
