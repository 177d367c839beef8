"""The lab's settings: one table, and the only reader of the environment.

The trap it avoids: a default that lives in three places. The README's table is tested against `TABLE`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from lab.clock import zone_named
from lab.errors import BadSetting

PROJECT = Path(__file__).resolve().parent.parent


class Setting(NamedTuple):
    """One row of the table: environment name, default as text, unit ("" for none), help."""

    name: str
    default: str
    unit: str
    help: str


TABLE: tuple[Setting, ...] = (
    Setting("LAB_DATA_DIR", "data", "", "Folder for everything the lab writes."),
    Setting("LAB_DATABASE_URL", "", "", "SQLAlchemy URL of the database; empty means lab.db in the data folder."),
    Setting("LAB_TIME_ZONE", "UTC", "", "IANA zone that cuts time into business days; kept with the data."),
    Setting(
        "LAB_OLLAMA_HOST", "http://127.0.0.1:11434", "", "Where Ollama answers; falls back to OLLAMA_HOST."
    ),
    Setting("LAB_OLLAMA_MODEL", "llama3.1:8b", "", "Model preferred for the day's report."),
    Setting("LAB_KEEP_PAYLOADS", "30", "days", "How long the content of refused submissions is kept; 0 keeps none."),
    Setting("LAB_ALLOW_OPEN", "0", "", "1 lets the lab listen beyond loopback without keys or sign-in."),
)


@dataclass(frozen=True)
class Settings:
    """The settings in force, parsed. `origin` tells where each came from: default or environment."""

    data_dir: Path
    database_url: str
    zone: ZoneInfo
    ollama_host: str
    ollama_model: str
    keep_payloads_days: int
    allow_open: bool
    origin: Mapping[str, str]

    @property
    def zone_name(self) -> str:
        return self.zone.key


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the table from `environment` (the process's by default); BadSetting names what is unusable."""
    given = os.environ if environment is None else environment
    text = {row.name: given.get(row.name, "").strip() for row in TABLE}
    origin = {name: "environment" if value else "default" for name, value in text.items()}
    if not text["LAB_OLLAMA_HOST"] and given.get("OLLAMA_HOST", "").strip():
        text["LAB_OLLAMA_HOST"] = given["OLLAMA_HOST"].strip()
        origin["LAB_OLLAMA_HOST"] = "OLLAMA_HOST"
    text = {row.name: text[row.name] or row.default for row in TABLE}
    data_dir = Path(text["LAB_DATA_DIR"]).expanduser()
    if origin["LAB_DATA_DIR"] == "default":
        data_dir = PROJECT / data_dir
    data_dir = data_dir.absolute()
    return Settings(
        data_dir=data_dir,
        database_url=text["LAB_DATABASE_URL"] or f"sqlite:///{data_dir / 'lab.db'}",
        zone=zone_named(text["LAB_TIME_ZONE"]),
        ollama_host=_url(text["LAB_OLLAMA_HOST"]),
        ollama_model=text["LAB_OLLAMA_MODEL"],
        keep_payloads_days=_whole("LAB_KEEP_PAYLOADS", text["LAB_KEEP_PAYLOADS"]),
        allow_open=_switch("LAB_ALLOW_OPEN", text["LAB_ALLOW_OPEN"]),
        origin=origin,
    )


def in_force(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Rows (name, value, unit, where from) for the System page; a password in a database URL is masked."""
    from sqlalchemy.engine import make_url

    value = {
        "LAB_DATA_DIR": str(settings.data_dir),
        "LAB_DATABASE_URL": make_url(settings.database_url).render_as_string(hide_password=True),
        "LAB_TIME_ZONE": settings.zone_name,
        "LAB_OLLAMA_HOST": settings.ollama_host,
        "LAB_OLLAMA_MODEL": settings.ollama_model,
        "LAB_KEEP_PAYLOADS": str(settings.keep_payloads_days),
        "LAB_ALLOW_OPEN": "1" if settings.allow_open else "0",
    }
    return [(row.name, value[row.name], row.unit, settings.origin[row.name]) for row in TABLE]


def _whole(name: str, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 6:
        return int(text)
    raise BadSetting(f"{name}={text!r} is not a whole number of days; use 0 or more.")


def _switch(name: str, text: str) -> bool:
    if text in {"0", "1"}:
        return text == "1"
    raise BadSetting(f"{name}={text!r} is neither 0 nor 1; use one of the two.")


def _url(text: str) -> str:
    """Ollama's own forms: a full URL, host:port, or a bare host (port 11434)."""
    url = text if "://" in text else f"http://{text}"
    scheme, _, rest = url.partition("://")
    host = rest.rstrip("/")
    if scheme not in {"http", "https"} or not host:
        raise BadSetting(f"LAB_OLLAMA_HOST={text!r} is not an address; use one such as http://127.0.0.1:11434.")
    if ":" not in host.rsplit("]", 1)[-1] and "/" not in host and scheme == "http":
        host = f"{host}:11434"
    return f"{scheme}://{host.replace('0.0.0.0', '127.0.0.1')}"  # noqa: S104 - a bind-all address is no address to call
