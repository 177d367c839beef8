"""An HTTP client whose connections can be cut from another thread.

The trap it avoids: a read that waits for a server's first byte cannot be interrupted, and closing the client from
elsewhere does not wake it; shutting the socket down does, and for Ollama that ends the generation.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx


class Wire:
    """Remembers the sockets that an httpx client opens. The lock guards `_sockets` and `_cut`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._cut = False

    @property
    def was_cut(self) -> bool:
        return self._cut

    def options(self, host: str, connect_timeout_s: float, read_timeout_s: float) -> dict[str, Any]:
        """Keyword arguments for an httpx client: hooks, timeouts, no redirects, no proxy on the way to loopback."""
        return {
            "event_hooks": {"request": [self._follow]},
            "timeout": httpx.Timeout(read_timeout_s, connect=connect_timeout_s),
            "follow_redirects": False,
            "trust_env": not _is_loopback(host),
        }

    def cut(self) -> None:
        """Shut every connection down; whoever reads from one fails at once. Idempotent."""
        with self._lock:
            self._cut = True
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _follow(self, request: httpx.Request) -> None:
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event not in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            return
        opened = info["return_value"].get_extra_info("socket")
        with self._lock:
            self._sockets.append(opened)
            late = self._cut
        if late:
            self.cut()


def _is_loopback(host: str) -> bool:
    name = urlsplit(host).hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
