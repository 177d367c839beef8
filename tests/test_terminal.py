"""A job watched from a terminal."""

from __future__ import annotations

import io
import signal
from typing import TYPE_CHECKING, Any

import pytest

from lab.errors import Cancelled, LabError
from lab.terminal import run_watched

if TYPE_CHECKING:
    from lab.opening import Lab


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def work(progress: Any) -> dict[str, Any]:
    progress.report("importing", 50, 200, added=1234, file="a.log")
    progress.report("finishing", 200, 200)
    return {"added": 1234}


def test_a_terminal_sees_a_bar_that_leaves_no_trace(lab: Lab) -> None:
    """Share, stage and counts while it runs; an empty line afterwards."""
    screen = Screen()
    assert run_watched(lab, "import", {}, work, screen) == {"added": 1234}
    frames = screen.getvalue().split("\r")
    assert frames[1].startswith("[######------------------]  25%  importing  added 1,234")
    assert frames[2].startswith("[########################] 100%  finishing")
    assert not frames[-2].strip()


def test_a_pipe_sees_nothing(lab: Lab) -> None:
    """A log of drawn-over lines helps nobody."""
    pipe = io.StringIO()
    run_watched(lab, "import", {}, work, pipe)
    assert pipe.getvalue() == ""


def test_ctrl_c_asks_the_job_to_stop_and_its_row_says_cancelled(lab: Lab) -> None:
    """The signal falls outside any report; the next one ends the job, and the old handler is back."""
    before = signal.getsignal(signal.SIGINT)

    def interrupted(progress: Any) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        progress.report("importing", 1, 2)
        raise AssertionError("the report must have stopped the job")

    with pytest.raises(Cancelled, match="Stopped as asked"):
        run_watched(lab, "import", {}, interrupted, io.StringIO())
    assert [job.state for job in lab.jobs.recent()] == ["cancelled"]
    assert signal.getsignal(signal.SIGINT) == before


def test_a_second_ctrl_c_breaks_off(lab: Lab) -> None:
    """For work that never reports."""

    def stuck(_progress: Any) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return {}

    with pytest.raises(KeyboardInterrupt):
        run_watched(lab, "import", {}, stuck, io.StringIO())


def test_a_failed_job_is_told_as_its_own_sentence(lab: Lab) -> None:
    """The command line ends with what the job's row says."""

    def failing(_progress: Any) -> dict[str, Any]:
        raise LabError("The file is gone; fetch it again.")

    with pytest.raises(LabError, match="fetch it again"):
        run_watched(lab, "import", {}, failing, io.StringIO())
