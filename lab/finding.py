"""A finding: what one check of the doctor found, with the remedy where one is needed."""

from __future__ import annotations

from typing import NamedTuple

OK, NOTE, WRONG = "ok", "note", "wrong"


class Finding(NamedTuple):
    """One check's result: ok, note (works, but know this) or wrong. The sentence ends in the remedy, if any."""

    check: str
    state: str
    sentence: str
