"""Rules of the house that no other test would notice being broken."""

import ast
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted([ROOT / "app.py", *ROOT.glob("lab/**/*.py"), *ROOT.glob("pages/*.py")])


def test_the_engine_needs_no_user_interface() -> None:
    """Only lab/ui and pages import streamlit or plotly: importing all the rest brings in neither."""
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in SOURCES
        if path.is_relative_to(ROOT / "lab") and not path.is_relative_to(ROOT / "lab" / "ui")
        and path.name != "__main__.py"
    ]  # fmt: skip
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "print([name for name in ('streamlit', 'plotly') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_no_page_is_named_like_a_package() -> None:
    """The script's folder comes first on the path, so pages/ollama.py would hide the package."""
    packages = {name.lower() for one in distributions() for name in (one.read_text("top_level.txt") or "").split()}
    packages |= {str(one.metadata["Name"]).lower().replace("-", "_") for one in distributions()}
    packages |= set(sys.stdlib_module_names) | {"lab", "app", "tests"}
    assert {path.stem for path in ROOT.glob("pages/*.py")} & packages == set()


def test_modules_stay_small_enough_to_read_and_pages_are_scripts() -> None:
    """300 lines a module, 60 a page."""
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in SOURCES
        if (lines := len(path.read_text().splitlines())) > (60 if path.parent.name == "pages" else 300)
    }
    assert too_long == {}


def test_every_module_says_what_it_is() -> None:
    """A docstring first."""
    silent = [str(path.relative_to(ROOT)) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_only_the_settings_read_the_environment() -> None:
    """One reader, one table."""
    readers = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"os\.(environ|getenv)", path.read_text()) and path.name != "settings.py"
    ]
    assert readers == []


def test_nothing_that_measures_or_reports_reads_what_only_a_simulation_knows() -> None:
    """run_id, fault_id and ground truth are for the Simulate page alone."""
    rooms = [path for room in ("metrics", "report") for path in (ROOT / "lab" / room).rglob("*") if path.is_file()]
    seen = [
        path.name
        for path in rooms
        if path.suffix in {".py", ".sql"} and re.search(r"\b(run_id|fault_id|ground_truth)\b", path.read_text())
    ]
    assert rooms
    assert seen == []


def test_requirements_are_pinned_and_in_two_sections() -> None:
    """What runs the lab and what tests it, each to the version."""
    text = (ROOT / "requirements.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"[\w-]+==[\w.]+(; .+)?$", line) for line in lines)
    assert [line for line in text.splitlines() if line.startswith("#")] == ["# To run the lab", "# To test it"]


def test_app_only_assembles() -> None:
    """The composition root never imports a cached loader: Streamlit would log that no runtime was found."""
    code = "import sys, app; print('lab.ui.loaders' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr
    assert "No runtime found" not in done.stderr
