"""Leftovers: the broken lines of a run, kept aside as they were, to be mended and imported again.

They may hold addresses and whatever else a log holds, so only their owner may read the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lab.errors import StorageFailed

KEPT_BYTES = 64 << 20
"""Beyond this, broken lines are only counted."""


class Leftovers:
    """The file of one run, made with its first line. `count` counts all, `kept` those in the file."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.path = leftovers_path(folder, run_id)
        self.count = self.kept = 0
        self._bytes = 0
        self._header = b""

    def add(self, lines: Sequence[bytes], header: bytes = b"") -> None:
        """Append lines, under the header they are read by where they need one; StorageFailed when the disk refuses."""
        self.count += len(lines)
        if not lines or self._bytes >= KEPT_BYTES:
            return
        with_header = [header, *lines] if header != self._header and header else lines
        self._header = header
        text = b"".join(line.rstrip(b"\r\n") + b"\n" for line in with_header)
        try:
            self.path.parent.mkdir(exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with open(handle, "ab") as file:
                file.write(text)
        except OSError as error:
            raise StorageFailed(
                f"Broken lines cannot be kept in {self.path} ({error.strerror}); free space and import again."
            ) from error
        self.kept += len(lines)
        self._bytes += len(text)


def leftovers_path(folder: Path, run_id: str) -> Path:
    """Where a run's broken lines are."""
    return folder / "leftovers" / f"{run_id}.txt"
