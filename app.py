"""The composition root: Streamlit's server, the dashboard's shell, and the one Lab behind both.

Started by `streamlit run app.py`. The trap it avoids: state that only one page's session knows. The Lab is
opened when the server starts and closed, everything written, when it stops.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from lab.errors import LabError
from lab.opening import open_lab
from lab.settings import read_settings
from lab.ui import runtime


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Open the lab, hold it for pages and routes, close it with everything written."""
    try:
        lab = open_lab(read_settings(), live=True)
    except LabError as error:
        print(f"The lab was not started: {error}", file=sys.stderr, flush=True)  # noqa: T201 - to whoever started it
        os._exit(2)  # nothing is open yet, and any exception from here would be printed as three tracebacks
    runtime.hold(lab)
    try:
        yield
    finally:
        runtime.hold(None)
        lab.close()


app = st.App(str(Path(__file__).parent / "pages" / "_shell.py"), lifespan=lifespan)
