"""Whether a local model can write, as pages ask it: looked at once in a while, with the remedy in words.

The trap it avoids: a page that waits for Ollama at every click. One look serves every page for some seconds.
"""

from __future__ import annotations

import streamlit as st

from lab.opening import Lab
from lab.report import Status, ollama_status, pick
from lab.ui import words
from lab.ui.cards import Badge, icon

LOOK_EVERY_S = 15


@st.cache_data(ttl=LOOK_EVERY_S, max_entries=8, show_spinner=False, refresh_mode="background")
def look(host: str, preferred: str) -> Status:
    """What Ollama answers there."""
    return ollama_status(host, preferred)


def status(lab: Lab) -> Status:
    """What the lab's own Ollama answers."""
    return look(lab.settings.ollama_host, lab.settings.ollama_model)


def badge(found: Status) -> Badge:
    """Ready, without a model, or not there."""
    if found.models:
        return Badge("Ollama ready", "blue", "smart_toy")
    return Badge("No model installed" if found.reachable else "No Ollama", "orange", "power_off")


def writer(lab: Lab, found: Status) -> str:
    """Who writes when nobody is chosen, in one sentence."""
    chosen = pick(found.models, lab.settings.ollama_model)
    return f"{chosen[0].name} writes, {chosen[1]}." if chosen else "Rules write, from the same facts."


def line(lab: Lab, found: Status) -> None:
    """The state in one line, and how to get a model when there is none."""
    one = badge(found)
    said = words.safe(f"{writer(lab, found)} {found.sentence}")
    with st.container(horizontal=True, vertical_alignment="center"):
        text = f":{one.hue}-badge[{icon(one.icon) or ''} {one.word}] :small[{said}]"
        st.markdown(text, width="content")
        if found.remedy:
            with st.popover("How to get a model", type="tertiary", icon=":material/help:"):
                for step in found.remedy:
                    st.markdown(words.safe(step))
                st.caption("It stays on this machine and sees numbered facts only, never a row of the log.")
