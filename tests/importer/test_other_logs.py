"""W3C extended and JSON access logs: recorded like lines of the Combined format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.errors import UnreadableLog
from lab.importer import Guess, guess, import_files

if TYPE_CHECKING:
    from lab.opening import Lab

FORMS = {"/contact": "WEBSITE_FORM"}
IIS = """#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-11-19 10:00:00
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status time-taken
2026-11-19 10:00:01 10.0.0.1 POST /contact utm_source=mail 443 ann 203.0.113.7 Mozilla/5.0+(X11;+Linux)+Firefox/120.0 - 302 15
2026-11-19 10:00:02 10.0.0.1 GET /contact - 443 - 203.0.113.7 curl/8 - 200 15
2026-11-19 10:00:03 10.0.0.1 POST /contact - 443 - 203.0.113.8 - - 500 15
this is broken
#Fields: time date cs-method cs-uri-stem sc-status c-ip
10:00:04 2026-11-19 POST /contact 422 203.0.113.9
"""


def stored(lab: Lab) -> list[dict[str, Any]]:
    tables = [pq.read_table(file) for day in lab.log.view().days for file in day.files]
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist() if tables else []
    return sorted(rows, key=lambda row: row["seq"])


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["received_at"].strftime("%H:%M:%S"), row["outcome"], row["failure_category"], row["user_agent"]


def test_an_iis_log_is_read_by_its_fields_lines(lab: Lab, tmp_path: Path) -> None:
    """In UTC; a later #Fields line holds for what follows it; the broken line keeps its header when set aside."""
    path = tmp_path / "u_ex261119.log"
    path.write_text(IIS.replace("\n", "\r\n"))
    done = import_files(lab, [path], FORMS)
    assert (done["added"], done["broken"], done["not_for_a_form"]) == (3, 1, 1)
    first, second, third = stored(lab)
    assert told(first) == ("10:00:01", "SUCCESS", None, "Firefox")
    assert (first["utm_source"], first["user_id"]) == ("mail", lab.pseudonyms.user("ann"))
    assert first["client"] == lab.pseudonyms.client("203.0.113.7")
    assert told(second) == ("10:00:03", "FAILED", "INTERNAL_ERROR", None)
    assert told(third) == ("10:00:04", "FAILED", "VALIDATION_FAILED", None)
    assert Path(done["leftovers"]).read_text().splitlines()[0].startswith("#Fields:")
    assert import_files(lab, [path], FORMS)["already"] == 3


def test_lines_dated_by_the_directive_above_them_are_another_days_lines(lab: Lab, tmp_path: Path) -> None:
    """Without a date column, equal lines of two days are two attempts."""
    text = "#Date: {day} 00:00:00\n#Fields: time cs-method cs-uri-stem sc-status\n12:00:00 POST /contact 200\n"
    for day in ("2026-11-18", "2026-11-19"):
        (tmp_path / day).write_text(text.format(day=day))
    done = import_files(lab, [tmp_path / "2026-11-18", tmp_path / "2026-11-19"], FORMS)
    assert [row["day"] for row in done["by_day"]] == ["2026-11-18", "2026-11-19"]


def test_a_w3c_log_without_a_needed_field_is_refused(tmp_path: Path, lab: Lab) -> None:
    """No method, no way to know a POST."""
    path = tmp_path / "a.log"
    path.write_text("#Fields: date time sc-status\n2026-11-19 10:00:00 200\n")
    with pytest.raises(UnreadableLog, match="is not in W3C extended format; choose"):
        import_files(lab, [path], FORMS)


NGINX = [
    {"time_iso8601": "2026-11-19T11:00:01+01:00", "remote_addr": "203.0.113.7", "remote_user": "ann",
     "request": "POST /contact?utm_source=mail HTTP/1.1", "status": "302", "http_user_agent": "curl/8.0"},
    {"time_local": "19/Nov/2026:10:00:02 +0000", "remote_addr": "203.0.113.7", "request_method": "POST",
     "request_uri": "/contact", "status": 429, "http_user_agent": "-"},
    {"msec": 1795082403.25, "remote_addr": "203.0.113.7", "request_method": "GET", "uri": "/contact", "status": 200},
    {"time_iso8601": "2026-11-19T10:00:04+00:00", "remote_addr": "-", "request": "", "status": 400},
]  # fmt: skip
CADDY = [
    {"level": "info", "ts": 1795082401.5, "msg": "handled request", "status": 302, "user_id": "",
     "request": {"remote_ip": "10.0.0.9", "client_ip": "203.0.113.7", "proto": "HTTP/2.0", "method": "POST",
                 "host": "x.test", "uri": "/contact?utm_source=mail", "headers": {"User-Agent": ["curl/8.0"]}}},
    {"level": "warn", "ts": 1795082402.5, "msg": "stapling OCSP"},
    {"level": "error", "ts": "2026-11-19T10:00:02Z", "msg": "handled request", "status": 502,
     "request": {"remote_addr": "[2001:db8::1]:4711", "method": "POST", "uri": "/contact", "headers": {}}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected", "others"),
    [
        (NGINX, [("10:00:01", "SUCCESS", None, "curl"), ("10:00:02", "FAILED", "RATE_LIMIT_EXCEEDED", None)], 2),
        (CADDY, [("10:00:01", "SUCCESS", None, "curl"), ("10:00:02", "FAILED", "UPSTREAM_ERROR", None)], 1),
    ],
    ids=["nginx", "caddy"],
)
def test_json_access_logs_are_recorded(
    lab: Lab, tmp_path: Path, lines: list[Any], expected: list[Any], others: int
) -> None:
    """nginx under its variables' names, Caddy as it writes; a message of the server's own is for no form."""
    path = tmp_path / "access.json"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + "{broken\n")
    done = import_files(lab, [path], FORMS)
    assert (done["added"], done["not_for_a_form"], done["broken"]) == (2, others, 1)
    there = stored(lab)
    assert [told(row) for row in there] == expected
    assert (there[0]["utm_source"], there[0]["client"]) == ("mail", lab.pseudonyms.client("203.0.113.7"))


def test_nginx_without_json_escapes_is_read_too(lab: Lab, tmp_path: Path) -> None:
    """A quote in a user agent comes as \\x22."""
    path = tmp_path / "access.json"
    path.write_text(json.dumps(NGINX[0]).replace("curl/8.0", "curl/8.0 \\x22a\\x22") + "\n")
    assert import_files(lab, [path], FORMS)["added"] == 1


def test_other_logs_are_guessed_like_combined_ones(tmp_path: Path) -> None:
    """Which path is which form, from its POSTs."""
    iis, caddy = tmp_path / "iis", tmp_path / "caddy"
    iis.write_text(IIS)
    caddy.write_text("".join(f"{json.dumps(line)}\n" for line in CADDY))
    for path, statuses in ((iis, {"302": 1, "422": 1, "500": 1}), (caddy, {"302": 1, "502": 1})):
        found = guess(path)
        assert isinstance(found, Guess)
        assert [(form.path, form.source, form.statuses) for form in found.forms] == [("/contact", "WEBSITE_FORM", statuses)]
