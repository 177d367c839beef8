"""A backup: a folder from which the lab opens elsewhere, made while it runs and others append.

It grows under a hidden name and gets its own when it is whole, so a killed backup leaves nothing that looks like
one. The trap it avoids: the key of the pseudonyms beside the pseudonyms. hash.key is never in it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from lab.data_folder import fingerprint
from lab.errors import BadRequest, Cancelled, StorageFailed
from lab.eventlog.durable import make_folder, sync_folder
from lab.ids import microseconds
from lab.quantities import many, size
from lab.snapshot import State, Tell, copy_file, copy_state

if TYPE_CHECKING:
    from lab.jobs import Progress
    from lab.opening import Lab

KIND, SUMS, ABOUT = "backup", "SHA256SUMS", "BACKUP.txt"
BESIDE = ("sources.toml", "leftovers")
"""What else belongs to the data; uploads do not, they are on their way to an import."""
_ABOUT = """\
A backup of the Lead Submission Observability Lab, made at {made_at}.

{rows:,} rows of the log in {files:,} files, and the database with leads, reports and jobs. Days are cut in {zone}.
Head of the chain of seals: {head}

To restore: copy this folder to where the data shall lie, put the lab's own hash.key into it, then start the lab
with LAB_DATA_DIR naming that folder and LAB_DATABASE_URL empty. `python -m lab doctor` says whether all is well.
The hash key is not in this folder; it was at {key}. Without it the lab does not open: with
another key everybody would be a stranger. If it is lost for good, `python -m lab rekey` goes on with a new one, and
pseudonyms of new traffic will not match the old ones.

`sha256sum -c {sums}` compares every file with what was copied. This folder holds personal data: keep it so.
"""


def back_up(lab: Lab, directory: str | Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write a backup to `directory`, which must be empty or not exist; `damaged` lists what could not be copied.

    Raises BadRequest for a folder or a database that cannot serve, StorageFailed when a disk refuses, Cancelled
    when stopped; then nothing is left.
    """
    target = _target(lab, Path(directory))

    def tell(stage: str, done: int, total: int) -> None:
        if progress is not None:
            progress.report(stage, done, total)

    work = target.with_name(f".{target.name}.unfinished-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _remove_unfinished(target)
        make_folder(target.parent)
        work.mkdir(mode=0o700)
        done = _fill(lab, work, tell, progress.job_id if progress is not None else "")
        tell("finishing", 0, 0)
        _publish(work, target)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        shutil.rmtree(work, ignore_errors=True)
        cause = getattr(error, "strerror", None) or getattr(error, "orig", None) or error
        raise StorageFailed(
            f"No backup was made ({cause}); free space or check the disks, then make it again."
        ) from error
    except BaseException as error:
        shutil.rmtree(work, ignore_errors=True)
        if isinstance(error, Cancelled):
            raise Cancelled("Stopped as asked; no backup was made.") from error
        raise
    same_disk = target.stat().st_dev == lab.log.folder.stat().st_dev
    told = {**done, "folder": str(target), "key": str(_key(lab)), "same_disk": same_disk}
    return {**told, "sentence": _sentence(told)}


def _target(lab: Lab, directory: Path) -> Path:
    if not lab.database.is_sqlite:
        kind = lab.database.engine.url.get_backend_name()
        raise BadRequest(f"The database is {kind}; back it up with its own tool, and {lab.log.folder} beside it.")
    target, data = directory.expanduser().resolve(), lab.settings.data_dir.resolve()
    if target == data or data in target.parents or target in data.parents:
        raise BadRequest(f"{target} and the data folder lie in each other; name a folder elsewhere.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadRequest(f"{target} is not an empty folder; name one that is empty or does not exist.")
    if target.is_mount():
        raise BadRequest(f"{target} is a disk's own folder; name one inside it, such as {target / 'lab-backup'}.")
    return target


def _remove_unfinished(target: Path) -> None:
    """Remove what a killed backup of the same name left behind."""
    if os.name == "nt" or not target.parent.is_dir():
        return
    for path in target.parent.glob(f".{target.name}.unfinished-*-*"):
        process = path.name.rsplit("-", 2)[-2]
        if process.isdigit() and not _alive(int(process)):
            shutil.rmtree(path, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _fill(lab: Lab, work: Path, tell: Tell, own_job: str) -> dict[str, Any]:
    """Fill the folder; every file in it is on disk on return."""
    now, data = lab.clock(), lab.settings.data_dir
    state = copy_state(
        lab.database,
        lab.log.folder,
        work,
        tell,
        own_job=own_job,
        now_us=microseconds(now),
        key=fingerprint(lab.pseudonyms),
    )
    sums = dict(state.sums)
    for name in BESIDE:
        for path in sorted((data / name).rglob("*")) if (data / name).is_dir() else [data / name]:
            if path.is_file():
                file = path.relative_to(data)
                sums[file.as_posix()] = copy_file(path, work / file)
    done = _counted(state) | {"made_at": now.isoformat(), "bytes": _bytes(work, sums)}
    about = done | {"head": state.head or "none yet", "zone": lab.zone.key, "key": _key(lab), "sums": SUMS}
    _write(work / ABOUT, _ABOUT.format(**about))
    _write(work / SUMS, "".join(f"{value}  {file}\n" for file, value in sorted(sums.items())))
    return done


def _counted(state: State) -> dict[str, Any]:
    return {
        "files": len(state.files),
        "rows": sum(one.rows for one in state.files) + state.waiting,
        "head": state.head,
        "damaged": [{"file": file, "why": why} for file, why in state.damaged.items()],
        "set_aside": state.set_aside,
    }


def _bytes(work: Path, sums: Mapping[str, str]) -> int:
    return sum((work / file).stat().st_size for file in sums)


def _key(lab: Lab) -> Path:
    return lab.settings.data_dir / "hash.key"


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _publish(work: Path, target: Path) -> None:
    for place, _, _ in os.walk(work, topdown=False):
        sync_folder(Path(place))
    if target.is_dir():
        target.rmdir()
    work.rename(target)
    sync_folder(target.parent)


def _sentence(told: Mapping[str, Any]) -> str:
    damaged, aside = told["damaged"], told["set_aside"]
    held = f"{many(told['rows'], 'row')} in {many(told['files'], 'file')} and the database"
    said = [f"Backed up {held}, {size(told['bytes'])} in all, to {told['folder']}."]
    if damaged:
        first = f"first {damaged[0]['file']}, which is {damaged[0]['why']}"
        said.append(f"Not in it: {many(len(damaged), 'damaged file')}, {first}; restore from an earlier backup.")
    if aside:
        said.append(f"Files set aside before as damaged are not in it either: {len(aside):,}.")
    if told["same_disk"]:
        said.append("It lies on the lab's own disk; copy it to another one.")
    said.append(
        f"The hash key is not in it: keep a copy of {told['key']} apart, for without it pseudonyms of new traffic will "
        "not match the old ones."
    )
    return " ".join(said)
