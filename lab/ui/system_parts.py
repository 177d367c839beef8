"""Parts of the System page: what is wrong first, what is stored, what is declared, what ran, what is set.

The trap it avoids: a blank card. A part that holds nothing yet says so, and a check that failed says the remedy.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import polars as pl
import streamlit as st
from sqlalchemy import func, select

from lab.data_folder import FORMAT
from lab.database import Database, journal, segments
from lab.disk import Used
from lab.doctor import NOTE, OK, WRONG, Finding, examine
from lab.ids import instant
from lab.jobs import Job
from lab.metrics import Traffic
from lab.opening import Lab
from lab.quantities import size
from lab.settings import TABLE, Settings, in_force
from lab.ui import cards, jobs_panel, loaders, models, run_panel, words
from lab.ui.cards import Badge, Tile
from lab.ui.runtime import current_lab
from lab.ui.tables import ROW_PX

CHECK_EVERY_S = 60
PACKAGES = (
    "streamlit", "duckdb", "polars", "pyarrow", "plotly", "SQLAlchemy", "pydantic", "ollama", "uvloop", "httptools",
)  # fmt: skip
_BADGES = {
    OK: Badge("Fine", "green", "check"),
    NOTE: Badge("Note", "orange", "info"),
    WRONG: Badge("Wrong", "red", "error"),
}


class Stored(NamedTuple):
    """What the log consists of now. `oldest` is the append time of the oldest row that waits in the journal."""

    segments: int
    segment_rows: int
    waiting: int
    oldest: datetime | None

    @property
    def rows(self) -> int:
        return self.segment_rows + self.waiting


def stored(database: Database) -> Stored:
    """Counted in the catalog and the journal, in one consistent read."""
    with database.read() as connection:
        files = connection.execute(select(func.count(), func.coalesce(func.sum(segments.c.rows), 0))).one()
        rows, oldest = connection.execute(select(func.count(), func.min(journal.c.appended_us))).one()
    return Stored(int(files[0]), int(files[1]), int(rows), None if oldest is None else instant(oldest))


@st.cache_data(ttl=CHECK_EVERY_S, max_entries=4, show_spinner="Checking what the lab stands on")
def checks(folder: str) -> list[Finding]:
    """The doctor's findings about this lab; `folder` only tells one lab from another."""
    lab = current_lab()
    return examine(environment_of(lab.settings), lab.clock, models.look)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment that gives these settings, what is default left out."""
    given = {
        "LAB_DATA_DIR": str(settings.data_dir),
        "LAB_DATABASE_URL": settings.database_url,
        "LAB_TIME_ZONE": settings.zone_name,
        "LAB_OLLAMA_HOST": settings.ollama_host,
        "LAB_OLLAMA_MODEL": settings.ollama_model,
        "LAB_KEEP_PAYLOADS": str(settings.keep_payloads_days),
        "LAB_ALLOW_OPEN": "1" if settings.allow_open else "0",
    }
    return {row.name: given[row.name] for row in TABLE if settings.origin[row.name] != "default"}


def headline(findings: Sequence[Finding]) -> tuple[Badge, str, str]:
    """Badge, title and sentence: the first thing wrong, or everything in order."""
    wrong = [one for one in findings if one.state == WRONG]
    notes = [one for one in findings if one.state == NOTE]
    if wrong:
        more = f"{words.many(len(wrong) - 1, 'other thing')} wrong besides." if len(wrong) > 1 else ""
        return cards.BROKEN, wrong[0].sentence, more
    said = f"{words.many(len(findings), 'check')} made"
    said += f", {words.many(len(notes), 'note')} below." if notes else ", nothing to note."
    return Badge("In order", "green", "check_circle"), "Everything is in order", said


def tiles(lab: Lab, log_version: str, on_disk: Used) -> None:
    """Six figures of what is stored."""
    totals, held = loaders.totals(log_version, Traffic.ALL), stored(lab.database)
    age = "none waiting"
    if held.oldest is not None:
        age = f"oldest {jobs_panel.seconds(max(0.0, (lab.clock() - held.oldest) / timedelta(seconds=1)))}"
    days = f"on {words.many(totals.days, 'day')}"
    cards.tiles(
        [
            Tile("Attempts stored", words.count(totals.attempts), days, help="Floods counted in full."),
            Tile("Rows of the log", words.count(held.rows), f"{words.count(totals.replays)} replays"),
            Tile("Leads", words.count(totals.leads), words.share(totals.success_rate) + " accepted"),
            Tile("Journal", words.many(held.waiting, "row"), age, help="Durable, and not yet in a Parquet file."),
            Tile("Segments", words.count(held.segments), "Parquet files"),
            Tile("Disk used", size(on_disk.total), "data and database"),
        ]
    )


def health(findings: Sequence[Finding]) -> None:
    """Every check, what is wrong first."""
    number = sum(one.state == OK for one in findings)
    st.subheader(f"{number} of {len(findings)} checks are fine", anchor=False)
    order = (WRONG, NOTE, OK)
    rows = sorted(findings, key=lambda one: order.index(one.state))
    lines = []
    for one in rows:
        badge = _BADGES[one.state]
        lines.append(
            f":{badge.hue}-badge[{cards.icon(badge.icon)} {badge.word}] **{words.safe(one.check.capitalize())}** "
            f":small[{words.safe(one.sentence)}]"
        )
    with st.container(gap="xxsmall"):
        for text in lines:
            st.markdown(text)
    st.button("Check again", icon=":material/refresh:", on_click=_again)


def _again() -> None:
    checks.clear()
    models.look.clear()


def model_card(lab: Lab) -> None:
    """Ollama: whether it answers, which models it holds."""
    found = models.status(lab)
    st.subheader("Local model", anchor=False)
    models.line(lab, found)
    if not found.models:
        st.caption(words.safe(f"Asked at {found.host}; preferred model {lab.settings.ollama_model}."))
        return
    rows = [
        {
            "Model": one.name, "Size": size(one.size_bytes), "Parameters": one.parameters or "–",
            "In memory": "yes" if one.loaded else "no", "Digest": one.digest[:12],
        }
        for one in found.models
    ]  # fmt: skip
    _frame(rows, "Installed models")


def sources(lab: Lab) -> None:
    """What is declared: sources, pages, limits."""
    world, limits = lab.world, lab.world.limits
    own = (lab.settings.data_dir / "sources.toml").exists()
    number = f"{words.many(len(world.sources), 'source')}, {words.many(len(world.pages), 'page')}"
    st.subheader(f"{number} declared", anchor=False)
    _frame(
        [
            {
                "Source": one.name,
                "Requires": ", ".join(one.required) or "nothing",
                "Shortest fill time": f"{one.min_fill_ms:,} ms" if one.min_fill_ms else "any",
            }
            for one in world.sources.values()
        ],
        "Declared sources with required fields",
    )
    st.markdown(":small[" + words.safe(f"Pages: {', '.join(sorted(world.pages)) or 'none'}.") + "]")
    cards.facts(
        {
            "Attempts a minute, one user": f"{limits.per_user_a_minute:,}",
            "Attempts a minute, one client": f"{limits.per_client_a_minute:,}",
            "Largest submission": size(limits.max_bytes),
        }
    )
    place = "sources.toml in the data folder"
    st.caption(f"From {place}." if own else f"The default world; {place} replaces it.")


def jobs(lab: Lab) -> None:
    """What runs and what ran, with its state."""
    running, recent = lab.jobs.active(), [job for job in lab.jobs.recent(limit=30) if not job.active]
    st.subheader(f"{words.many(len(running), 'job')} under way" if running else "No job is under way", anchor=False)
    for job in running:
        jobs_panel.watch(job.id, jobs_panel.line)
    if recent:
        jobs_panel.table(recent, lab.zone, "Jobs with state and result", describe, "jobs")
    else:
        st.caption("None has run yet. Simulations, imports and reports are listed here.")


def describe(job: Job) -> str:
    """A job in a few words."""
    if job.kind in {"demo", "simulate", "burst"}:
        return run_panel.what(job)
    files = ", ".join(str(one).rpartition("/")[2] for one in job.params.get("files", []))
    about = str(job.params.get("day") or job.params.get("folder") or files)
    return f"{jobs_panel.NAMES.get(job.kind, job.kind)} {about}".strip()


def settings(lab: Lab) -> None:
    """Settings in force, and where each comes from."""
    rows = in_force(lab.settings)
    given = sum(origin != "default" for *_, origin in rows)
    said = f"{words.many(given, 'setting')} set, the rest by default" if given else "Every setting is at its default"
    st.subheader(said, anchor=False)
    _frame(
        [
            {"Setting": name, "Value": value, "Unit": unit or "–", "Where from": origin}
            for name, value, unit, origin in rows
        ],
        "Settings in force",
    )
    st.caption("Set them in the environment and start the lab again.")


def versions() -> None:
    """Raw versions."""
    with st.expander("Versions", icon=":material/deployed_code:"):
        cards.facts(
            {
                "Data folder format": str(FORMAT),
                "Python": platform.python_version(),
                "System": f"{platform.system()} {platform.release()}",
                **{name: _version(name) for name in PACKAGES},
            }
        )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _frame(rows: list[dict[str, str]], alt: str) -> None:
    st.dataframe(
        pl.DataFrame(rows), hide_index=True, row_height=ROW_PX, height=ROW_PX * (len(rows) + 1) + 5, alt=alt
    )
