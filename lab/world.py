"""The declared world: which sources and pages exist, what they require, which limits hold.

Read from sources.toml in the data folder; the default world when there is none. The trap it avoids: a
stranger's text becoming a source or a page simply by being sent.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import BadSources

FIELDS = ("email", "name", "phone", "company", "message", "consent")
"""Fields that a source may require."""


@dataclass(frozen=True)
class Source:
    """A declared source. `min_fill_ms` is the shortest believable time to fill its form, 0 for machines."""

    name: str
    required: tuple[str, ...] = ("email",)
    min_fill_ms: int = 0


@dataclass(frozen=True)
class Limits:
    """Attempts allowed in any 60 seconds, and bounds of one submission."""

    per_user_a_minute: int = 10
    per_client_a_minute: int = 100
    max_bytes: int = 262_144


@dataclass(frozen=True)
class World:
    """Sources by name, pages, limits."""

    sources: dict[str, Source]
    pages: frozenset[str]
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def default(cls) -> World:
        forms = ("WEBSITE_FORM", "LANDING_PAGE", "MOBILE_APP", "REFERRAL_WIDGET", "CHAT_WIDGET")
        sources = {name: Source(name, ("email", "name"), 800) for name in forms}
        sources["PARTNER_API"] = Source("PARTNER_API", ("email", "name", "company"))
        order = ("WEBSITE_FORM", "LANDING_PAGE", "MOBILE_APP", "PARTNER_API", "REFERRAL_WIDGET", "CHAT_WIDGET")
        return cls(
            {name: sources[name] for name in order},
            frozenset({"/pricing", "/demo", "/contact", "/webinar", "/ebook"}),
        )

    def with_pages(self, pages: set[str]) -> World:
        """The same world with more pages declared, for one import."""
        return World(self.sources, self.pages | pages, self.limits)


def read_world(path: Path) -> World:
    """Read sources.toml; the default world when the file is absent; BadSources names what is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return World.default()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSources(f"{path.name} cannot be read ({error}); make it readable UTF-8 or remove it.") from error
    try:
        declared = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSources(f"{path.name} is not TOML ({error}); mend that line or remove the file.") from error
    _only(declared, {"sources", "pages", "limits"}, path.name, "the top level")
    sources = {}
    for name, row in _table(declared.get("sources", {}), path.name, "sources").items():
        row = _table(row, path.name, f"sources.{name}")
        _only(row, {"required", "min_fill_ms"}, path.name, f"sources.{name}")
        listed = row.get("required", ["email"])
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise BadSources(f'{path.name}: sources.{name}.required must be a list such as ["email", "name"]; mend it.')
        required = tuple(listed)
        if unknown := [one for one in required if one not in FIELDS]:
            raise BadSources(
                f"{path.name}: source {name} requires {unknown[0]!r}, which is no field; use {', '.join(FIELDS)}."
            )
        shortest = _count(row.get("min_fill_ms", 0), path.name, f"sources.{name}.min_fill_ms")
        sources[name] = Source(name, required, shortest)
    if not sources:
        raise BadSources(f"{path.name} declares no source; add a [sources.NAME] table or remove the file.")
    pages = declared.get("pages", [])
    if not isinstance(pages, list) or not all(isinstance(page, str) and page.startswith("/") for page in pages):
        raise BadSources(f"{path.name}: pages must be a list of paths that start with a slash; mend it.")
    limits = _table(declared.get("limits", {}), path.name, "limits")
    _only(limits, set(Limits.__dataclass_fields__), path.name, "limits")
    return World(
        sources,
        frozenset(pages),
        Limits(**{name: _count(value, path.name, f"limits.{name}") for name, value in limits.items()}),
    )


def _table(value: Any, file: str, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise BadSources(f"{file}: {where} must be a table; write it as [{where}].")


def _only(table: dict[str, Any], known: set[str], file: str, where: str) -> None:
    if extra := sorted(set(table) - known):
        raise BadSources(f"{file}: {where} has an unknown key {extra[0]!r}; use {', '.join(sorted(known))}.")


def _count(value: Any, file: str, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise BadSources(f"{file}: {where} must be a whole number, 0 or more.")
