"""What a line of an access log is."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from lab.errors import BadRequest
from lab.importer.detect import format_named
from lab.importer.formats import (
    AUTHUSER,
    BROKEN,
    FORMATS,
    HOST,
    PATH,
    QUERY,
    STATUS,
    TIME,
    USER_AGENT,
    calendar,
)

COMMON = '203.0.113.7 - ann [25/Oct/2015:04:11:27 +0100] "POST /join_form HTTP/1.1" 302 9093'
COMBINED = f'{COMMON} "http://example.org/" "Mozilla/5.0"'


def parse(text: str, name: str = "auto") -> list[tuple[bytes | None, ...]]:
    return [found.groups() for found in FORMATS[name].line.finditer(text.encode())]


def part(text: str, group: int) -> bytes | None:
    (groups,) = parse(f"{text}\n")
    return groups[group - 1]


def test_a_combined_line_gives_each_of_its_parts() -> None:
    """Host, authuser, time, path, status and user agent come apart."""
    groups = (HOST, AUTHUSER, TIME, PATH, STATUS, USER_AGENT)
    assert [part(COMBINED, group) for group in groups] == [
        b"203.0.113.7", b"ann", b"25/Oct/2015:04:11:27 +0100", b"/join_form", b"302", b"Mozilla/5.0",
    ]  # fmt: skip


def test_a_common_line_has_no_user_agent() -> None:
    """The same line without its two last fields is whole, too."""
    assert part(COMMON, STATUS) == b"302"
    assert part(COMMON, USER_AGENT) is None


@pytest.mark.parametrize(
    ("request_line", "path", "query"),
    [
        ("POST /a?x=1&y HTTP/1.1", b"/a", b"?x=1&y"),
        ("POST http://example.org/a?x HTTP/1.1", b"/a", b"?x"),
        ("POST https://example.org:8443/a HTTP/1.1", b"/a", None),
        ("POST http://example.org HTTP/1.1", b"", None),
        ("POST /a#b HTTP/2", b"/a", None),
        ("POST /a", b"/a", None),
        ("POST //a/b HTTP/1.1", b"//a/b", None),
    ],
)
def test_the_path_is_without_host_and_query(request_line: str, path: bytes, query: bytes | None) -> None:
    """Absolute targets, as proxies and robots send them, count by their path."""
    text = COMBINED.replace("POST /join_form HTTP/1.1", request_line)
    assert (part(text, PATH), part(text, QUERY)) == (path, query)


@pytest.mark.parametrize(
    "request_line",
    ["GET /a HTTP/1.1", "POSTER /a HTTP/1.1", "-", "", r"\x16\x03\x01", "POST /a b HTTP/1.1", r"say \"x\""],
)
def test_a_line_that_is_no_post_is_whole_but_has_no_path(request_line: str) -> None:
    """Whatever a stranger sends as a request, the server's line about it is not broken."""
    text = COMBINED.replace("POST /join_form HTTP/1.1", request_line)
    assert (part(text, PATH), part(text, BROKEN)) == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        COMBINED[12:],
        COMBINED[:-1],
        COMBINED.replace("Oct", "Okt"),
        COMBINED.replace("302", "3o2"),
        COMBINED.replace("302", "999"),
        COMBINED.replace("+0100", "CET"),
        COMBINED.replace('HTTP/1.1"', "HTTP/1.1"),
        COMBINED.replace("203", "203 0"),
    ],
)
def test_a_line_with_a_part_missing_or_misspelt_is_broken(text: str) -> None:
    """Strict: a guess at what a damaged line meant would be a wrong number later."""
    assert part(text, BROKEN) == text.encode()


def test_lines_are_told_apart_whatever_stands_between_them() -> None:
    """One broken line costs one line, and both line ends are read."""
    text = f"{COMBINED}\r\n\nbroken\n{COMMON}\n"
    assert [groups[BROKEN - 1] for groups in parse(text)] == [None, b"", b"broken", None]


def test_fields_behind_the_user_agent_are_ignored() -> None:
    """Servers append times and addresses."""
    assert part(f'{COMBINED} 0.012 "10.0.0.1"', USER_AGENT) == b"Mozilla/5.0"


