"""What a file is, before and while it is read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.errors import UnreadableLog
from lab.importer import files
from lab.importer.detect import detect
from lab.importer.files import LINE_BYTES, read_chunks, read_whole

Line = Callable[..., str]


def check(path: Path) -> None:
    """What an import does before it writes."""
    detect(path)
    read_whole(path)


def text_of(path: Path) -> bytes:
    return b"".join(chunk.lines for chunk in read_chunks(path))


def test_a_log_passes_plain_and_packed_whatever_its_name(tmp_path: Path, line: Line) -> None:
    """A .gz is known by its first bytes."""
    plain, packed = tmp_path / "a.gz", tmp_path / "b.log"
    plain.write_text(line())
    packed.write_bytes(gzip.compress(line().encode()))
    for path in (plain, packed):
        check(path)
        assert text_of(path) == line().encode()


def test_chunks_hold_whole_lines_and_lose_none(tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the reads fall, the lines come out as they are; a last line without an end gets one."""
    text = "".join(line(host=f"203.0.113.{number % 250}") for number in range(500))
    path = tmp_path / "a.log"
    path.write_text(text[:-1])
    for size in (1, 7, 100, 4096):
        monkeypatch.setattr(files, "CHUNK_BYTES", size)
        chunks = list(read_chunks(path))
        assert b"".join(chunk.lines for chunk in chunks) == text.encode()
        assert all(chunk.lines.endswith(b"\n") for chunk in chunks)
        assert chunks[-1].done_bytes == path.stat().st_size


def test_several_gz_members_are_one_log(tmp_path: Path, line: Line) -> None:
    """Rotated logs are often concatenated packed."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(line().encode()) + gzip.compress(line(status=200).encode()))
    assert text_of(path) == (line() + line(status=200)).encode()


def test_a_byte_order_mark_of_utf8_is_not_part_of_the_first_line(tmp_path: Path, line: Line) -> None:
    """Editors on Windows add one."""
    path = tmp_path / "a.log"
    path.write_bytes(b"\xef\xbb\xbf" + line().encode())
    assert text_of(path) == line().encode()


def test_an_endless_line_is_cut_and_the_next_one_is_read(tmp_path: Path, line: Line) -> None:
    """What is kept of it is bounded, and it does not swallow its neighbours."""
    path = tmp_path / "a.log"
    path.write_text(line() + "x" * (5 << 20) + "\n" + line(status=200))
    lines = text_of(path).split(b"\n")
    assert lines[0] == line().strip().encode()
    assert len(lines[1]) <= LINE_BYTES
    assert lines[2:] == [line(status=200).strip().encode(), b""]


def test_a_packed_bomb_is_read_in_bounded_memory(tmp_path: Path, line: Line) -> None:
    """200 MB of one line in a file of 200 kB never stand in memory."""
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(line().encode())
        for _ in range(40):
            packed.write(b"0" * (5 << 20))
    tracemalloc.start()
    check(path)
    assert sum(len(chunk.lines) for chunk in read_chunks(path)) < 1 << 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def _tar() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("access.log"), io.BytesIO(b""))
    return target.getvalue()


def _zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("access.log", "x")
    return target.getvalue()


LINE = b'203.0.113.7 - - [25/Oct/2015:04:11:27 +0100] "POST /a HTTP/1.1" 302 1\n'
WRONG: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \n\n", "holds no lines"),
    "packed nothing": (gzip.compress(b""), "holds no lines"),
    "binary": (random.Random(7).randbytes(5000) + b"\0", "is a binary file"),
    "image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
    "tar": (_tar(), "is a binary file"),
    "zip": (_zip(), "is a zip archive; unpack"),
    "bzip2": (bz2.compress(LINE), "packed with bzip2; unpack"),
    "xz": (lzma.compress(LINE), "packed with xz; unpack"),
    "web page": (b"  <!DOCTYPE html><html><body>Not found</body></html>", "is a web page"),
    "prose": (b"Dear all,\nthe log is attached.\n", "is not in a format the lab reads"),
    "strange table": (b"colour;weight\nred;3\n", "is not in a format the lab reads"),
    "json document": (b'[\n {"email": "a@example.org"}\n]\n', "is JSON over many lines"),
    "cut parquet": (b"PAR1" + bytes(40), "is a damaged Parquet file"),
    "packed parquet": (gzip.compress(b"PAR1" + bytes(40)), "is a packed Parquet file; unpack"),
    "utf-16": (LINE.decode().encode("utf-16"), "UTF-16; convert it with: iconv"),
    "cut short": (gzip.compress(LINE + random.Random(7).randbytes(3000).hex().encode())[:-900], "cut short"),
    "cut at its end": (gzip.compress(LINE * 9)[:-4], "cut short"),
    "damaged": (gzip.compress(LINE * 9)[:-8] + b"\1\2\3\4\5\6\7\10", "damaged .gz"),
    "trailing garbage": (gzip.compress(LINE * 9) + b"garbage!", "damaged .gz"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_file_is_refused_in_one_sentence_with_the_remedy(kind: str, tmp_path: Path) -> None:
    """It names the file, says what it is, and what to do instead."""
    content, said = WRONG[kind]
    path = tmp_path / "access.log"
    path.write_bytes(content)
    with pytest.raises(UnreadableLog) as refused:
        check(path)
    text = str(refused.value)
    assert text.startswith(f"{path} ")
    assert said in text
    assert "; " in text
    assert text.endswith(".")
    assert "\n" not in text


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    """Only a regular file can be read again when it must."""
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("nowhere.log", "does not exist"), (".", "is a folder"), ("pipe", "not a regular file")):
        with pytest.raises(UnreadableLog, match=said):
            check(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_refused(tmp_path: Path, line: Line) -> None:
    """The sentence points at permissions."""
    path = tmp_path / "a.log"
    path.write_text(line())
    path.chmod(0)
    with pytest.raises(UnreadableLog, match="permissions"):
        check(path)


def test_a_log_with_broken_lines_and_zeros_in_it_is_still_a_log(tmp_path: Path, line: Line) -> None:
    """A crash leaves blocks of zero bytes in logs; the rest is good."""
    path = tmp_path / "a.log"
    path.write_bytes(b"\0" * 500 + b"\nnonsense\n" + line().encode())
    check(path)
