"""Tables as text, record by record."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.importer import files
from lab.importer.files import head
from lab.importer.records import CsvFile, Record


def read(path: Path, text: bytes) -> tuple[CsvFile, list[Record]]:
    path.write_bytes(text)
    table = CsvFile(path, head(path))
    return table, [row for chunk in table.read() for row in chunk.rows]


@pytest.mark.parametrize("mark", [b",", b";", b"\t"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, mark: bytes) -> None:
    """Comma, semicolon or tab; the others may stand in cells."""
    table, rows = read(tmp_path / "a", mark.join([b"a", b"b", b"c"]) + b"\n" + mark.join([b"1", b'"x,;\ty"', b"3"]) + b"\n")
    assert table.columns == ("a", "b", "c")
    assert rows[0].values == {"a": "1", "b": "x,;\ty", "c": "3"}


@pytest.mark.parametrize("size", [5, 16, 1 << 20])
def test_quoted_cells_may_hold_line_breaks_however_the_chunks_fall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """RFC 4180: doubled quotes, line breaks, CRLF, a last line without an end."""
    monkeypatch.setattr(files, "CHUNK_BYTES", size)
    text = b'\xef\xbb\xbfa,b\r\n1,"two\r\nlines, ""quoted"""\r\n\r\n2,plain\r\n3,"end"'
    table, rows = read(tmp_path / "a", text)
    assert [row.values for row in rows] == [
        {"a": "1", "b": 'two\r\nlines, "quoted"'}, {"a": "2", "b": "plain"}, {"a": "3", "b": "end"},
    ]  # fmt: skip
    assert table.columns == ("a", "b")


def test_a_quote_that_is_never_closed_costs_its_own_line_only(tmp_path: Path) -> None:
    """Also a stray one inside a cell, and a line with a cell too many."""
    text = b'a,b\n1,x\n2,"never closed\n3,y\n4,5" pipe\n5,z\n6,7,8\n' + b"9,w\n" * 20_000
    _, rows = read(tmp_path / "a", text)
    good = [row.values["a"] for row in rows if row.values is not None]
    assert good[:3] == ["1", "3", "5"]
    assert good[3:] == ["9"] * 20_000
    assert [row.raw for row in rows if row.values is None] == [b'2,"never closed', b'4,5" pipe', b"6,7,8"]


def test_a_header_with_double_and_empty_names_gives_each_column_its_own(tmp_path: Path) -> None:
    """No column hides another."""
    table, _ = read(tmp_path / "a", b"Mail,Mail,,x\n1,2,3,4\n")
    assert table.columns == ("Mail", "Mail_2", "column_3", "x")


def test_text_of_a_windows_spreadsheet_is_read(tmp_path: Path) -> None:
    """Which is not UTF-8."""
    _, rows = read(tmp_path / "a", "name;city\nJosé;Köln\n".encode("cp1252"))
    assert rows[0].values == {"name": "José", "city": "Köln"}
