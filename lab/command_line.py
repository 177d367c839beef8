"""The same lab without a browser: what `python -m lab` understands.

Exit codes: 0 done, 1 found wrong, 2 bad request or not done, 130 stopped with Ctrl-C. With --json the answer,
or {"error": ...}, is one JSON document on stdout; sentences about errors are on stderr. The trap it avoids: a
slow `--help`. Rooms are imported by the command that needs them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from lab.errors import BadRequest, Cancelled, LabError

if TYPE_CHECKING:
    from lab.opening import Lab

DONE, FOUND_WRONG, NOT_DONE, STOPPED = 0, 1, 2, 130


class Answer(NamedTuple):
    """What a command gives back: for machines, for people, and the exit code."""

    data: Any
    text: str
    code: int = DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments ask, tell it, and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        options = parser().parse_args(given)
        answer: Answer = options.command(options)
    except (Cancelled, KeyboardInterrupt) as error:
        return _tell_error(str(error) or "Stopped as asked; what was stored so far stays.", as_json, STOPPED)
    except LabError as error:
        return _tell_error(str(error), as_json, NOT_DONE)
    except BrokenPipeError:
        return _closed_early()
    except Exception as error:  # the boundary: a person gets a sentence, never a traceback
        told = f"The lab itself failed ({type(error).__name__}: {error}); run `python -m lab doctor`, then try again."
        return _tell_error(told, as_json, NOT_DONE)
    text = json.dumps(answer.data, ensure_ascii=False, indent=2, default=str) if as_json else answer.text
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_early()
    return answer.code


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    from lab.command_figures import register as register_figures
    from lab.command_seals import register as register_seals
    from lab.command_upkeep import register as register_upkeep

    top = _Parser(prog="python -m lab", description="The Lead Submission Observability Lab without a browser.")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)

    def command(name: str, does: Callable[[argparse.Namespace], Answer], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(command=does)
        made.add_argument("--json", action="store_true", help="answer as JSON, for machines")
        return made

    one = command("simulate", _simulate, "Fill past days with simulated submissions.")
    one.add_argument("--days", type=int, metavar="N", help="how many days, ending yesterday (default 70)")
    one.add_argument("--per-day", type=int, metavar="N", help="attempts a day, about (default 1200)")
    one.add_argument("--seed", type=int, metavar="S", help="equal seeds give equal submissions (default 42)")
    one.add_argument("--scenario", default="healthy", metavar="NAME", help="healthy, demo, or a trouble's name")

    one = command("import", _import, "Bring in access logs and tables, plain or .gz; every row is stored once.")
    one.add_argument("files", nargs="*", metavar="FILE", help="a log, or a table in NDJSON, CSV or Parquet")
    one.add_argument(
        "--format", default="auto", metavar="F",
        help="auto, common, combined, json-access, w3c, ndjson, csv or parquet (default auto)",
    )  # fmt: skip
    one.add_argument(
        "--form", action="append", default=[], metavar="PATH=SOURCE",
        help="POSTs to PATH are attempts of SOURCE; in a table, rows whose page is PATH",
    )  # fmt: skip
    one.add_argument(
        "--map", action="append", default=[], metavar="OURS=THEIRS",
        help="the column THEIRS of a table is our OURS, such as received_at, email, outcome",
    )  # fmt: skip
    one.add_argument(
        "--refused", action="append", default=[], metavar="[PATH=]CODES",
        help="statuses that mean refused, such as 200 or 4xx; for one path, or for all",
    )  # fmt: skip
    one.add_argument("--dry-run", action="store_true", help="count by day and outcome, write nothing")
    one.add_argument("--withdraw", metavar="RUN", help="take back an import as a whole")

    register_figures(command)
    register_seals(command)
    register_upkeep(command)
    command("doctor", _doctor, "Check what the lab stands on, and say the remedy for what is wrong.")
    return top


class _Parser(argparse.ArgumentParser):
    """Errors are raised as one sentence, to be told like every other."""

    def error(self, message: str) -> NoReturn:
        raise BadRequest(f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` shows what there is.")


@contextmanager
def opened(*, housekeeping: bool = False) -> Iterator[Lab]:
    from lab.opening import open_lab
    from lab.settings import read_settings

    with open_lab(read_settings(), housekeeping=housekeeping) as lab:
        yield lab


def _simulate(options: argparse.Namespace) -> Answer:
    from lab.simulator import backfill, checked, scenario
    from lab.terminal import run_watched

    with opened(housekeeping=True) as lab:
        chosen = scenario(options.scenario, days=options.days, per_day=options.per_day, seed=options.seed)
        plan = checked(chosen, lab.world)
        done = run_watched(lab, "simulate", plan.params(), lambda progress: backfill(lab, plan, progress))
    return Answer(done, str(done["sentence"]))


def _import(options: argparse.Namespace) -> Answer:
    from lab import importer
    from lab.terminal import run_watched

    if options.withdraw is not None:
        if options.files or options.form or options.refused or options.map or options.dry_run:
            raise BadRequest("--withdraw takes back one run and nothing else; leave the other arguments out.")
        with opened(housekeeping=True) as lab:
            removed = importer.withdraw(lab, options.withdraw)
        return Answer(removed, removed["sentence"])
    if not options.files:
        raise BadRequest("No file is named; write python -m lab import FILE --form PATH=SOURCE.")
    if not options.form and not options.map:
        _offer_forms(options.files, options.format)
    work = importer.preview if options.dry_run else importer.import_files
    asked = (options.files, options.form, options.refused, options.format)
    told = {"files": options.files, "form": options.form, "refused": options.refused, "map": options.map}
    with opened(housekeeping=not options.dry_run) as lab:
        done = run_watched(
            lab,
            "preview" if options.dry_run else "import",
            told,
            lambda progress: work(lab, *asked, progress, options.map),
        )
    judged = [f"{row['day']}  {row['judged']:>10,} to be judged" for row in done["by_day"] if row.get("judged")]
    recorded = [row for row in done["by_day"] if row["attempts"]]
    return Answer(done, "\n".join([*day_lines(recorded), *judged, _sentence(done)]))


def _offer_forms(files: Sequence[str], format: str) -> None:
    """BadRequest when one of the files is an access log, which says nothing without forms; it offers some."""
    from lab.importer import Guess, guess

    for file in files:
        found = guess(file, format=format)
        if not isinstance(found, Guess):
            continue
        if not found.mapping:
            raise BadRequest("No form is named, and the file's POSTs suggest none; add --form PATH=SOURCE.")
        options = " ".join(f"--form {path}={source}" for path, source in list(found.mapping.items())[:8])
        raise BadRequest(f"No form is named; from the file's POSTs, try: {options}")


def _sentence(done: Any) -> str:
    run = done.get("run_id")
    return f"{done['sentence']} The run is {run}." if run and done["added"] else str(done["sentence"])


def _doctor(_options: argparse.Namespace) -> Answer:
    from lab.doctor import examine, healthy

    findings = examine()
    width = max(len(finding.check) for finding in findings)
    lines = [f"{finding.state:<5}  {finding.check:<{width}}  {finding.sentence}" for finding in findings]
    data = {"healthy": healthy(findings), "findings": [finding._asdict() for finding in findings]}
    return Answer(data, "\n".join(lines), DONE if healthy(findings) else FOUND_WRONG)


def day_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A table of days; a stretch of days without attempts is one line."""
    lines = [f"{'day':<10}  {'attempts':>10}  {'success':>10}  {'failed':>10}"] if rows else []
    empty = 0
    for row in [*rows, None]:
        if row is not None and not row["attempts"]:
            empty += 1
            continue
        if empty:
            lines.append(f"{'…':<10}  {f'{empty:,} without attempts':>20}")
            empty = 0
        if row is not None:
            lines.append(f"{row['day']}  {row['attempts']:>10,}  {row['success']:>10,}  {row['failed']:>10,}")
    return lines


def _tell_error(sentence: str, as_json: bool, code: int) -> int:
    if as_json:
        sys.stdout.write(f"{json.dumps({'error': sentence}, ensure_ascii=False)}\n")
    sys.stderr.write(f"{sentence}\n")
    return code


def _closed_early() -> int:
    """The reader of our output went away, as `head` does; there is nobody left to tell."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE
