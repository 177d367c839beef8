"""The Bring page's way: choose a file, say how to read it, see what would be stored, import it.

The trap it avoids: a preview of one thing and an import of another. The import takes what was previewed, and any
change to the table asks for a new preview.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import streamlit as st

from lab.errors import BadRequest, LabError
from lab.importer import Guess, TableGuess, guess, import_files, preview
from lab.jobs import Progress
from lab.opening import Lab
from lab.ui import cards, uploads, words
from lab.ui.tables import MAX_ROWS, ROW_PX

IMPORT = "import_job"
LEAVE_OUT = "Leave out"
_TURN, _CHOSEN = "_bring_turn", "_bring_chosen"
MOST_MB = 200


class Asked(NamedTuple):
    """What is said of the file: path to source, PATH=CODES texts, our column to theirs."""

    forms: tuple[tuple[str, str], ...]
    refused: tuple[str, ...]
    columns: tuple[tuple[str, str], ...] = ()


class Chosen(NamedTuple):
    """The upload at hand: which one, where it lies, what it looks like."""

    file_id: str
    name: str
    path: Path
    guess: Guess | TableGuess


def chooser(lab: Lab) -> Chosen | None:
    """The uploader; the file it holds, saved and looked at once, or None."""
    turn = st.session_state.setdefault(_TURN, 0)
    upload = st.file_uploader(
        "Access log or table, plain or .gz", key=f"bring-upload-{turn}", max_upload_size=MOST_MB,
        help="Logs in Common, Combined, W3C (IIS) or JSON format (nginx, Caddy); tables in CSV, NDJSON or Parquet.",
    )  # fmt: skip
    held: Chosen | None = st.session_state.get(_CHOSEN)
    if upload is None:
        forget()
        uploads.forget_old(lab.settings.data_dir)
        return None
    if held is not None and held.file_id == upload.file_id and held.path.exists():
        return held
    forget()
    path = None
    try:
        path = uploads.save(lab.settings.data_dir, upload)
        with st.spinner("Looking into it"):
            found = guess(path, lab.world)
    except LabError as error:
        if path is not None:
            uploads.remove(path)
        st.error(said(lab, error), title="This file cannot be imported", icon=":material/error:")
        return None
    chosen = Chosen(upload.file_id, upload.name, path, found)
    st.session_state[_CHOSEN] = chosen
    return chosen


def steps() -> None:
    """What will happen, while no file is chosen."""
    told = (
        ("1", "Choose a log or a table", "An access log, CSV, NDJSON or Parquet. It is kept aside until then."),
        ("2", "Say how to read it", "Which paths are forms, or what the columns mean: guessed from their names."),
        ("3", "See the counts, import", "By day and outcome, and what is there already. An import can be withdrawn."),
    )
    for column, (number, title, text) in zip(st.columns(3), told, strict=True):
        with column, st.container(border=True, height="stretch", gap="xxsmall"):
            st.markdown(f":gray-badge[{number}] **{title}**")
            st.markdown(f":small[{text}]")


def forget() -> None:
    """Remove the upload at hand; an import that has begun owns its file and is not touched."""
    held: Chosen | None = st.session_state.pop(_CHOSEN, None)
    if held is not None:
        uploads.remove(held.path)


def table(lab: Lab, chosen: Chosen) -> Asked | None:
    """The guessed table, to be corrected; what it says, or None while no path is a form."""
    found = chosen.guess
    assert isinstance(found, Guess)  # noqa: S101 - the page asks the other table for tables
    st.subheader("Which of its paths are forms?", anchor=False)
    part = "" if found.whole else " Only its start was read for this."
    broken = f", {words.many(found.broken, 'broken line')}" if found.broken else ""
    st.caption(
        words.safe(f"{words.many(found.posts, 'POST')} among {words.many(found.lines, 'line')}{broken}.{part} "
                   "A guess from the names: correct it. Statuses under 400 mean accepted unless refused here.")
    )  # fmt: skip
    if not found.forms:
        cards.empty("No line of it is a POST", "Choose the log of a server that receives forms.", "search_off")
        return None
    rows = [
        {
            "path": form.path,
            "source": form.source or LEAVE_OUT,
            "refused": "",
            "posts": form.posts,
            "statuses": ", ".join(f"{code}: {number:,}" for code, number in form.statuses.items()),
        }
        for form in found.forms
    ]
    edited = st.data_editor(
        pl.DataFrame(rows), key=f"bring-forms-{chosen.file_id}", hide_index=True, row_height=ROW_PX,
        disabled=("path", "posts", "statuses"), alt="Paths of the file with the source each is taken for",
        height=ROW_PX * (min(len(rows), MAX_ROWS) + 1) + 5,
        column_config={
            "path": st.column_config.TextColumn("Path", width=200),
            "source": st.column_config.SelectboxColumn(
                "Source", options=[LEAVE_OUT, *lab.world.sources], required=True, width=140
            ),
            "refused": st.column_config.TextColumn(
                "Refused statuses", help="Statuses that mean refused at this path, such as 200 or 2xx,302."
            ),
            "posts": st.column_config.NumberColumn("POSTs", format="%,d", width="small"),
            "statuses": st.column_config.TextColumn("Answered with"),
        },
    )  # fmt: skip
    asked = said_by(edited.to_dicts())
    for form in found.forms:
        if form.hint and form.path in dict(asked.forms):
            st.caption(words.safe(f"{form.path}: {form.hint}"))
    if not asked.forms:
        st.info("Every path is left out; choose a source for at least one.", icon=":material/info:")
        return None
    return asked


def said_by(rows: list[dict[str, Any]]) -> Asked:
    """The table's rows as what an import takes."""
    kept = [row for row in rows if row["source"] and row["source"] != LEAVE_OUT]
    refused = [f"{row['path']}={row['refused'].strip()}" for row in kept if (row["refused"] or "").strip()]
    return Asked(tuple((row["path"], row["source"]) for row in kept), tuple(refused))


