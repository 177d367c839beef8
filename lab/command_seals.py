"""`seal`, `verify` and `rekey` on the command line: what is done to a log as a whole."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from lab.command_line import DONE, FOUND_WRONG, Answer, opened
from lab.errors import BadRequest

Command = Callable[[str, Callable[[argparse.Namespace], Answer], str], argparse.ArgumentParser]


def register(command: Command) -> None:
    """Add the two commands to the grammar."""
    one = command("seal", _seal, "Close a day for good: one file, its figures, a link of the chain.")
    one.add_argument("--day", metavar="D", help="the day, such as 2026-11-20 (default: every day that has ended)")
    one.add_argument("--rebuild", action="store_true", help="compute the kept figures of sealed days again")
    one = command("verify", _verify, "Compute every hash, count, kept figure and the chain again; name what differs.")
    one.add_argument("--head", metavar="HASH", help="a head noted earlier, to find a cut tail")
    command("rekey", _rekey, "Go on with a new key after hash.key was lost; earlier persons will not be recognised.")


def _rekey(_options: argparse.Namespace) -> Answer:
    from lab.data_folder import KEY_FILE, check_data, prepare_folder, rekey
    from lab.database import Database
    from lab.settings import read_settings

    settings = read_settings()
    prepare_folder(settings.data_dir)
    database = Database(settings.database_url)
    try:
        database.create_tables()
        check_data(database, settings.data_dir, settings.zone)
        rekey(database)
    finally:
        database.close()
    said = (
        f"The lab goes on with the {KEY_FILE} there is, or makes a new one. Users, clients, duplicates and imported "
        "lines from before will not be recognised."
    )
    return Answer({"sentence": said}, said)


def _seal(options: argparse.Namespace) -> Answer:
    from lab.clock import parse_day
    from lab.sealing import rebuild, seal
    from lab.terminal import run_watched

    days = [parse_day(options.day)] if options.day else None
    if days and options.rebuild:
        raise BadRequest("--rebuild is for every sealed day; leave --day out.")
    with opened() as lab:

        def work(progress: Any) -> dict[str, Any]:
            return rebuild(lab, progress) if options.rebuild else seal(lab, days, progress)

        done = run_watched(lab, "seal", {"day": options.day, "rebuild": options.rebuild}, work)
    lines = [f"{one['day']}  number {one['number']:,}  {one['rows']:,} rows" for one in done.get("sealed", ())]
    return Answer(done, "\n".join([*lines, done["sentence"]]))


def _verify(options: argparse.Namespace) -> Answer:
    from lab.sealing import VERIFY, verify_here
    from lab.terminal import run_watched

    head = options.head.strip().lower() if options.head else None
    if head is not None and (len(head) != 64 or set(head) - set("0123456789abcdef")):
        raise BadRequest("--head takes the 64 hexadecimal digits that seal and verify print.")
    with opened() as lab:
        found = run_watched(lab, VERIFY, {"head": head}, lambda progress: verify_here(lab, progress, head))
    return Answer(found, found["sentence"], FOUND_WRONG if found["mismatch"] else DONE)
