"""From lines to recorded attempts: which lines are hits of a form, and the Arrow table they become.

The trap it avoids: a line counted twice because two files overlap, or two equal lines of one file taken for
one. A row's key is the line's hash together with its how-manieth occurrence in the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from lab.attempt import INSTANT, SCHEMA, Channel, Kind
from lab.importer.files import read_chunks
from lab.importer.formats import AUTHUSER, BROKEN, HOST, PATH, QUERY, STATUS, TIME, USER_AGENT, Reader, When
from lab.importer.given import Given, JudgedRow, RecordedRow
from lab.importer.records import TableFile
from lab.importer.rules import Judgement, Rules
from lab.pseudonyms import Pseudonyms
from lab.user_agent import family

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_UTM = {
    name: re.compile(rb"[?&]" + name.encode() + rb"=([A-Za-z0-9_.-]{1,64})(?=&|\Z)")
    for name in ("utm_source", "utm_medium", "utm_campaign")
}
_ABSENT = {b"-", b'""', b""}


class Hit(NamedTuple):
    """A POST to a form, as the log tells it. `line_hash` and `occurrence` are its key."""

    line_hash: bytes
    occurrence: int
    when: When
    path: str
    judgement: Judgement
    host: bytes
    authuser: bytes
    user_agent: bytes | None
    query: bytes | None

    @property
    def success(self) -> bool:
        return self.judgement.category is None

    @property
    def attempts(self) -> int:
        return 1


class Keys:
    """Keys of one file's lines, in order: the hash, and its how-manieth occurrence."""

    def __init__(self, hashed: Callable[[bytes], bytes]) -> None:
        self._hashed = hashed
        self._seen: set[bytes] = set()
        self._repeated: dict[bytes, int] = {}

    def of(self, line: bytes) -> tuple[bytes, int]:
        """The key of the next line."""
        key = self._hashed(line)
        if key not in self._seen:
            self._seen.add(key)
            return key, 1
        self._repeated[key] = occurrence = self._repeated.get(key, 1) + 1
        return key, occurrence


Entry = Hit | RecordedRow | JudgedRow


class Part(NamedTuple):
    """What one chunk of a file gave; `done_bytes` is how much of the file on disk is read.

    `header` is what the broken lines need before them to be read again; the `last` one of a file is empty.
    """

    entries: Sequence[Entry]
    broken: list[bytes]
    not_for_a_form: int
    done_bytes: int
    header: bytes = b""
    last: bool = False


def read_parts(
    path: Path, reader: Reader, rules: Rules, when: Callable[[bytes], When | None], keys: Keys, times: range
) -> Iterator[Part]:
    """An access log, chunk by chunk, as hits, broken lines and a count of the rest; blank lines count nowhere.

    A line from outside `times`, in microseconds, is broken.
    """
    forms = {path.encode(): path for path in rules.forms}
    judge = lru_cache(maxsize=4096)(rules.judge)
    for chunk in read_chunks(path):
        hits: list[Hit] = []
        broken: list[bytes] = []
        others = 0
        for found in reader.read(chunk.lines):
            target = found[PATH]
            if target is None:
                text = found[BROKEN]
                if text is None:
                    others += 1
                elif text.strip():
                    broken.append(text)
                continue
            page = forms.get(target or b"/")
            if page is None:
                others += 1
                continue
            line = found[0].rstrip(b"\r\n")
            instant = when(found[TIME])
            if instant is None or instant.at_us not in times:
                broken.append(line)
                continue
            key, occurrence = keys.of(line)
            hits.append(
                Hit(
                    key,
                    occurrence,
                    instant,
                    page,
                    judge(page, int(found[STATUS])),
                    found[HOST],
                    found[AUTHUSER],
                    found[USER_AGENT],
                    found[QUERY],
                )
            )
        yield Part(hits, broken, others, chunk.done_bytes, reader.header)