def look(lab: Lab, chosen: Chosen, asked: Asked) -> Mapping[str, Any] | None:
    """Preview on request; the counts of this file under these rules, or None while they were not asked for."""
    key = f"_bring_preview_{chosen.file_id}"
    held = st.session_state.get(key)
    fresh = held is not None and held[0] == asked
    label = "Preview again" if held is not None and not fresh else "Preview"
    if st.button(label, type="secondary" if fresh else "primary", icon=":material/visibility:", disabled=fresh):
        try:
            found = preview(
                lab, [chosen.path], dict(asked.forms), asked.refused, progress=_Bar(), columns=dict(asked.columns)
            )
        except LabError as error:
            st.error(said(lab, error), title="It cannot be read like this", icon=":material/error:")
            return None
        st.session_state[key] = (asked, found)
        st.rerun()
    return held[1] if fresh and held is not None else None


class _Bar:
    """Progress of a preview, drawn as it goes."""

    job_id = None

    def __init__(self) -> None:
        self._bar = st.progress(0.0, text="Reading; nothing is written")

    def report(self, stage: str, done: int = 0, total: int = 0, **_detail: Any) -> None:
        share = min(done / total, 1.0) if total else 0.0
        self._bar.progress(share, text=f"{stage.capitalize()}, {share:.0%}; nothing is written")


def counts(lab: Lab, found: Mapping[str, Any]) -> None:
    """The preview: by day and outcome, and how many are there already."""
    fresh = found["fresh"]
    span = f"{words.many(fresh, noun(found))} on {words.many(len(found['by_day']), 'day')}"
    would = "would be judged" if found["judged"] and not found["attempts"] else "would be added"
    st.subheader(f"{span} {would}" if fresh else "Nothing new is in this file", anchor=False)
    st.markdown(words.safe(uploads.without_folder(str(found["sentence"]), lab.settings.data_dir)))
    if found["by_day"]:
        days(found["by_day"])
    if found["judged"] and fresh:
        st.caption("Their outcome is decided on import, by today's sources and limits, each at its own time.")
    if found["already"]:
        st.caption("What is there keeps its source and outcome; to import it by other rules, withdraw it first.")


