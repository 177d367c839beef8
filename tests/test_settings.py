from pathlib import Path

import pytest

from lab.errors import BadSetting
from lab.settings import PROJECT, TABLE, in_force, read_settings


def test_an_empty_environment_gives_the_defaults_of_the_table() -> None:
    """Every default is the table's; the data folder is the project's."""
    settings = read_settings({})
    assert settings.data_dir == PROJECT / "data"
    assert settings.zone_name == "UTC"
    assert settings.ollama_model == "llama3.1:8b"
    assert set(settings.origin.values()) == {"default"}


def test_every_row_of_the_table_is_shown_in_force_once() -> None:
    """The System page leaves no setting out."""
    assert [row[0] for row in in_force(read_settings({}))] == [row.name for row in TABLE]


def test_a_setting_from_the_environment_says_so(tmp_path: Path) -> None:
    """`origin` tells where a value came from."""
    settings = read_settings({"LAB_DATA_DIR": str(tmp_path)})
    assert settings.data_dir == tmp_path
    assert settings.origin["LAB_DATA_DIR"] == "environment"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"OLLAMA_HOST": "0.0.0.0"}, "http://127.0.0.1:11434"),
        ({"OLLAMA_HOST": "box:8080"}, "http://box:8080"),
        ({"OLLAMA_HOST": "box", "LAB_OLLAMA_HOST": "https://gpu.example/ollama/"}, "https://gpu.example/ollama"),
        ({"LAB_OLLAMA_HOST": "http://127.0.0.1:9999"}, "http://127.0.0.1:9999"),
    ],
)
def test_ollama_is_found_by_its_own_variable_unless_ours_is_set(given: dict[str, str], url: str) -> None:
    """The forms that Ollama itself takes are understood."""
    assert read_settings(given).ollama_host == url


@pytest.mark.parametrize(
    "given",
    [
        {"LAB_KEEP_PAYLOADS": "-1"},
        {"LAB_KEEP_PAYLOADS": "soon"},
        {"LAB_ALLOW_OPEN": "yes"},
        {"LAB_TIME_ZONE": "../etc/passwd"},
        {"LAB_OLLAMA_HOST": "ftp://x"},
    ],
)
def test_an_unusable_value_is_refused_naming_setting_and_remedy(given: dict[str, str]) -> None:
    """One sentence: the setting, the value, what to use."""
    with pytest.raises(BadSetting, match=rf"{next(iter(given))}.*use "):
        read_settings(given)


def test_a_password_in_the_database_url_is_never_shown() -> None:
    """The page that shows the settings masks it."""
    shown = in_force(read_settings({"LAB_DATABASE_URL": "postgresql://lab:secret@db/lab"}))
    assert "secret" not in str(shown)
