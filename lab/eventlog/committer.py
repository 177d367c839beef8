"""Group commit: many callers, one transaction, one fsync.

One thread drains a bounded queue; whatever waits becomes one write transaction. The trap it avoids: one fsync
a caller, and one bad caller's error for everybody: when a shared transaction fails, each part is tried alone.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from lab.errors import QueueFull, StorageFailed
from lab.eventlog.stream import Row, Stream

Settle = Callable[[Connection, Sequence[Sequence[Any]]], Sequence[Sequence[Row]]]
"""Turns what callers handed in (one sequence a caller, in order) into rows, inside the write transaction."""


class Pending(NamedTuple):
    """One caller's part of a transaction."""

    stream: Stream
    items: Sequence[Any]
    settle: Settle | None
    also: Callable[[Connection], None] | None
    done: Future[Sequence[Row]]


Commit = Callable[[list[Pending]], list[Sequence[Row]]]


class Committer:
    """Hands drained parts to `commit`, which writes them in one transaction. `_closing` is guarded by the lock."""

    def __init__(self, commit: Commit, *, waiting: int = 4096, rows_a_drain: int = 4096) -> None:
        self._commit = commit
        self._queue: queue.Queue[Pending | None] = queue.Queue(maxsize=waiting)
        self._rows_a_drain = rows_a_drain
        self._lock = threading.Lock()
        self._closing = False
        self._thread: threading.Thread | None = None

    def put(self, pending: Pending) -> None:
        """Queue a part; QueueFull at once when too many wait."""
        with self._lock:
            if self._closing:
                raise StorageFailed("The log is closing and takes no more rows; send again once the lab has started.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log committer", daemon=True)
                self._thread.start()
            try:
                self._queue.put_nowait(pending)
            except queue.Full:
                raise QueueFull(
                    f"{self._queue.maxsize} submissions already wait for the disk; send again in a second."
                ) from None

    def close(self) -> None:
        """Write what waits, then stop. Idempotent."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            batch, rows = [], 0
            item = self._queue.get()
            while item is not None:
                batch.append(item)
                rows += len(item.items)
                if rows >= self._rows_a_drain:
                    break
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
            last = item is None
            if batch:
                self._write(batch)

    def _write(self, batch: list[Pending]) -> None:
        try:
            results = self._commit(batch)
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    self._write([one])
            else:
                batch[0].done.set_exception(_told(error))
            return
        for one, rows in zip(batch, results, strict=True):
            one.done.set_result(rows)


def _told(error: Exception) -> Exception:
    if isinstance(error, SQLAlchemyError | OSError):
        told = StorageFailed(
            f"The database refused the write ({getattr(error, 'orig', None) or error}); nothing was acknowledged. "
            "Free space or check the disk, then send again."
        )
        told.__cause__ = error
        return told
    return error
