"""Bringing in data of one's own: access logs and tables, each line or row stored once.

In reading order: `values`, `formats`, `w3c` and `json_access` (what a line of a log is), `files` (a file in bounded
chunks), `columns`, `records` and `parquet` (what a row of a table is), `detect` (what a file is), `rules` (which
paths are forms, what a status means), `given` and `rows` (lines and rows become attempts, or arrivals to be
judged), `counts`, `task`, `judge` (rows without an outcome go through a gate), `ledger` (how a run stands), `run`
(preview and import), `withdrawal`, and `guess` (a first proposal made from the file).
"""

from lab.importer.columns import OURS, make_columns
from lab.importer.detect import NAMES
from lab.importer.guess import Guess, GuessedForm, TableGuess, guess
from lab.importer.ledger import mark_interrupted
from lab.importer.rules import Rules, make_rules
from lab.importer.run import import_files, preview
from lab.importer.withdrawal import withdraw

__all__ = [
    "NAMES",
    "OURS",
    "Guess",
    "GuessedForm",
    "Rules",
    "TableGuess",
    "guess",
    "import_files",
    "make_columns",
    "make_rules",
    "mark_interrupted",
    "preview",
    "withdraw",
]
