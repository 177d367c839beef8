"""Upkeep on the System page: what the disk holds and how it grows, a backup, and a person's erasure.

The trap it avoids: an address that outlives its erasure. It is held in this session until it is confirmed or
taken back, and neither the job's row nor its answer names it.
"""

from __future__ import annotations

import polars as pl
import streamlit as st

from lab import backup, erasure
from lab.clock import business_day
from lab.disk import Growth, Used, free_bytes, outlook
from lab.errors import LabError
from lab.jobs import Progress
from lab.opening import Lab
from lab.quantities import many, size
from lab.ui import cards, jobs_panel, words
from lab.ui.runtime import current_lab
from lab.ui.tables import ROW_PX

_EMAIL, _FOLDER = "upkeep-email", "upkeep-folder"
_ASKED, _TOLD = "upkeep-asked", "upkeep-told"
_PARTS = {
    "log": "Log (Parquet files)", "database": "Database", "leftovers": "Leftovers of imports", "uploads": "Uploads",
    "other": "Everything else",
}  # fmt: skip


def disk(lab: Lab, now: Used, found: Growth) -> None:
    """Bytes by what they are for, a mean day's growth, and when the disk is full."""
    free = free_bytes(lab.settings.data_dir)
    said = outlook(found, free, business_day(lab.clock(), lab.zone)).rstrip(".")
    st.subheader(words.safe(said), anchor=False)
    rows = [{"Part": told, "Size": size(getattr(now, name))} for name, told in _PARTS.items()]
    rows.append({"Part": "Free on this disk", "Size": size(free)})
    height = ROW_PX * (len(rows) + 1) + 5
    st.dataframe(pl.DataFrame(rows), hide_index=True, row_height=ROW_PX, height=height, alt="Disk use by part")
    if not found.days:
        st.caption("No file of the log yet, so there is no growth to show.")
        return
    over = f"Over the last {words.many(found.days, 'day')} with data"
    st.caption(words.safe(f"{over}: {many(round(found.rows), 'row')} and {size(round(found.bytes))} of log a day."))


def tasks(lab: Lab) -> None:
    """Backup and erasure beside each other, and how this session's latest one ended."""
    st.subheader("Backup and erasure", anchor=False)
    if told := st.session_state.pop(_TOLD, None):
        st.error(words.safe(told), icon=":material/error:")
    for kind, name in ((backup.KIND, "Backup"), (erasure.KIND, "Erasure")):
        job = jobs_panel.remembered(lab, f"upkeep-{kind}", ())
        if job is not None and not job.active:
            jobs_panel.ended(job, name)
    left, right = st.columns(2)
    with left:
        st.text_input("Folder for a backup", key=_FOLDER, placeholder="/mnt/backups/lab-2026-11-20")
        st.caption("Empty or new, best on another disk. The hash key is not copied; keep it apart.")
        st.button("Back up", icon=":material/backup:", on_click=_back_up)
    with right:
        st.text_input("E-mail address of a person to erase", key=_EMAIL, placeholder="ann@example.org")
        st.caption("Erases what the person sent, and its hashes. Pseudonymous attempts stay in the log.")
        if asked := st.session_state.get(_ASKED):
            _confirmation(asked)
        else:
            st.button("Erase this person", icon=":material/person_remove:", on_click=_ask)


def _confirmation(address: str) -> None:
    said = f"Erase what {address} sent? It cannot be brought back, except from a backup made earlier."
    st.warning(words.safe(said), icon=cards.icon("help"))
    with st.container(horizontal=True):
        st.button("Yes, erase", type="primary", icon=":material/person_remove:", on_click=_erase, args=(address,))
        st.button("Keep it", on_click=_forget_question)


def _ask() -> None:
    try:
        st.session_state[_ASKED] = erasure.normalised(st.session_state.get(_EMAIL, ""))
    except LabError as error:
        st.session_state[_TOLD] = str(error)


def _forget_question() -> None:
    st.session_state.pop(_ASKED, None)
    st.session_state[_EMAIL] = ""


def _erase(address: str) -> None:
    lab = current_lab()
    _forget_question()

    def work(progress: Progress) -> dict[str, object]:
        return erasure.forget(lab, address, progress)

    st.session_state[f"upkeep-{erasure.KIND}"] = lab.jobs.start(erasure.KIND, {}, work)


def _back_up() -> None:
    lab, folder = current_lab(), str(st.session_state.get(_FOLDER, "")).strip()
    if not folder:
        st.session_state[_TOLD] = "No folder is named; write where the backup shall lie."
        return

    def work(progress: Progress) -> dict[str, object]:
        return backup.back_up(lab, folder, progress)

    job_id = lab.jobs.start(backup.KIND, {"folder": folder}, work, key=folder[:120])
    st.session_state[f"upkeep-{backup.KIND}"] = job_id
