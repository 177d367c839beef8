"""The event log: journal (durable in milliseconds), segments (Parquet), catalog (which segments exist), one view.

In reading order: `stream` (what a row is), `durable` (a file that is on disk), `segments`, `committer` (many
callers, one fsync), `log` (append, flush, view), `view`, `housekeeping`.
"""

from lab.eventlog.log import BULK_ROWS, EventLog
from lab.eventlog.stream import SUBMISSIONS, Stream, table_of
from lab.eventlog.view import DayFiles, View

__all__ = ["BULK_ROWS", "SUBMISSIONS", "DayFiles", "EventLog", "Stream", "View", "table_of"]
