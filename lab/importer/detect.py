"""Which format a file is in: as asked, or found out from its first lines; what it is not is told with the remedy.

The trap it avoids: a file taken for what its name says. Its bytes decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lab.errors import BadRequest, UnreadableLog
from lab.importer import json_access, parquet, w3c
from lab.importer.columns import Layout, check_layout, guess_columns, layout
from lab.importer.files import head, starts_with
from lab.importer.formats import BROKEN, FORMATS, Reader
from lab.importer.json_access import JsonReader
from lab.importer.records import CsvFile, NdjsonFile, TableFile
from lab.importer.w3c import W3CReader

LOGS = {**{name: one.title for name, one in FORMATS.items()}, "json-access": json_access.TITLE, "w3c": w3c.TITLE}
TABLES = {"ndjson": "NDJSON", "csv": "CSV with a header", "parquet": "Parquet"}
NAMES = (*LOGS, *TABLES)
_ACCEPTED = "an access log, NDJSON, CSV or Parquet"


class Detected(NamedTuple):
    """A file's format: `table` and `layout` for rows with columns, neither for an access log."""

    path: Path
    name: str
    table: TableFile | None = None
    layout: Layout | None = None

    def reader(self) -> Reader:
        """A reader of the log, from its start."""
        if self.name == "w3c":
            return W3CReader()
        return JsonReader() if self.name == "json-access" else FORMATS[self.name].reader()


def format_named(name: str) -> str:
    """The name, if it is one of ours; BadRequest lists them otherwise."""
    if name in NAMES:
        return name
    raise BadRequest(f"{name!r} is not a format the lab reads; use {', '.join(NAMES)}.")


def detect(path: Path, asked: str = "auto", columns: Mapping[str, str] | None = None) -> Detected:
    """What the file is; UnreadableLog says what it is instead. `columns` is what was said about its columns."""
    given = columns or {}
    if asked == "parquet" or (asked == "auto" and starts_with(path, parquet.MARK)):
        if not starts_with(path, parquet.MARK):
            raise _not_in(path, TABLES["parquet"])
        return _table(path, "parquet", parquet.ParquetFile(path), given)
    text = head(path)
    name = _name_of(path, text, given) if asked == "auto" else asked
    if name in LOGS:
        if not _is_log(path, name, text):
            raise _binary(path) if b"\0" in text else _not_in(path, LOGS[name])
        return Detected(path, name)
    table: TableFile = NdjsonFile(path, text) if name == "ndjson" else CsvFile(path, text)
    if not table.columns:
        raise _not_in(path, TABLES[name])
    return _table(path, name, table, given)


def check_table(found: Detected, columns: Mapping[str, str], *, has_forms: bool) -> None:
    """UnreadableLog when a table lacks a column that every row needs."""
    if found.layout is not None:
        check_layout(found.path, found.layout, columns, has_forms=has_forms)


def _table(path: Path, name: str, table: TableFile, given: Mapping[str, str]) -> Detected:
    return Detected(path, name, table, layout(table.columns, given))


def _name_of(path: Path, text: bytes, given: Mapping[str, str]) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    if any(w3c.MARK.match(line) for line in lines[:20]):
        return "w3c"
    if lines[0].strip()[:1] == b"[" and lines[0].strip()[1:2] in (b"", b"{"):
        raise _document(path)
    objects = [one for line in lines[:100] if line.lstrip()[:1] == b"{" and (one := json_access.read_object(line))]
    if objects:
        return "json-access" if any(map(json_access.is_access, objects)) else "ndjson"
    if any(found[BROKEN] is None for found in FORMATS["auto"].line.finditer(text)):
        return "auto"
    if b"\0" in text:
        raise _binary(path)
    if lines[0].strip() == b"{":
        raise _document(path)
    names = CsvFile(path, text).columns
    if len(names) > 1 and (set(names) & set(given.values()) or guess_columns(names)):
        return "csv"
    raise UnreadableLog(
        f"{path} is not in a format the lab reads; choose {_ACCEPTED}, or name another --format."
    )


def _is_log(path: Path, name: str, text: bytes) -> bool:
    found = Detected(path, name).reader()
    return any(one[BROKEN] is None for one in found.read(text))


def _document(path: Path) -> UnreadableLog:
    return UnreadableLog(f"{path} is JSON over many lines; write one object a line, as `jq -c '.[]'` does.")


def _binary(path: Path) -> UnreadableLog:
    return UnreadableLog(f"{path} is a binary file, not a log; choose a text file, a .gz of one, or Parquet.")


def _not_in(path: Path, title: str) -> UnreadableLog:
    return UnreadableLog(f"{path} is not in {title}; choose a file that is, or name another --format.")
