"""Whether a file is what was written: its SHA-256, computed once for each state of the file.

The trap it avoids: with zstd most single bit flips give wrong rows and no error. A file is hashed before this
process reads it for the first time, and again when its size, time or inode changed.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from lab.errors import FileDamaged, FileGone

_PIECE = 4 * 1024 * 1024


def require_intact(file: Path, written: str) -> None:
    """FileGone when it is not there, FileDamaged when it cannot be read or its hash is not `written`."""
    try:
        state = file.stat()
    except FileNotFoundError:
        raise FileGone(file) from None
    except OSError:
        raise FileDamaged(file) from None
    if _hash(file, state.st_size, state.st_mtime_ns, state.st_ino) != written:
        raise FileDamaged(file)


def is_intact(file: Path, written: str) -> bool:
    """The same as an answer."""
    try:
        require_intact(file, written)
    except (FileGone, FileDamaged):
        return False
    return True


@lru_cache(maxsize=8192)
def _hash(file: Path, _size: int, _mtime_ns: int, _inode: int) -> str | None:
    """The file's SHA-256 as hexadecimal digits; None when it cannot be read."""
    digest = sha256()
    try:
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
    except OSError:
        return None
    return digest.hexdigest()
