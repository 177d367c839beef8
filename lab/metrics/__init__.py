"""Metrics: what the log says, day by day.

In reading order: `run` (one SQL over one day's rows; the seam to a cluster), `memo`, `measures` (what is summed and
how parts of a day merge), then what is made of them: `daily`, `minutes`, `trend`, `detail`; `attempts` and `export`
give the rows themselves; `metrics` puts it all behind one object. The SQL is in `sql/`.

The trap it avoids: numbers that depend on how rows happen to be stored. Everything is a whole number until the
last division, so any cut of the same rows into segments, journal, order or workers gives the same bytes.
"""

from lab.metrics.attempts import Cursor, Filter, Page
from lab.metrics.daily import Dimension, Totals
from lab.metrics.detail import DayDetail
from lab.metrics.measures import Traffic
from lab.metrics.memo import Memo
from lab.metrics.metrics import Metrics
from lab.metrics.minutes import ByNow
from lab.metrics.run import run_days
from lab.metrics.usual import Usual, usual

__all__ = [
    "ByNow",
    "Cursor",
    "DayDetail",
    "Dimension",
    "Filter",
    "Memo",
    "Metrics",
    "Page",
    "Totals",
    "Traffic",
    "Usual",
    "run_days",
    "usual",
]
