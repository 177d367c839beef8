"""JSON access logs: one object a line, as nginx writes with `log_format ... escape=json` and as Caddy writes.

The trap it avoids: a format of one's own names. nginx has no JSON format but the one its user wrote down, so
each part is looked for under the variables' names and those that people commonly give them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from lab.importer.formats import Found
from lab.importer.values import text_of

TITLE = "a JSON access log"
_TIMES = ("time_iso8601", "ts", "time_local", "timestamp", "@timestamp", "msec", "time", "date")
_METHODS = ("request_method", "method")
_TARGETS = ("request_uri", "uri", "url", "path", "document_uri")
_HOSTS = ("remote_addr", "remote_ip", "client_ip", "client", "ip")
_USERS = ("remote_user", "user_id", "user")
_AGENTS = ("http_user_agent", "user_agent", "agent")
_STATUSES = ("status", "status_code")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+://[^/?#]*+")
_STATUS = re.compile(r"[1-5]\d\d")


class JsonReader:
    """One file's objects; one that tells of no request (a server's own message) is no hit and not broken."""

    header = b""

    def read(self, lines: bytes) -> Iterable[Found]:
        """Each line, taken apart."""
        for line in lines.splitlines():
            if line.strip():
                yield _parts(line)


def is_access(entry: Any) -> bool:
    """Whether an object tells of a request and its status."""
    return isinstance(entry, dict) and _first(entry, _STATUSES) is not None and _request(entry) is not None


def read_object(line: bytes) -> dict[str, Any] | None:
    """The line's object; nginx without escape=json writes \\x22, which JSON does not know."""
    for text in (line, line.replace(b"\\x", b"\\u00")) if b"\\x" in line else (line,):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _parts(line: bytes) -> tuple[bytes | None, ...]:
    entry = read_object(line)
    if entry is None:
        return (line, None, None, None, None, None, None, None, line)
    asked = _request(entry)
    if asked is None or asked[0].upper() != "POST":
        return (line, None, None, None, None, None, None, None, None)
    nested = entry["request"] if isinstance(entry.get("request"), dict) else {}
    status, time = _first(entry, _STATUSES), _first(entry, _TIMES)
    if status is None or time is None or not _STATUS.fullmatch(status):
        return (line, None, None, None, None, None, None, None, line)
    path, _, query = _AUTHORITY.sub("", asked[1], count=1).partition("#")[0].partition("?")
    headers = nested.get("headers")
    agents = headers.get("User-Agent") if isinstance(headers, dict) else None
    agent = agents[0] if isinstance(agents, list) and agents else _first(entry, _AGENTS)
    host = _first(nested, ("client_ip", "remote_ip")) or _first(entry, _HOSTS) or _host_of(nested.get("remote_addr"))
    parts = (host or "-", _first(entry, _USERS) or "-", time, path)
    return (
        line, *(part.encode() for part in parts), f"?{query}".encode() if query else None, status.encode(),
        (text_of(agent) or "").encode() or None, None,
    )  # fmt: skip


def _request(entry: dict[str, Any]) -> tuple[str, str] | None:
    """Method and target, from their own fields or from a request line."""
    request = entry.get("request")
    if isinstance(request, dict):
        entry = request
    elif isinstance(request, str) and not (_first(entry, _METHODS) and _first(entry, _TARGETS)):
        parts = request.split(" ")
        return (text_of(parts[0]) or "", text_of(parts[1]) or "") if len(parts) > 1 else ("", "")
    method, target = _first(entry, _METHODS), _first(entry, _TARGETS)
    return None if method is None or target is None else (method, target)


def _first(entry: dict[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        if (value := entry.get(name)) is not None and not isinstance(value, dict | list) and value != "":
            return text_of(value)
    return None


def _host_of(address: Any) -> str | None:
    """An address without its port, as older Caddy writes it."""
    return address.rpartition(":")[0].strip("[]") or address if isinstance(address, str) else None
