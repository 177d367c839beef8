"""Files that are on disk when the call returns.

The trap it avoids: Parquet writers issue no fsync, and a rename is not durable before its folder is. So:
temporary name, write, fsync, rename, fsync of the folder, and of the parent when the folder is new. An
fsync that failed is never retried on the same descriptor: the kernel may have dropped the pages.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lab.errors import StorageFailed

TEMPORARY = ".tmp"


def write_file(path: Path, data: memoryview) -> None:
    """Write `data` to a new file at `path`; StorageFailed, and nothing left behind, when the disk refuses."""
    temporary = path.with_name(f"{path.name}{TEMPORARY}")
    try:
        make_folder(path.parent)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            written = 0
            while written < len(data):  # a full disk answers with a short write, not an error
                written += os.write(handle, data[written:])
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        for leftover in (temporary, path):
            with contextlib.suppress(OSError):
                leftover.unlink()
        raise StorageFailed(
            f"The disk refused to store {path.name} ({error.strerror or error}); nothing was acknowledged. "
            "Free space or check the disk, then send again."
        ) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents, each durable in its own parent."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir()
    try:
        sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            path.rmdir()  # the next attempt must make and sync it again
        raise


def sync_folder(path: Path) -> None:
    """Make a folder's entries durable; a no-op where folders cannot be opened (Windows)."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
