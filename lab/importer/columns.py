"""Columns of a table to import: what we call them, what a stranger calls them, and what a file must have.

The trap it avoids: a guess that nobody saw. An import takes our own names and what `--map` says, nothing else;
a guess is only ever proposed, in an error's remedy or in a table to be corrected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lab.errors import BadRequest, UnreadableLog

Columns = Mapping[str, str] | Sequence[str]
"""Our name to theirs, or OURS=THEIRS texts; with nothing for theirs, no column has that meaning."""

_OTHER_NAMES = {
    "received_at": "time timestamp ts datetime date created createdat createdtime submitted submittedat "
    "submissiondate submittime receivedon eventtime",
    "outcome": "result verdict",
    "failure_category": "category errorcategory errorcode failurecode",
    "source": "leadsource form formname",
    "page": "url pageurl path landingpage formpage",
    "email": "mail emailaddress workemail businessemail useremail",
    "name": "fullname contactname yourname",
    "phone": "phonenumber telephone tel mobile",
    "company": "companyname organisation organization account",
    "message": "comment comments notes enquiry inquiry",
    "consent": "optin gdpr gdprconsent marketingconsent",
    "user_id": "user visitorid customerid contactid",
    "occurred_at": "clienttime",
    "client": "clientip ip ipaddress remoteaddr remoteip",
    "user_agent": "ua browser",
    "utm_source": "",
    "utm_medium": "",
    "utm_campaign": "",
    "idempotency_key": "",
    "website": "honeypot",
    "elapsed_ms": "filltimems",
    "fields": "",
    "kind": "",
    "repeat_count": "",
}
OURS = tuple(_OTHER_NAMES)
"""Names of ours that a column may have, those every row needs first. `time` is another word for received_at."""

_GIVEN_ANEW = {"attempt_id", "seq", "day", "channel", "lead_id", "trace_id", "run_id", "fault_id"}
"""Columns of an exported attempt that an import gives anew."""
_ALIASES = {"time": "received_at"}
_PLAIN = re.compile(r"[^a-z0-9]+")


class Layout(NamedTuple):
    """How a file's columns are read: our name to theirs, all of theirs, those that go with a lead as they are.

    A `barred` name of ours is no column, whatever the file has.
    """

    names: dict[str, str]
    found: tuple[str, ...]
    further: tuple[str, ...]
    barred: frozenset[str] = frozenset()

    @property
    def recorded(self) -> bool:
        """Whether the rows carry their own outcome."""
        return "outcome" in self.names

    def lookups(self) -> dict[str, str]:
        """Our name to theirs for every name of ours; objects further down may have what the first ones lack."""
        taken = {*self.names.values(), *self.barred}
        return {ours: self.names.get(ours, "" if ours in taken else ours) for ours in OURS}


def make_columns(given: Columns) -> dict[str, str]:
    """Our name to theirs; BadRequest names what is wrong."""
    pairs = list(given.items()) if isinstance(given, Mapping) else [_pair(text) for text in given]
    names: dict[str, str] = {}
    for ours, theirs in pairs:
        name = _ALIASES.get(ours, ours)
        if name not in _OTHER_NAMES:
            raise BadRequest(f"{ours[:80]!r} is not a column of ours; use one of {', '.join(OURS)}.")
        if names.setdefault(name, theirs) != theirs:
            raise BadRequest(f"{name} is given as {names[name]!r} and as {theirs!r}; keep one of the two.")
    taken = [theirs for theirs in names.values() if theirs]
    if double := {theirs for theirs in taken if taken.count(theirs) > 1}:
        raise BadRequest(f"The column {min(double)!r} is given two of our names; keep one of the two.")
    return names


def layout(found: Sequence[str], given: Mapping[str, str]) -> Layout:
    """A file's columns under our own names and what was given, which comes first."""
    names = dict(given)
    taken = set(names.values())
    for theirs in found:
        ours = our_name(theirs)
        is_own = theirs.strip().lower() == ours
        if ours in _OTHER_NAMES and theirs not in taken and (ours not in names or (is_own and ours not in given)):
            names[ours] = theirs
    names = {ours: theirs for ours, theirs in names.items() if theirs}
    used = set(names.values()) | {one for one in found if one.strip().lower() in _GIVEN_ANEW}
    barred = frozenset(ours for ours, theirs in given.items() if not theirs)
    return Layout(names, tuple(found), tuple(one for one in found if one not in used), barred)


def our_name(theirs: str) -> str:
    """The name of ours that a column has by itself, if it is one: in any case, and `time` for received_at."""
    low = theirs.strip().lower()
    return _ALIASES.get(low, low)


def guess_columns(found: Iterable[str]) -> dict[str, str]:
    """Our name to theirs, as their names suggest; each column of theirs at most once."""
    columns = tuple(found)
    names: dict[str, str] = {}
    for ours, others in _OTHER_NAMES.items():
        own = () if ours == "website" else (_PLAIN.sub("", ours),)  # a stranger's website is hardly a honeypot
        for wanted in (*own, *others.split()):
            match = next((one for one in columns if _PLAIN.sub("", one.lower()) == wanted), None)
            if match is not None and match not in names.values():
                names[ours] = match
                break
    return names


def check_layout(path: Path, made: Layout, given: Mapping[str, str], *, has_forms: bool) -> None:
    """UnreadableLog when a column that every row needs is missing; the remedy names a guess where there is one."""
    for ours, theirs in given.items():
        if theirs and theirs not in made.found:
            raise UnreadableLog(f"{path} has no column {theirs[:80]!r} for {ours}; it has {_listed(made.found)}.")
    missing = []
    if "received_at" not in made.names:
        missing.append("received_at, the time of each row")
    if "source" not in made.names and not (has_forms and "page" in made.names):
        missing.append("source (or page with --form PATH=SOURCE)")
    if not made.recorded and "email" not in made.names:
        missing.append("outcome (rows are recorded) or email (rows are judged)")
    if not missing:
        return
    guessed = guess_columns(made.found)
    options = [f"--map '{ours}={theirs}'" for ours, theirs in guessed.items() if ours not in made.names]
    remedy = f"try: {' '.join(options)}" if options else "say which is which with --map ours=theirs"
    raise UnreadableLog(
        f"{path} has no column for {' and none for '.join(missing)}; it has {_listed(made.found)}; {remedy}."
    )


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals:
        raise BadRequest(f"--map {text!r} is not OURS=THEIRS; write it as email=Mail.")
    return ours.strip(), theirs


def _listed(found: Sequence[str]) -> str:
    shown = ", ".join(one[:40] for one in found[:20])
    return f"{shown} and {len(found) - 20:,} more" if len(found) > 20 else shown or "none"
