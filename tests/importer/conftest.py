"""A small access log of our own making, in the shape of a real one: two forms, robots, pages, a proxy's targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"

Line = Callable[..., str]


def line(
    request: str = "POST /join_form HTTP/1.1",
    status: int = 302,
    time: str = "25/Oct/2015:04:11:27 +0100",
    host: str = "203.0.113.7",
    user: str = "-",
    agent: str | None = FIREFOX,
) -> str:
    """A line of the Combined Log Format; of the Common one when `agent` is None."""
    start = f'{host} - {user} [{time}] "{request}" {status} 9093'
    return f"{start}\n" if agent is None else f'{start} "http://example.org/" "{agent}"\n'


@pytest.fixture(name="line")
def line_maker() -> Line:
    """Makes a line of a log."""
    return line


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Three business days around midnight in Amsterdam: 6 accepted joins, 4 logins with 200, and other traffic."""
    lines = [
        line(),
        line("GET /join_form HTTP/1.1", 200),
        line(time="25/Oct/2015:04:11:28 +0100", host="203.0.113.8"),
        line("POST http://example.org/join_form?utm_source=mail HTTP/1.1", time="25/Oct/2015:23:59:59 +0100"),
        line("POST /login_form HTTP/1.1", 200, "25/Oct/2015:09:00:00 +0100"),
        line("POST /acl_users/require_login HTTP/1.1", 200, "25/Oct/2015:10:00:00 +0100"),
        line(time="25/Oct/2015:23:00:00 +0000", host="203.0.113.9"),
        line("POST /login_form HTTP/1.1", 200, "26/Oct/2015:09:00:00 +0100"),
        line("POST /login_form?came_from=x HTTP/1.1", 200, "26/Oct/2015:09:00:00 +0100"),
        "this line is broken\n",
        line(time="26/Oct/2015:12:00:00 +0100"),
        line(time="26/Oct/2015:12:00:00 +0100"),
        line("POST /login_form HTTP/1.1", 200, "27/Oct/2015:09:00:00 +0100"),
        '203.0.113.10 - - [27/Oct/2015:09:00:01 +0100] "-" 408 -\n',
    ]
    path = tmp_path / "access.log"
    path.write_text("".join(lines))
    return path
