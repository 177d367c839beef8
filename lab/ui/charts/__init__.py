"""Figures, each with its title in words, its caption and its spoken name.

The trap they avoid: a picture without its sentence. A chart function takes the polars frames that
`lab.metrics` returns and gives one Chart; it knows nothing of Streamlit and never draws over 2,000 points.
"""

from lab.ui.charts.calendar import calendar
from lab.ui.charts.cells import cells
from lab.ui.charts.marks import Chart
from lab.ui.charts.minutes import TIMELINE_STEP, day_timeline, histogram, last_minutes
from lab.ui.charts.ranked import failure_categories, outcomes
from lab.ui.charts.trend import trend

__all__ = [
    "TIMELINE_STEP",
    "Chart",
    "calendar",
    "cells",
    "day_timeline",
    "failure_categories",
    "histogram",
    "last_minutes",
    "outcomes",
    "trend",
]