def test_a_named_format_takes_only_its_own_lines() -> None:
    """With a format given, lines of the other are broken."""
    both = f"{COMMON}\n{COMBINED}\n"
    assert [groups[BROKEN - 1] is None for groups in parse(both, "common")] == [True, False]
    assert [groups[BROKEN - 1] is None for groups in parse(both, "combined")] == [False, True]


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    """The remedy is in the sentence."""
    with pytest.raises(BadRequest, match="auto, common, combined"):
        format_named("xml")


@pytest.mark.parametrize("piece", ['"', "\\", " ", '" "', "[", '\\"', "a ", "POST /"])
def test_a_hostile_line_costs_no_more_than_its_length(piece: str) -> None:
    """No pattern backtracks: ten times the line takes about ten times as long, not a hundred times."""

    def cost_s(length: int) -> float:
        text = (COMBINED[:-1] + piece * (length // len(piece)) + "\n").encode()
        best = 1.0
        for _ in range(5):
            start = time.perf_counter()
            list(FORMATS["auto"].line.finditer(text))
            best = min(best, time.perf_counter() - start)
        return best

    assert cost_s(400_000) < 40 * cost_s(40_000) + 0.005


def test_a_time_becomes_an_instant_and_the_business_day_of_the_zone() -> None:
    """23:30 in UTC is the next day in Amsterdam."""
    when = calendar(ZoneInfo("Europe/Amsterdam"))(b"25/Oct/2015:23:30:00 +0000")
    assert when is not None
    assert when.at == datetime(2015, 10, 25, 23, 30, tzinfo=UTC)
    assert date.fromordinal(when.ordinal) == date(2015, 10, 26)
    assert datetime.fromtimestamp(when.at_us / 1e6, UTC) == when.at


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        (b"25/Oct/2015:02:30:00 +0200", 0),
        (b"25/Oct/2015:02:30:00 +0100", 1),
        (b"01/Jan/2020:00:15:00 -0330", 3),
    ],
)
def test_the_offset_decides_between_two_equal_wall_times(text: bytes, hour: int) -> None:
    """02:30 happens twice when summer time ends; the log says which."""
    when = calendar(ZoneInfo("UTC"))(text)
    assert when is not None
    assert when.at.hour == hour


@pytest.mark.parametrize(
    "text",
    [
        b"31/Feb/2015:00:00:00 +0000",
        b"00/Jan/2015:00:00:00 +0000",
        b"01/Jan/0001:00:00:00 +0100",
        b"01/Jan/2015:24:00:00 +0000",
    ],
)
def test_a_time_that_does_not_exist_is_none(text: bytes) -> None:
    """Such a line is broken."""
    assert calendar(ZoneInfo("UTC"))(text) is None


def test_a_leap_second_is_the_second_before() -> None:
    """It is written as :60, which no datetime holds."""
    when = calendar(ZoneInfo("UTC"))(b"30/Jun/2015:23:59:60 +0000")
    assert when is not None
    assert when.at.second == 59


def test_a_time_that_only_looks_like_a_logs_is_none() -> None:
    """JSON logs may hold anything where the time should be."""
    when = calendar(ZoneInfo("UTC"))
    for text in (b"25/Oct/2015:23:59:xx +0000", b"25/Oct/2015", b"25/Oct/2015:23:59:10", b"11/19/2026", b"\xff/\xff", b""):
        assert when(text) is None


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Africa/Monrovia", "Europe/Amsterdam"])
def test_a_minute_that_is_remembered_gives_each_second_its_own_day(zone: str) -> None:
    """Also where midnight falls inside a minute, as it did in Monrovia until 1972."""
    when = calendar(ZoneInfo(zone))
    for day in ("01/Jan/1971", "25/Oct/2015"):
        for hour, minute, second in ((0, 44, 29), (0, 44, 30), (18, 29, 59), (18, 30, 0), (22, 0, 0), (23, 59, 59)):
            found = when(f"{day}:{hour:02}:{minute:02}:{second:02} +0000".encode())
            assert found is not None
            at = datetime.strptime(f"{day} {hour}:{minute}:{second} +0000", "%d/%b/%Y %H:%M:%S %z")
            assert (found.at, found.at_us) == (at, int(at.timestamp()) * 1_000_000)
            assert date.fromordinal(found.ordinal) == at.astimezone(ZoneInfo(zone)).date()
