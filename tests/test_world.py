from pathlib import Path

import pytest

from lab.errors import BadSources
from lab.world import World, read_world


def test_without_a_file_the_default_world_holds(tmp_path: Path) -> None:
    """Six sources, five pages, 10 a minute a user and 100 a minute a client."""
    world = read_world(tmp_path / "sources.toml")
    assert world == World.default()
    assert (len(world.sources), len(world.pages)) == (6, 5)
    assert (world.limits.per_user_a_minute, world.limits.per_client_a_minute) == (10, 100)


def test_a_file_declares_sources_pages_and_limits(tmp_path: Path) -> None:
    """What the file says replaces the default world."""
    file = tmp_path / "sources.toml"
    file.write_text(
        'pages = ["/join"]\n[sources.NEWSLETTER]\nrequired = ["email", "consent"]\nmin_fill_ms = 500\n'
        "[limits]\nper_user_a_minute = 3\n"
    )
    world = read_world(file)
    assert world.sources["NEWSLETTER"].required == ("email", "consent")
    assert world.pages == {"/join"}
    assert (world.limits.per_user_a_minute, world.limits.per_client_a_minute) == (3, 100)


@pytest.mark.parametrize(
    "text",
    [
        "sources = 3",
        "[sources.A\n",
        "pages = ['/x']",
        "[sources.A]\nrequired = ['shoe size']",
        "[sources.A]\nmin_fill_ms = -4",
        "pages = ['x']\n[sources.A]",
        "[sources.A]\n[limits]\nper_user = 3",
        "colour = 'red'\n[sources.A]",
    ],
)
def test_a_file_that_describes_no_world_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    """The sentence names the file and ends in the remedy."""
    file = tmp_path / "sources.toml"
    file.write_text(text)
    with pytest.raises(BadSources, match=r"sources\.toml"):
        read_world(file)
