"""Bringing in logs of one's own: recorded attempts from access logs, each line stored once.

In reading order: `formats` (what a line is), `files` (what a file is, in bounded chunks), `rules` (which
paths are forms, what a status means), `rows` (lines become attempts), `task`, `ledger` (how a run
stands), `run` (preview and import), `withdrawal`, and `guess` (a first proposal made from the file's POSTs).
"""

from lab.importer.formats import FORMATS
from lab.importer.guess import Guess, GuessedForm, guess
from lab.importer.ledger import mark_interrupted
from lab.importer.rules import Rules, make_rules
from lab.importer.run import import_files, preview
from lab.importer.withdrawal import withdraw

__all__ = [
    "FORMATS",
    "Guess",
    "GuessedForm",
    "Rules",
    "guess",
    "import_files",
    "make_rules",
    "mark_interrupted",
    "preview",
    "withdraw",
]
