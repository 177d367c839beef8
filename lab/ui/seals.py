"""Sealing on the pages: a day's state beside its name, the button that closes it, the chain and its check.

The trap it avoids: a button that changes the past for good and looks like any other. It says what it does, asks
once, and runs as a job.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import streamlit as st
from sqlalchemy import select

from lab.clock import business_day
from lab.database import seals
from lab.eventlog.chain import Link
from lab.jobs import Job
from lab.opening import Lab
from lab.sealing import VERIFY, days_to_seal, seal, start_verify, states
from lab.ui import cards, jobs_panel, words
from lab.ui.cards import Badge

SEAL = "seal"
OPEN_DAY = Badge("Open day", "gray", "hourglass_top")
PROVISIONAL = Badge("Provisional", "gray", "lock_open")
FINAL = Badge("Final", "gray", "lock")
HURT = Badge("Damaged file", "red", "broken_image")
LATEST = 10


def badges(lab: Lab, day: date, *, is_open: bool) -> list[Badge]:
    """Whether a day's figures can still change, and whether a file of it is set aside."""
    hurt = [HURT] if lab.log.view(first=day, last=day).damaged else []
    if is_open:
        return [OPEN_DAY, *hurt]
    return [FINAL if states(lab).get(day) == "sealed" else PROVISIONAL, *hurt]


def damage(lab: Lab, day: date) -> None:
    """What is missing from a day, and how to bring it back."""
    for one in lab.log.view(first=day, last=day).damaged:
        said = (
            f"{words.many(one.rows, 'row')} of this day are left out: the file {one.file} is set aside because "
            f"{one.damage}. Put it back from a backup and it returns by itself within a minute; what came from an "
            "import can be withdrawn and imported again."
        )
        st.error(words.safe(said), icon=":material/broken_image:")


def day_button(lab: Lab, day: date) -> None:
    """Seal this day, behind a question; nothing for a day that is open, sealed or empty."""
    if day not in days_to_seal(lab):
        return
    with st.popover("Seal", icon=":material/lock:"):
        st.markdown(
            f"Close {words.safe(words.long_day(day))} for good? It becomes one read-only file and a link of the "
            "chain. It takes no more rows, and an import that reached into it cannot be withdrawn."
        )
        st.button("Seal this day", type="primary", icon=":material/lock:", on_click=start, args=(lab, [day]))


def start(lab: Lab, days: Sequence[date] | None) -> None:
    """Seal in the background."""
    named = [day.isoformat() for day in days] if days is not None else None
    lab.jobs.start(SEAL, {"days": named}, lambda progress: seal(lab, days, progress), key=SEAL)


def check(lab: Lab) -> None:
    """Verify in the background."""
    start_verify(lab)


def offer(lab: Lab, job: Job) -> None:
    """At the end of a run: its days can be sealed now."""
    result = job.result or {}
    named = [str(row["day"]) for row in result.get("by_day", ())] or [str(result.get("first_day") or "")]
    until = str(result.get("last_day") or named[-1])
    waiting = [day for day in days_to_seal(lab) if named[0] <= day.isoformat() <= until]
    if named[0] and waiting and not jobs_panel.active(lab, [SEAL]):
        st.button(
            f"Seal {words.many(len(waiting), 'day')} of it", icon=":material/lock:", on_click=start,
            args=(lab, waiting), key=f"seal-{job.id}", help="A sealed day is final: it takes no more rows.",
        )  # fmt: skip


def panel(lab: Lab) -> None:
    """The chain, what waits to be sealed, and the last check."""
    with lab.database.read() as connection:
        query = select(seals).order_by(seals.c.number.desc()).limit(LATEST)
        links = [Link._make(row) for row in connection.execute(query)]
    waiting = days_to_seal(lab)
    newest = max((one.day for one in links if one.kind == "day"), default=None)
    today = business_day(lab.clock(), lab.zone)
    title = f"Sealed to {words.short_day(newest, today)}" if newest else "No day is sealed yet"
    st.subheader(words.safe(title), anchor=False)
    _check(lab)
    busy = jobs_panel.active(lab, [SEAL, VERIFY])
    for job in busy:
        jobs_panel.watch(job.id, jobs_panel.line)
    if not busy:
        with st.container(horizontal=True):
            st.button("Verify now", icon=":material/verified:", on_click=check, args=(lab,))
            if waiting:
                st.button(
                    f"Seal {words.many(len(waiting), 'ended day')}", icon=":material/lock:", on_click=start,
                    args=(lab, None), help="Live days are sealed by themselves two hours after their end.",
                )  # fmt: skip
    if not links:
        st.caption("A sealed day is one read-only file, its figures, and a link of the chain; it takes no more rows.")
        return
    st.caption("Head of the chain; keep it elsewhere, and verify --head finds a tail that was cut off.")
    st.code(links[0].hash, language=None, wrap_lines=True)
    st.dataframe(
        [
            {
                "Number": one.number,
                "What": "Report" if one.kind == "report" else "Day",
                "Day": one.day.isoformat(),
                "Rows": one.rows if one.kind == "day" else None,
                "SHA-256": one.sha256[:16],
            }
            for one in links
        ],
        hide_index=True,
        alt="The newest links of the chain",
        key="chain",
    )


def _check(lab: Lab) -> None:
    last = next((job for job in lab.jobs.recent(VERIFY, 5) if not job.active), None)
    if last is None:
        cards.badges([Badge("Not checked yet", "gray", "help")])
    elif last.result and last.result.get("mismatch"):
        st.error(words.safe(str(last.result["mismatch"])), icon=":material/error:")
    elif last.result:
        found, at = last.result, jobs_panel.moment(last.ended_at or last.created_at, lab.zone)
        note = f"{at}: {words.many(int(found['files']), 'file')}, {words.many(int(found['links']), 'link')}"
        cards.badges([Badge("Everything matches", "green", "check")], note)
    else:
        cards.badges([Badge("The last check did not end", "orange", "change_history")], jobs_panel.told(last))
