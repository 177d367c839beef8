"""The one Lab of this process, where neither a cleared cache nor a reloaded module can lose it.

The trap it avoids: any browser can ask Streamlit to empty `st.cache_resource`, and an edited file gives pages
a new module while routes keep the old one. A module object put into `sys.modules` without a file is seen by
all and watched by none.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

from lab.errors import LabNotOpen
from lab.opening import Lab

_PLACE = "lab_running_in_this_process"


def hold(lab: Lab | None) -> None:
    """Keep the Lab for pages and routes, or let it go."""
    if lab is None:
        sys.modules.pop(_PLACE, None)
        return
    place = ModuleType(_PLACE)
    place.__dict__["lab"] = lab
    sys.modules[_PLACE] = place


def current_lab() -> Lab:
    """The Lab that the server opened; LabNotOpen when there is none."""
    place = sys.modules.get(_PLACE)
    if place is None:
        raise LabNotOpen("The lab is not open in this process; start it with: streamlit run app.py")
    return cast(Lab, place.__dict__["lab"])
