"""Uploaded logs on their way to an import: a file of its own under the data folder, gone when it has served.

They may hold whatever a log holds, so only their owner may read them. The trap it avoids: uploads that nobody
removes. An import removes its own, a new upload the one it replaces, and any save those that were forgotten.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Protocol

from lab.errors import StorageFailed

FOLDER = "uploads"
FORGOTTEN_S = 2 * 3600.0
"""An upload that nothing has touched for so long belongs to a page that was closed, or to a lab that was killed."""
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")


class Upload(Protocol):
    """What Streamlit's uploader hands over."""

    name: str

    def getbuffer(self) -> memoryview: ...


def save(data_dir: Path, upload: Upload) -> Path:
    """Write the upload to a file of its own, under its name made harmless; StorageFailed when the disk refuses."""
    forget_old(data_dir)
    name = _UNUSUAL.sub("_", Path(upload.name).name).lstrip(".")[-100:] or "log"
    folder = data_dir / FOLDER / secrets.token_hex(8)
    try:
        folder.mkdir(parents=True, mode=0o700)
        path = folder / name
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(upload.getbuffer())
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise StorageFailed(f"The upload cannot be kept ({error.strerror}); free space and choose it again.") from error
    return path


def remove(path: Path) -> None:
    """Remove an upload; one that is gone already is fine."""
    shutil.rmtree(path.parent, ignore_errors=True)


def forget_old(data_dir: Path) -> None:
    """Remove what was forgotten."""
    before = time.time() - FORGOTTEN_S
    for folder in (data_dir / FOLDER).glob("*/"):
        try:
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def without_folder(text: str, data_dir: Path) -> str:
    """A sentence about an upload, with the name the user gave it in place of where it lies."""
    return re.sub(re.escape(f"{data_dir / FOLDER}{os.sep}") + r"[0-9a-f]{16}" + re.escape(os.sep), "", text)
