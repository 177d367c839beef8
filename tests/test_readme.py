"""The README is true: its commands exist, its settings are the table's, its files are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.settings import TABLE

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("Overview", "Day", "Attempts", "Simulate", "Report", "Bring")


def test_the_settings_table_is_the_codes() -> None:
    """Name, default, unit and help, row by row and in order."""
    rows = [
        tuple(cell.strip().strip("`") for cell in line.strip("|\n ").split("|"))
        for line in README.splitlines()
        if line.startswith("| `LAB_")
    ]
    assert rows == [(row.name, row.default, row.unit, row.help) for row in TABLE]


def test_every_setting_named_anywhere_exists() -> None:
    """No setting is promised that nobody reads."""
    assert set(re.findall(r"LAB_[A-Z_]+", README)) <= {row.name for row in TABLE}


def test_both_commands_are_one_shell_line_each() -> None:
    """A newcomer copies two lines."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    start, tests = blocks[0].strip(), blocks[1].strip()
    assert start.endswith(".venv/bin/streamlit run app.py")
    assert tests.endswith(".venv/bin/python -m pytest")
    assert "\n" not in start + tests


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_tour_exists(page: str) -> None:
    """Named in the tour, and a file."""
    assert f"**{page}**" in README
    assert (ROOT / "pages" / f"{page.lower()}.py").is_file()


def test_every_link_to_a_file_leads_somewhere() -> None:
    """Pictures and samples are in the repository."""
    for target in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / target).is_file(), target
    assert (ROOT / "data/samples/access.log").is_file()


def test_the_command_line_has_every_command_and_option_of_the_table() -> None:
    """As `--help` prints them."""
    rows = re.findall(r"^\| `(\w+)([^`]*)`", README, re.MULTILINE)
    commands = [(name, re.findall(r"--[a-z-]+", rest)) for name, rest in rows if not name.startswith("LAB")]
    assert len(commands) == 10
    for name, options in commands:
        shown = subprocess.run(
            [sys.executable, "-m", "lab", name, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
        ).stdout
        for option in [*options, "--json"]:
            assert option in shown, (name, option)


def test_the_tour_of_the_sample_log_prints_what_the_readme_shows(tmp_path: Path) -> None:
    """The table of the import, figure by figure, from the very command shown."""
    command = next(line for line in README.splitlines() if "lab import data/samples/access.log" in line)
    arguments = command.split("-m lab ", 1)[1].split()
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        cwd=ROOT,
        env={"LAB_DATA_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines()[:4]:
        assert line in README
    assert "Added 352 attempts on 3 days (281 accepted, 71 refused)" in done.stdout
