"""Whether Ollama answers, which models it holds, and which of them writes the report.

The trap it avoids: a page that hangs on a server which accepts and then says nothing. The whole look is cut off
after `TIMEOUT_S`, whatever arrives in the meantime.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, Field, ValidationError

from lab.report.wire import Wire

TIMEOUT_S = 1.0
MAX_BYTES = 2_000_000
ROOMY_BYTES = 12_000_000_000
"""The largest model file picked unasked; a larger one rarely fits the memory of one machine."""


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,119}")
_VERSION = re.compile(r"[A-Za-z0-9.+-]{1,40}")


class Details(BaseModel):
    family: str = ""
    parameter_size: str = ""


class Listed(BaseModel):
    """A model as /api/tags and /api/ps list it. A model with a remote host runs elsewhere."""

    name: str
    digest: str = ""
    size: int = 0
    remote_host: str = ""
    details: Details = Field(default_factory=Details)


class _Tags(BaseModel):
    models: list[Listed] = Field(default_factory=list)


@dataclass(frozen=True)
class Installed:
    """A model that can write here: local and made for text."""

    name: str
    digest: str
    size_bytes: int
    parameters: str
    loaded: bool


@dataclass(frozen=True)
class Status:
    """What a look at Ollama found. `remedy` is how to get a model, in two lines; empty when one can write."""

    host: str
    reachable: bool
    version: str | None
    models: tuple[Installed, ...]
    sentence: str
    remedy: tuple[str, ...] = ()
    kind: str | None = None
    """The class of failure as ModelFailed names it, when nothing can be written."""


def ollama_status(host: str, preferred: str = "llama3.1:8b", timeout_s: float = TIMEOUT_S) -> Status:
    """Look once. Never raises; answers within about `timeout_s` of the first connection."""
    wire = Wire()
    guard = threading.Timer(timeout_s, wire.cut)
    guard.daemon = True
    guard.start()
    try:
        with httpx.Client(base_url=host, **wire.options(host, timeout_s, timeout_s)) as client:
            told = str(_get(client, "/api/version").get("version", ""))
            version = told if _VERSION.fullmatch(told) else None
            listed = _Tags.model_validate(_get(client, "/api/tags")).models
            loaded = _loaded(client)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return _absent(host, preferred, wire, error)
    except (ValidationError, ValueError, RuntimeError):
        sentence = f"What answers at {host} does not speak as Ollama does; point LAB_OLLAMA_HOST at an Ollama server."
        return Status(host, False, None, (), sentence, _remedy(preferred), "server_error")
    finally:
        guard.cancel()
    ollama = f"Ollama {version}" if version else "Ollama"
    models = tuple(_installed(one, loaded) for one in listed if _can_write(one))
    if not models:
        return Status(
            host, True, version, (), f"{ollama} answers at {host} but holds no local model for text.",
            (f"Get one: ollama pull {preferred}", "Then write the report again."), "model_missing",
        )
    names = ", ".join(one.name for one in models)
    return Status(host, True, version, models, f"{ollama} answers at {host} with {names}.")


def pick(models: tuple[Installed, ...], preferred: str) -> tuple[Installed, str] | None:
    """The model that writes and why, in half a sentence; None when there is none.

    The preferred one if installed; else one of its family (llama3.1:70b for llama3.1:8b); else the largest whose
    file is at most `ROOMY_BYTES`; else the smallest.
    """
    if not models:
        return None
    wanted = _full(preferred)
    for one in models:
        if _full(one.name) == wanted:
            return one, "the preferred model"
    ranked = sorted(models, key=lambda one: (one.size_bytes > ROOMY_BYTES, -one.size_bytes, one.name))
    family = [one for one in ranked if one.name.partition(":")[0] == preferred.partition(":")[0]]
    if family:
        return family[0], f"of the same family, as {preferred} is not installed"
    if ranked[0].size_bytes <= ROOMY_BYTES:
        return ranked[0], f"the largest of moderate size here, as {preferred} is not installed"
    smallest = min(models, key=lambda one: (one.size_bytes, one.name))
    return smallest, f"the smallest here, as {preferred} is not installed"


def _get(client: httpx.Client, path: str) -> dict[str, object]:
    with client.stream("GET", path) as response:
        response.raise_for_status()
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > MAX_BYTES:
                raise ValueError("an answer larger than any list of models")
    found = httpx.Response(200, content=bytes(body)).json()
    if not isinstance(found, dict):
        raise ValueError("an answer of another shape")
    return found


def _loaded(client: httpx.Client) -> set[str]:
    """Names of the models in memory; none when the server is too old to say."""
    try:
        return {one.name for one in _Tags.model_validate(_get(client, "/api/ps")).models}
    except (httpx.HTTPStatusError, ValidationError, ValueError):
        return set()


def _absent(host: str, preferred: str, wire: Wire, error: Exception) -> Status:
    if isinstance(error, httpx.HTTPStatusError):
        sentence = f"Ollama at {host} answers with status {error.response.status_code}; see its own log."
        return Status(host, False, None, (), sentence, _remedy(preferred), "server_error")
    if wire.was_cut or isinstance(error, httpx.ReadTimeout):
        sentence = f"Ollama at {host} does not answer in time; restart it with: ollama serve"
        return Status(host, False, None, (), sentence, _remedy(preferred), "timeout")
    sentence = f"No Ollama answers at {host}; start it with: ollama serve"
    return Status(host, False, None, (), sentence, _remedy(preferred), "unreachable")


def _remedy(preferred: str) -> tuple[str, ...]:
    return (
        "Install Ollama from https://ollama.com/download and start it: ollama serve",
        f"Get a model: ollama pull {preferred}",
    )


def _installed(model: Listed, loaded: set[str]) -> Installed:
    digest = model.digest.removeprefix("sha256:")
    return Installed(model.name, digest[:64], model.size, model.details.parameter_size[:20], model.name in loaded)


def _can_write(model: Listed) -> bool:
    name, family = model.name.lower(), model.details.family.lower()
    if not _NAME.fullmatch(model.name):
        return False
    elsewhere = bool(model.remote_host) or name.endswith(("-cloud", ":cloud"))
    return not elsewhere and "embed" not in name and "bert" not in family


def _full(name: str) -> str:
    return name if ":" in name else f"{name}:latest"
