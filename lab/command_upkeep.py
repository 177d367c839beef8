"""`backup` and `forget` on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from lab.command_line import DONE, FOUND_WRONG, Answer, opened

Command = Callable[[str, Callable[[argparse.Namespace], Answer], str], argparse.ArgumentParser]


def register(command: Command) -> None:
    """Add the two commands to the grammar."""
    one = command("backup", _backup, "Copy the data to a folder from which the lab opens elsewhere; the lab may run.")
    one.add_argument("folder", metavar="DIR", help="a folder that is empty or does not exist")
    one = command("forget", _forget, "Erase what a person sent; says what was erased and what stays.")
    one.add_argument("email", metavar="EMAIL", help="the person's address, or - to read it from standard input")


def _backup(options: argparse.Namespace) -> Answer:
    from lab.backup import KIND, back_up
    from lab.terminal import run_watched

    with opened() as lab:
        told = {"folder": options.folder}
        done = run_watched(lab, KIND, told, lambda progress: back_up(lab, options.folder, progress))
    return Answer(done, done["sentence"], FOUND_WRONG if done["damaged"] else DONE)


def _forget(options: argparse.Namespace) -> Answer:
    import sys

    from lab.erasure import KIND, forget
    from lab.terminal import run_watched

    email = sys.stdin.readline() if options.email == "-" else options.email
    with opened() as lab:  # the job's row does not name the person
        done = run_watched(lab, KIND, {}, lambda progress: forget(lab, email, progress))
    return Answer(done, done["sentence"])
