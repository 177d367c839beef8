"""Opening the lab: one place that assembles every room, for the dashboard, the command line and the tests.

The trap it avoids: a data folder that belongs to another time zone or a newer lab being written to before
anyone noticed. Everything is checked before the first row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lab.clock import Clock, system_clock
from lab.data_folder import check_data, open_key, prepare_folder
from lab.database import Database
from lab.erasure import retention
from lab.eventlog import EventLog
from lab.eventlog.housekeeping import Housekeeper
from lab.gate import Check, Gate, allow
from lab.jobs import Jobs
from lab.metrics import Metrics
from lab.metrics.rollup import Rollups
from lab.pseudonyms import Pseudonyms
from lab.settings import Settings
from lab.world import World, read_world

if TYPE_CHECKING:
    from types import TracebackType

    from lab.report import Reports

@dataclass
class Lab:
    """The lab, assembled. Close it, or use it as a context manager."""

    settings: Settings
    clock: Clock
    zone: ZoneInfo
    database: Database
    log: EventLog
    world: World
    pseudonyms: Pseudonyms
    gate: Gate
    jobs: Jobs
    metrics: Metrics
    reports: Reports
    housekeeper: Housekeeper

    def run_gate(
        self, run_id: str, *, world: World | None = None, credentials: Check = allow, store: Check = allow
    ) -> Gate:
        """A gate of a run's own: the rows' clock, own limiters, own faults, segments that belong to the run."""
        return Gate(
            self.log,
            world or self.world,
            self.zone,
            self.pseudonyms,
            clock=self.clock,
            run_id=run_id,
            credentials=credentials,
            store=store,
        )

    def close(self) -> None:
        """Stop jobs, write what is held and waits, give back the database. Idempotent."""
        self.jobs.close()
        self.housekeeper.close()
        self.gate.close()
        self.log.close()
        self.database.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_lab(
    settings: Settings, clock: Clock = system_clock, *, housekeeping: bool = True, live: bool = False
) -> Lab:
    """Open the data folder and assemble the lab; DataFolderError, BadSetting or BadSources say what is in the way.

    `live` means that the door is open: the day will be sealed by itself, and everything verified once a day.
    """
    from lab.report import Reports
    from lab.sealing import Caretaker, NightWatch, last_sealed_end

    folder = settings.data_dir
    prepare_folder(folder)
    world = read_world(folder / "sources.toml")
    database = Database(settings.database_url)
    try:
        database.create_tables()
        check_data(database, folder, settings.zone)
        pseudonyms = Pseudonyms(open_key(database, folder))
        log = EventLog(database, folder, clock)
        log.prepare()
    except BaseException:
        database.close()
        raise
    gate = Gate(
        log, world, settings.zone, pseudonyms, clock=clock, keep_payloads=settings.keep_payloads_days > 0
    )
    jobs = Jobs(database, clock)
    metrics = Metrics(log, settings.zone, clock, kept=Rollups(database))
    reports = Reports(database, metrics, jobs, settings, clock)
    duties: list[Callable[[], object]] = [gate.tick, retention(database, clock, settings.keep_payloads_days)]
    housekeeper = Housekeeper(log, clock, duties=duties)
    lab = Lab(
        settings=settings,
        clock=clock,
        zone=settings.zone,
        database=database,
        log=log,
        world=world,
        pseudonyms=pseudonyms,
        gate=gate,
        jobs=jobs,
        metrics=metrics,
        reports=reports,
        housekeeper=housekeeper,
    )
    last_sealed_end(lab)
    if live:
        duties += [Caretaker(lab), NightWatch(lab)]
    if housekeeping:
        housekeeper.start()
    return lab
