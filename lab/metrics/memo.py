"""A bounded memory of results: the least recently used go first. The trap it avoids: a cache without a ceiling."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

import polars as pl

OVERHEAD_BYTES = 2_048
"""What an entry costs beside its values; a history of tiny frames must count as well."""


class Memo:
    """Frames by key, at most `max_bytes` of them. Keys carry a version of the rows, so nothing is ever stale.

    `_lock` guards `_frames` and `_bytes`.
    """

    def __init__(self, max_bytes: int = 128 * 1024 * 1024) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._frames: OrderedDict[Hashable, pl.DataFrame] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> pl.DataFrame | None:
        with self._lock:
            frame = self._frames.get(key)
            if frame is not None:
                self._frames.move_to_end(key)
            return frame

    def put(self, key: Hashable, frame: pl.DataFrame) -> None:
        """Keep `frame`; one larger than the whole memory is not kept."""
        with self._lock:
            if (old := self._frames.pop(key, None)) is not None:
                self._bytes -= _weight(old)
            if _weight(frame) > self.max_bytes:
                return
            self._frames[key] = frame
            self._bytes += _weight(frame)
            while self._bytes > self.max_bytes:
                _, dropped = self._frames.popitem(last=False)
                self._bytes -= _weight(dropped)

    @property
    def size_bytes(self) -> int:
        with self._lock:
            return self._bytes


def _weight(frame: pl.DataFrame) -> int:
    return int(frame.estimated_size()) + OVERHEAD_BYTES
