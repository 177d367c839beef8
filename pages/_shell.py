"""The frame around every page: page config, logo, navigation, sidebar. A page that does not exist is not listed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lab.errors import LabError
from lab.ui import words
from lab.ui.runtime import current_lab
from lab.ui.sidebar import sidebar

PAGES = Path(__file__).parent
ART = PAGES.parent / "lab" / "ui"
SECTIONS = {
    "Observe": (
        ("overview", "Overview", "monitoring", "Today and all time, the trend, what stands out."),
        ("day", "Day", "calendar_view_day", "One day: why, from where, by whom, when."),
        ("attempts", "Attempts", "manage_search", "Every stored attempt; filter, open, download."),
        ("report", "Report", "article", "A day in words, every figure checked."),
    ),
    "Operate": (
        ("simulate", "Simulate", "science", "Fill the lab or send a burst."),
        ("bring", "Bring", "upload_file", "Import a log of your own."),
        ("truth", "Truth", "fact_check", "What was planted, and what was found."),
        ("model_calls", "Model calls", "smart_toy", "What the model was asked and answered."),
        ("system", "System", "database", "The log, the jobs, the settings in force."),
    ),
}

st.set_page_config("Submission lab", str(ART / "mark.svg"), layout="wide", initial_sidebar_state=232)
st.logo(str(ART / "wordmark.svg"), size="large", icon_image=str(ART / "mark.svg"))
chosen = st.navigation(
    {
        section: [
            st.Page(f"{name}.py", title=title, icon=f":material/{icon}:", help=help, default=name == "overview")
            for name, title, icon, help in pages
            if (PAGES / f"{name}.py").is_file()
        ]
        for section, pages in SECTIONS.items()
    }
)


def beside() -> None:
    sidebar(current_lab())


told = set[str]()
for draw in (beside, chosen.run):
    try:
        draw()
    except LabError as error:
        if str(error) not in told:
            st.error(words.safe(str(error)), title="Not everything can be shown", icon=":material/error:")
        told.add(str(error))
