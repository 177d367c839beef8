"""A look at Ollama: short, bounded, and with the remedy when nothing can write."""

import socket
from collections.abc import Iterator

import pytest

from lab.report import Installed, ollama_status, pick
from lab.report.ollama_status import ROOMY_BYTES, Listed
from tests.fake_ollama import FakeOllama


def model(name: str, gigabytes: float = 5.0) -> Installed:
    return Installed(name, "46e0c10c039e", int(gigabytes * 1e9), "8B", loaded=False)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_an_ollama_with_a_model_is_reachable_and_names_it(ollama: FakeOllama) -> None:
    """Version, models with digest and size, and a sentence for the page."""
    status = ollama_status(ollama.url)
    assert (status.reachable, status.version, status.kind, status.remedy) == (True, "0.12.6", None, ())
    [one] = status.models
    assert (one.name, one.size_bytes, one.digest[:12], one.loaded) == ("llama3.1:8b", 4_920_753_328, "46e0c10c039e", False)
    assert status.sentence == f"Ollama 0.12.6 answers at {ollama.url} with llama3.1:8b."


def test_no_ollama_is_told_with_the_way_there_in_two_lines(nobody: str) -> None:
    """Never an exception; a page shows the sentence and the two lines."""
    status = ollama_status(nobody)
    assert (status.reachable, status.kind) == (False, "unreachable")
    assert len(status.remedy) == 2
    assert "ollama pull llama3.1:8b" in status.remedy[1]


def test_a_server_that_accepts_and_says_nothing_is_given_up(ollama: FakeOllama) -> None:
    """The whole look is cut off, not only one read."""
    ollama.silent = True
    status = ollama_status(ollama.url, timeout_s=0.2)
    assert (status.reachable, status.kind) == (False, "timeout")


def test_an_ollama_without_a_model_for_text_says_how_to_get_one() -> None:
    """Embedding models and models that run elsewhere write no report here."""
    with FakeOllama(models=("nomic-embed-text:latest", "gpt-oss:120b-cloud")) as server:
        status = ollama_status(server.url)
    assert (status.reachable, status.kind, status.models) == (True, "model_missing", ())
    assert status.remedy[0] == "Get one: ollama pull llama3.1:8b"


@pytest.mark.parametrize("address", ["http://", "http://127.0.0.1:99999", "not an address"])
def test_a_useless_address_is_told_and_not_raised(address: str) -> None:
    """Settings are typed by people."""
    assert not ollama_status(address).reachable


@pytest.mark.parametrize(
    ("installed", "chosen", "why"),
    [
        ((model("a"), model("llama3.1:8b")), "llama3.1:8b", "the preferred model"),
        ((model("phi4:14b", 9), model("llama3.1:70b", 40)), "llama3.1:70b", "of the same family"),
        ((model("gemma3:4b", 3), model("phi4:14b", 9), model("x:120b", 60)), "phi4:14b", "the largest of moderate size"),
        ((model("y:70b", 40), model("x:120b", 60)), "y:70b", "the smallest here"),
    ],
)  # fmt: skip
def test_the_model_is_picked_by_a_stated_rule(installed: tuple[Installed, ...], chosen: str, why: str) -> None:
    """Preferred, else its family, else the largest of moderate size, else the smallest."""
    assert ROOMY_BYTES == 12_000_000_000
    found = pick(installed, "llama3.1:8b")
    assert found
    assert found[0].name == chosen
    assert found[1].startswith(why)


def test_a_name_without_a_tag_means_latest() -> None:
    """As Ollama itself reads it."""
    found = pick((model("mistral:latest"),), "mistral")
    assert found
    assert found[1] == "the preferred model"


def test_a_hostile_name_is_no_model() -> None:
    """Names are shown on pages."""
    with FakeOllama(models=("![](http://evil.test)",)) as server:
        assert ollama_status(server.url).models == ()
    assert Listed(name="x").remote_host == ""
