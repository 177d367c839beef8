"""Bring: a log of one's own, seen before it is stored, withdrawn as a whole."""

from __future__ import annotations

import streamlit as st

from lab.ui import cards, import_columns, import_form, import_history, words
from lab.ui.runtime import current_lab

lab = current_lab()
cards.head(
    [cards.Badge("Nothing is written before you say so", "gray", "lock")],
    f"Days are cut in {lab.settings.zone_name}",
    "Bring a log of your own",
    "POSTs of an access log and rows of a table become attempts, at their own time. Each is stored once, however often "
    "it is imported.",
)
import_history.running(lab)
chosen = import_form.chooser(lab)
forms_or_columns = import_columns.table if chosen and import_columns.is_table(chosen) else import_form.table
asked = forms_or_columns(lab, chosen) if chosen else None
if chosen is None:
    import_form.steps()
if chosen and asked:
    found = import_form.look(lab, chosen, asked)
    if found:
        with st.container(border=True):
            import_form.counts(lab, found)
            fresh = found["fresh"]
            st.button(
                f"Import {words.many(fresh, import_form.noun(found))}", type="primary", icon=":material/download:",
                disabled=not fresh, on_click=import_form.start, args=(lab, chosen, asked),
            )  # fmt: skip
import_form.by_command(asked)
import_history.history(lab)
