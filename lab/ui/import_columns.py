"""Tables on the Bring page: what each column means, guessed from its name and to be corrected.

The trap it avoids: a column that means something nobody chose. What the table shows is all that is taken; our own
name in the file's header means nothing once it was taken away here.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lab.errors import BadRequest
from lab.importer import OURS, TableGuess, make_columns
from lab.importer.columns import our_name
from lab.importer.guess import propose
from lab.opening import Lab
from lab.ui import words
from lab.ui.import_form import LEAVE_OUT, Asked, Chosen, said
from lab.ui.tables import MAX_ROWS, ROW_PX

NOT_OURS = "None of these"
_TITLES = {"parquet": "Parquet", "csv": "CSV", "ndjson": "NDJSON"}


def is_table(chosen: Chosen) -> bool:
    """Whether the upload has columns."""
    return isinstance(chosen.guess, TableGuess)


def table(lab: Lab, chosen: Chosen) -> Asked | None:
    """The columns with their guessed meaning, and the pages where no column names the source; what they say."""
    found = chosen.guess
    assert isinstance(found, TableGuess)  # noqa: S101 - the page asks the other table for logs
    st.subheader("What do its columns mean?", anchor=False)
    st.caption(
        words.safe(f"{_TITLES[found.format]}, {words.many(len(found.columns), 'column')}. "
                   "A guess from their names: correct it.")
    )  # fmt: skip
    meaning = {theirs: ours for ours, theirs in found.names.items()}
    rows = [{"column": column, "meaning": meaning.get(column, NOT_OURS)} for column in found.columns]
    edited = st.data_editor(
        pl.DataFrame(rows), key=f"bring-columns-{chosen.file_id}", hide_index=True, row_height=ROW_PX,
        disabled=("column",), alt="Columns of the file with what each is taken for", height=_height(len(rows)),
        column_config={
            "column": st.column_config.TextColumn("Column of the file", width=240),
            "meaning": st.column_config.SelectboxColumn(
                "Means", options=[NOT_OURS, *OURS], required=True, width=200,
                help="received_at is the row's time, client an address, website a field that only robots fill in.",
            ),
        },
    )  # fmt: skip
    try:
        columns = columns_said(edited.to_dicts())
    except BadRequest as error:
        st.error(said(lab, error), title="Two columns, one meaning", icon=":material/error:")
        return None
    taken = {ours for ours, theirs in columns if theirs}
    if missing := _missing(taken):
        st.info(words.safe(missing), icon=":material/info:")
        return None
    _say_how(taken)
    if "source" in taken:
        return Asked((), (), columns)
    forms = _pages(lab, chosen, found)
    return Asked(forms, (), columns) if forms else None


def columns_said(rows: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Our name to theirs, and to nothing where a column of our name means something else; BadRequest for a double."""
    chosen = [(row["meaning"], row["column"]) for row in rows if row["meaning"] not in (None, NOT_OURS)]
    made = make_columns([f"{ours}={theirs}" for ours, theirs in chosen])
    named = {our_name(row["column"]) for row in rows}
    return (*made.items(), *((ours, "") for ours in OURS if ours in named and ours not in made))


def _missing(taken: set[str]) -> str | None:
    if "received_at" not in taken:
        return "No column is the time of a row; choose the one that means received_at."
    if "outcome" not in taken and "email" not in taken:
        return "Choose the column that means outcome (rows are recorded), or email (rows are judged)."
    if "source" not in taken and "page" not in taken:
        return "Choose the column that means source, or page to say the source of each page."
    return None


def _say_how(taken: set[str]) -> None:
    """Recorded or judged."""
    if "outcome" in taken:
        st.markdown(
            ":blue-badge[:material/history: Recorded] Rows keep their own time and outcome. They are not judged and "
            "make no leads; columns that mean none of these are left out."
        )
    else:
        st.markdown(
            ":violet-badge[:material/gavel: Judged] Rows go through the gate at their own time: spam, limits, "
            "validation, duplicates. Accepted ones become leads; columns that mean none of these go with them."
        )


def _pages(lab: Lab, chosen: Chosen, found: TableGuess) -> tuple[tuple[str, str], ...]:
    """The source of each page of the first rows, since no column names it."""
    if not found.pages:
        st.info("No column means source, and the first rows name no page.", icon=":material/info:")
        return ()
    st.caption("No column means source; say the source of each page. Rows of other pages are of an unknown source.")
    rows = [
        {"page": page, "source": propose(page, lab.world.sources) or LEAVE_OUT, "rows": count}
        for page, count in found.pages.items()
    ]
    edited = st.data_editor(
        pl.DataFrame(rows), key=f"bring-pages-{chosen.file_id}", hide_index=True, row_height=ROW_PX,
        disabled=("page", "rows"), alt="Pages of the first rows with the source of each", height=_height(len(rows)),
        column_config={
            "page": st.column_config.TextColumn("Page", width=240),
            "source": st.column_config.SelectboxColumn(
                "Source", options=[LEAVE_OUT, *lab.world.sources], required=True, width=200
            ),
            "rows": st.column_config.NumberColumn("Among the first rows", format="%,d"),
        },
    )  # fmt: skip
    return tuple((row["page"], row["source"]) for row in edited.to_dicts() if row["source"] != LEAVE_OUT)


def _height(rows: int) -> int:
    return ROW_PX * (min(rows, MAX_ROWS) + 1) + 5