def noun(found: Mapping[str, Any]) -> str:
    """What is counted: attempts, or rows of which it is not known yet what they become."""
    return "row" if found["judged"] else "attempt"


def days(rows: list[dict[str, Any]]) -> None:
    """Counts by day; columns of recorded or of judged rows only where there are such."""
    titles = {
        "day": "Day", "judged": "To be judged", "attempts": "Attempts", "success": "Accepted", "failed": "Refused",
        "already": "Already there",
    }  # fmt: skip
    for kind, names in (("judged", ("judged",)), ("attempts", ("attempts", "success", "failed"))):
        if not any(row.get(kind) for row in rows):
            titles = {name: title for name, title in titles.items() if name not in names}
    shown = pl.DataFrame(rows, infer_schema_length=None)
    shown = shown.select([name for name in titles if name in shown.columns]).rename(titles, strict=False)
    st.dataframe(
        shown, hide_index=True, row_height=ROW_PX, height=ROW_PX * (min(len(rows), MAX_ROWS) + 1) + 5,
        column_config={
            name: st.column_config.NumberColumn(name, format="%,d") for name in shown.columns if name != "Day"
        },
        alt="Attempts by day and outcome",
    )  # fmt: skip


def start(lab: Lab, chosen: Chosen, asked: Asked) -> None:
    """Import as a job, which owns the file from here on; a callback, since it empties the uploader."""
    path, forms = chosen.path, dict(asked.forms)

    def work(progress: Progress) -> Mapping[str, Any]:
        try:
            return import_files(lab, [path], forms, asked.refused, progress=progress, columns=dict(asked.columns))
        except BadRequest as error:
            raise BadRequest(uploads.without_folder(str(error), lab.settings.data_dir)) from error
        finally:
            uploads.remove(path)

    told = {"files": [chosen.name], "forms": forms, "refused": list(asked.refused)}
    st.session_state[IMPORT] = lab.jobs.start("import", told, work, key=str(path.parent.name))
    st.session_state.pop(_CHOSEN, None)
    st.session_state[_TURN] += 1


def command(asked: Asked | None) -> str:
    """The same import as one line for the command line, where no size is too large."""
    forms = asked.forms if asked else (("/contact", "WEBSITE_FORM"),)
    parts = ["python", "-m", "lab", "import", "table.csv" if asked and asked.columns else "access.log"]
    for ours, theirs in asked.columns if asked else ():
        parts += ["--map", f"{ours}={theirs}"]
    for path, source in forms:
        parts += ["--form", f"{path}={source}"]
    for codes in asked.refused if asked else ():
        parts += ["--refused", codes]
    return shlex.join(parts)


def by_command(asked: Asked | None) -> None:
    """The command to copy."""
    with st.expander(f"Larger than {MOST_MB} MB, or many files at once", icon=":material/terminal:"):
        st.markdown("The command line takes any size, and .gz as it is. Run it beside this lab; the pages follow.")
        st.code(command(asked), language="bash", wrap_lines=True)
        st.caption("Add --dry-run to see the counts with nothing written.")


_SPOKEN = {", or name another --format": "", "--refused ": "Refused statuses ", " with --form PATH=SOURCE": ""}


def said(lab: Lab, error: LabError) -> str:
    """The sentence, without where the upload lies and without what only the command line offers."""
    told = uploads.without_folder(str(error), lab.settings.data_dir)
    for theirs, ours in _SPOKEN.items():
        told = told.replace(theirs, ours)
    return words.safe(told)
