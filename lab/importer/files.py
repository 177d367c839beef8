"""Files to import: what they are, and their lines in bounded chunks, unpacked on the way.

The trap it avoids: finding out in the middle of an import that a file is no log. `head` looks first, and
`read_whole` reads a .gz to its end, so that a wrong file leaves nothing half-written. Whatever a file holds,
memory stays at a few chunks: a packed file is never unpacked whole, and a line without an end is not gathered.
"""

from __future__ import annotations

import gzip
import stat
import zlib
from collections.abc import Callable, Generator, Iterator
from io import BufferedIOBase, RawIOBase
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lab.errors import UnreadableLog

CHUNK_BYTES = 1 << 20
LINE_BYTES = 1 << 16
"""A longer line is broken; this much of it is kept."""

_GZIP = b"\x1f\x8b"
_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"7z\xbc\xaf": "a 7z archive",
    b"PAR1": "a packed Parquet file",
}
_BYTE_ORDER = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


class Chunk(NamedTuple):
    """Whole lines, each with its line end, and how many bytes of the file are read so far."""

    lines: bytes
    done_bytes: int


def size_bytes(path: Path) -> int:
    """Bytes on disk; UnreadableLog when there is no such file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise UnreadableLog(f"{path} does not exist; check the name.") from None
    except (OSError, ValueError) as error:
        raise UnreadableLog(f"{path} cannot be read ({_cause(error)}); check its permissions.") from error
    if stat.S_ISDIR(found.st_mode):
        raise UnreadableLog(f"{path} is a folder; name the files in it.")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableLog(f"{path} is not a regular file; write it to a file and name that.")
    if not found.st_size:
        raise UnreadableLog(f"{path} is empty; choose a log with lines in it.")
    return found.st_size


def head(path: Path) -> bytes:
    """The first lines of a text file, unpacked; UnreadableLog, with the remedy, for what is no text of ours."""
    size_bytes(path)
    chunks = read_chunks(path)
    try:
        text = b"".join(chunk.lines for chunk in islice(chunks, 2))
    finally:
        chunks.close()
    start = text[:512].lstrip().lower()
    for mark, what in _PACKED.items():
        if text.startswith(mark):
            raise UnreadableLog(f"{path} is {what}; unpack it and import what is inside.")
    if text.startswith(_BYTE_ORDER):
        raise UnreadableLog(f"{path} is text in UTF-16; convert it with: iconv -f UTF-16 -t UTF-8.")
    if not start:
        raise UnreadableLog(f"{path} holds no lines; choose a log with lines in it.")
    if start.startswith((b"<!doctype html", b"<html")):
        raise UnreadableLog(f"{path} is a web page, not a log; download the log file itself.")
    return text


def read_whole(path: Path, watch: Callable[[int], None] | None = None) -> None:
    """Read a .gz to its end, so that a cut or damaged one is found before anything is written."""
    with path.open("rb") as raw:
        if raw.read(2) != _GZIP:
            return
    for chunk in read_chunks(path):
        if watch is not None:
            watch(chunk.done_bytes)


def starts_with(path: Path, mark: bytes) -> bool:
    """Whether the file's first bytes are these."""
    size_bytes(path)
    try:
        with path.open("rb") as raw:
            return raw.read(len(mark)) == mark
    except OSError as error:
        raise UnreadableLog(f"{path} cannot be read ({_cause(error)}); check its permissions.") from error


def read_chunks(path: Path) -> Generator[Chunk, None, None]:
    """The file's lines, about a megabyte at a time; a .gz is known by its first bytes, whatever its name."""
    try:
        with path.open("rb", buffering=0) as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            source: RawIOBase | BufferedIOBase = gzip.GzipFile(fileobj=raw) if packed else raw
            yield from _whole_lines(source, raw)
    except EOFError as error:
        raise UnreadableLog(f"{path} is cut short in the middle; fetch the file again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableLog(f"{path} is a damaged .gz file; fetch the file again.") from error
    except OSError as error:
        raise UnreadableLog(f"{path} cannot be read ({_cause(error)}); check the file and its permissions.") from error


def _whole_lines(source: RawIOBase | BufferedIOBase, raw: RawIOBase) -> Iterator[Chunk]:
    rest, overlong = b"", False
    data = source.read(CHUNK_BYTES).removeprefix(_UTF8_MARK)
    while data:
        if overlong:
            _, found, data = data.partition(b"\n")
            overlong = not found
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Chunk(rest + data[:cut], raw.tell())
            rest = data[cut:]
        else:
            rest += data
        if len(rest) > LINE_BYTES:
            yield Chunk(rest[:LINE_BYTES] + b"\n", raw.tell())
            rest, overlong = b"", True
        data = source.read(CHUNK_BYTES)
    if rest:
        yield Chunk(rest + b"\n", raw.tell())


def _cause(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