def read_table(file: TableFile, given: Given, keys: Keys, times: range) -> Iterator[Part]:
    """A table, chunk by chunk, as recorded and judged rows; what cannot be read or is outside `times` is broken."""
    for chunk in file.read():
        entries: list[Entry] = []
        broken: list[bytes] = []
        for record in chunk.rows:
            row = given.row(record, *keys.of(record.raw))
            if row is None or row.when.at_us not in times:
                broken.append(record.raw)
            else:
                entries.append(row)
        yield Part(entries, broken, 0, chunk.done_bytes, chunk.header)


class Recorder:
    """Makes recorded rows of hits: pseudonymous, with their own time and outcome, judged by nobody."""

    def __init__(self, rules: Rules, pseudonyms: Pseudonyms) -> None:
        self._sources = rules.forms
        self._client = lru_cache(maxsize=65_536)(lambda host: pseudonyms.client(_text(host).removeprefix("::ffff:")))
        self._user = lru_cache(maxsize=4096)(
            lambda name: None if name in _ABSENT else pseudonyms.user(_text(name))
        )

    def table(self, hits: Sequence[Hit]) -> pa.Table:
        """The hits as attempts in the log's schema; `seq` is left for the log to fill."""
        count = len(hits)
        utm = [_utm(hit.query) if hit.query and b"utm_" in hit.query else _NO_UTM for hit in hits]
        given = {
            "attempt_id": pa.array(_ids([hit.when.at_us // 1000 for hit in hits]), pa.string()),
            "seq": pa.repeat(pa.scalar(0, pa.int64()), count),
            "received_at": pa.array([hit.when.at_us for hit in hits], pa.int64()).cast(INSTANT),
            "day": pa.array([hit.when.ordinal - _EPOCH_DAY for hit in hits], pa.int32()).cast(pa.date32()),
            "channel": pa.repeat(Channel.IMPORT.value, count),
            "kind": pa.repeat(Kind.ATTEMPT.value, count),
            "source": pa.array([self._sources[hit.path] for hit in hits], pa.string()),
            "page": pa.array([hit.path for hit in hits], pa.string()),
            "user_id": pa.array([self._user(hit.authuser) for hit in hits], pa.string()),
            "outcome": pa.array([hit.judgement.outcome for hit in hits], pa.string()),
            "failure_category": pa.array([hit.judgement.category for hit in hits], pa.string()),
            "failure_reason": pa.array([hit.judgement.reason for hit in hits], pa.string()),
            "failure_context": pa.array([hit.judgement.context for hit in hits], pa.string()),
            "client": pa.array([self._client(hit.host) for hit in hits], pa.string()),
            "user_agent": pa.array([_family(hit.user_agent) for hit in hits], pa.string()),
            "utm_source": pa.array([one[0] for one in utm], pa.string()),
            "utm_medium": pa.array([one[1] for one in utm], pa.string()),
            "utm_campaign": pa.array([one[2] for one in utm], pa.string()),
            "repeat_count": pa.repeat(pa.scalar(1, pa.int64()), count),
        }
        arrays = [given[field.name] if field.name in given else pa.nulls(count, field.type) for field in SCHEMA]
        return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _ids(milliseconds: Sequence[int]) -> list[str]:
    """A UUIDv7 for each, as `lab.ids.uuid7` makes them, with one call for all the random bits."""
    random = os.urandom(10 * len(milliseconds)).hex()
    ids = []
    for start, ms in zip(range(0, len(random), 20), milliseconds, strict=True):
        time, bits = f"{ms:012x}", random[start : start + 20]
        ids.append(f"{time[:8]}-{time[8:]}-7{bits[:3]}-{_VARIANT[bits[3]]}{bits[4:7]}-{bits[7:19]}")
    return ids


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_NO_UTM: tuple[str | None, ...] = (None, None, None)


@lru_cache(maxsize=4096)
def _utm(query: bytes) -> tuple[str | None, ...]:
    found = (mark.search(query) for mark in _UTM.values())
    return tuple(one[1].decode("ascii") if one else None for one in found)


@lru_cache(maxsize=4096)
def _family(user_agent: bytes | None) -> str | None:
    return None if user_agent is None or user_agent in _ABSENT else family(_text(user_agent))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
