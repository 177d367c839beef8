"""Past imports, each withdrawn as a whole after one question.

The trap it avoids: a click that takes back a week. The first click asks and names what would go, the second does.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import NamedTuple

import streamlit as st
from sqlalchemy import select

from lab.database import Database, runs
from lab.errors import LabError
from lab.ids import instant
from lab.importer import mark_interrupted, withdraw
from lab.jobs import Job
from lab.opening import Lab
from lab.ui import jobs_panel, links, seals, words
from lab.ui.cards import Badge, icon
from lab.ui.import_form import IMPORT
from lab.ui.runtime import current_lab

MOST = 20
_ASKED, _TOLD = "_withdraw_asked", "_withdraw_told"
_STATES = {
    "done": Badge("Stored", "green", "check"),
    "running": Badge("Running", "orange", "pending"),
    "failed": Badge("Failed", "red", "error"),
    "cancelled": Badge("Stopped", "gray", "stop_circle"),
    "interrupted": Badge("Interrupted", "orange", "power_off"),
    "withdrawn": Badge("Withdrawn", "gray", "undo"),
}


class Import(NamedTuple):
    """A past import. `stored` counts its attempts in the log."""

    run_id: str
    files: str
    state: str
    stored: int
    sentence: str
    at: datetime


def imports(database: Database) -> list[Import]:
    """The latest imports, newest first."""
    query = select(runs).where(runs.c.kind == "import").order_by(runs.c.created_us.desc()).limit(MOST)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return [
        Import(
            row.run_id,
            ", ".join(json.loads(row.params).get("files", [])) or "a file",
            row.state,
            row.done,
            str((json.loads(row.summary) if row.summary else {}).get("sentence", "")),
            instant(row.created_us),
        )
        for row in rows
    ]


def running(lab: Lab) -> None:
    """Imports under way, and how this session's, or the latest, ended."""
    going = jobs_panel.active(lab, ("import",))
    for job in going:
        with st.container(border=True):
            jobs_panel.watch(job.id, live)
    if not going and st.session_state.get(IMPORT) and (last := jobs_panel.remembered(lab, IMPORT, ())):
        jobs_panel.ended(last, f"Import of {_files(last)}")
        if by_day := (last.result or {}).get("by_day"):
            links.link("day", "See its first day", day=str(by_day[0]["day"]))
            seals.offer(lab, last)


def live(job: Job) -> None:
    """An import under way."""
    st.subheader(words.safe(f"Importing {_files(job)}"), anchor=False)
    jobs_panel.line(job)
    already, broken = int(job.detail.get("already") or 0), int(job.detail.get("broken") or 0)
    kept = words.many(broken, "broken line")
    st.caption(words.safe(f"{words.count(already)} were already there, {kept} kept aside."))


def _files(job: Job) -> str:
    return ", ".join(str(one).rpartition("/")[2] for one in job.params.get("files", [])) or "a file"


def history(lab: Lab) -> None:
    """Past imports with Withdraw."""
    st.subheader("Past imports", anchor=False)
    if told := st.session_state.pop(_TOLD, None):
        good, sentence = told
        (st.success if good else st.error)(words.safe(sentence))
    mark_interrupted(lab)
    found = imports(lab.database)
    if not found:
        st.caption("None yet.")
        return
    for one in found:
        with st.container(border=True):
            _row(lab, one)


def _row(lab: Lab, one: Import) -> None:
    state = _STATES.get(one.state, Badge(one.state))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            badge = f":{state.hue}-badge[{icon(state.icon) or ''} {state.word}]"
            st.markdown(f"**{words.safe(one.files)}** {badge}")
            at = jobs_panel.moment(one.at, lab.zone)
            st.caption(words.safe(f"{at} · {words.many(one.stored, 'attempt')} · {one.run_id}"))
        if one.state not in {"withdrawn", "running"} and st.session_state.get(_ASKED) != one.run_id:
            key = f"withdraw-{one.run_id}"
            st.button("Withdraw", key=key, icon=":material/undo:", on_click=_ask, args=(one.run_id,))
    if one.sentence and one.state != "withdrawn":
        st.markdown(f":small[{words.safe(one.sentence)}]")
    if st.session_state.get(_ASKED) == one.run_id:
        said = f"Take {words.many(one.stored, 'attempt')} out of the log again? The same file can be imported anew."
        st.warning(words.safe(said), icon=":material/help:")
        with st.container(horizontal=True):
            st.button(
                "Yes, withdraw", key=f"yes-{one.run_id}", type="primary", icon=":material/undo:", on_click=_withdraw,
                args=(one.run_id,),
            )  # fmt: skip
            st.button("Keep it", key=f"no-{one.run_id}", on_click=_ask, args=(None,))


def _ask(run_id: str | None) -> None:
    st.session_state[_ASKED] = run_id


def _withdraw(run_id: str) -> None:
    st.session_state[_ASKED] = None
    try:
        st.session_state[_TOLD] = (True, withdraw(current_lab(), run_id)["sentence"])
    except LabError as error:
        st.session_state[_TOLD] = (False, str(error))
    st.session_state.pop(IMPORT, None)
