"""Writing a day's report: facts, an analyst, the check of every figure, a stored version.

The trap it avoids: a report that depends on a model's mood. Whatever a model or its server does, a valid report
by rules comes out, and says in one sentence who wrote it and why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from lab.clock import Clock, business_day
from lab.database import Database
from lab.errors import BadRequest, Cancelled, ModelFailed
from lab.ids import NewId, uuid7
from lab.report import versions
from lab.report.analyst import SECTIONS, Analyst, Draft, Effort, Tell
from lab.report.fact import Facts
from lab.report.facts import build_facts
from lab.report.grounding import ground
from lab.report.ollama_analyst import OllamaAnalyst
from lab.report.rules import RuleAnalyst
from lab.report.versions import Line, Report, Telling
from lab.settings import Settings

if TYPE_CHECKING:
    from lab.jobs import Jobs, Progress
    from lab.metrics import Metrics, Traffic

JOB = "report"
ANALYSTS = ("auto", "ollama", "rules")
FIRST_DAY = date(1970, 1, 1)
_log = logging.getLogger(__name__)

MakeAnalyst = Callable[[str | None], Analyst]
"""Makes the model's analyst, for a model's name or None; a parameter so that tests can shorten its patience."""


class Reports:
    """Reports of days: asked for, written, found again."""

    def __init__(
        self, database: Database, metrics: Metrics, jobs: Jobs, settings: Settings, clock: Clock,
        new_id: NewId = uuid7, make_analyst: MakeAnalyst | None = None,
    ) -> None:
        self._database, self._metrics, self._jobs = database, metrics, jobs
        self._settings, self._clock, self._new_id = settings, clock, new_id
        self._make_analyst = make_analyst or self._ollama

    def request(
        self, day: date, analyst: str = "auto", model: str | None = None, traffic: Traffic | None = None
    ) -> str:
        """Start a job that writes the day's report and return its id; one that is under way is returned instead.

        BadRequest for a day to come or an unknown analyst. The job's result has report_id, day, version, analyst,
        headline and sentence; its detail has tokens and tokens_per_s while writing.
        """
        self._require(day, analyst)
        chosen = self._traffic(traffic)

        def work(progress: Progress) -> Mapping[str, Any]:
            return _result(self.write(day, progress, analyst, model, chosen))

        rules = analyst == "rules"
        params = {"day": day.isoformat(), "analyst": analyst, "model": model, "traffic": str(chosen)}
        key = f"{day.isoformat()}:{chosen}" + (":rules" if rules else "")
        return self._jobs.start(JOB, params, work, lane="work" if rules else "model", key=key)

    def write(
        self, day: date, progress: Progress | None = None, analyst: str = "auto", model: str | None = None,
        traffic: Traffic | None = None,
    ) -> Report:
        """Write and store a version now. Raises Cancelled when `progress` says so; a model's failure never raises."""
        self._require(day, analyst)
        chosen, tell = self._traffic(traffic), _teller(progress)
        started = time.perf_counter()
        tell("facts")
        now, metrics = self._clock(), self._metrics.pinned()
        log_version = metrics.day_version(day)
        facts = build_facts(metrics, day, chosen, now)
        facts_ms = _since(started)
        by_rules, _ = RuleAnalyst().write(facts)
        draft, effort, author, sentence, failure = self._drafted(facts, by_rules, analyst, model, tell)
        tell("checking")
        checking = time.perf_counter()
        checked, checks = ground(draft, facts, by_rules)
        if author == "ollama" and checks.kept <= _own_statements(by_rules):
            author, sentence = "rules", "Written by rules: no statement of the model's passed the check of its figures."
            failure = "ungrounded"
        report = Report(
            self._new_id(now), day, 0, _state(facts, sealed=metrics.is_sealed(day)), author,
            effort.model if author == "ollama" else None, effort.digest if author == "ollama" else None,
            str(chosen), log_version, facts, checked,
            Telling(sentence, failure, effort, checks, facts_ms, _since(checking), _since(started)), self._clock(),
        )
        return versions.store(self._database, report)

    def latest(self, day: date) -> Report | None:
        """The newest version of the day's report."""
        return versions.latest(self._database, day)

    def version(self, day: date, number: int) -> Report | None:
        """One version of the day's report."""
        return versions.version(self._database, day, number)

    def versions(self, day: date) -> list[Line]:
        """The day's versions, newest first, without their words."""
        return versions.versions(self._database, day)

    def recent(self, limit: int = 20) -> list[Line]:
        """The newest reports of any day."""
        return versions.recent(self._database, limit)

    def _drafted(
        self, facts: Facts, by_rules: Draft, analyst: str, model: str | None, tell: Tell
    ) -> tuple[Draft, Effort, str, str, str | None]:
        """Draft, effort, author, the sentence that tells, and the class of failure."""
        attempts = facts.get("attempts")
        if analyst == "rules":
            return by_rules, Effort(), "rules", "Written by rules, as asked.", None
        if attempts is None or not attempts.number:
            return by_rules, Effort(), "rules", "Written by rules: a day without attempts needs no model.", None
        try:
            draft, effort = self._make_analyst(model).write(facts, tell)
        except Cancelled:
            raise
        except ModelFailed as error:
            if error.kind == "cancelled":
                raise Cancelled(str(error)) from error
            return by_rules, Effort(model=model), "rules", f"Written by rules, as no model could: {error}", error.kind
        except Exception as error:
            _log.exception("The model's analyst failed")
            told = f"an error of the lab's own stopped the model ({type(error).__name__}); see the server's log."
            return by_rules, Effort(model=model), "rules", f"Written by rules, as {told}", "internal"
        return draft, effort, "ollama", f"Written by {effort.model} through Ollama ({effort.pick}).", None

    def _ollama(self, model: str | None) -> Analyst:
        return OllamaAnalyst(self._settings.ollama_host, model, self._settings.ollama_model)

    def _traffic(self, traffic: Traffic | None) -> Traffic:
        from lab.metrics import Traffic

        return traffic or (Traffic.REAL if self._metrics.has_real() else Traffic.ALL)

    def _require(self, day: date, analyst: str) -> None:
        today = business_day(self._clock(), self._settings.zone)
        if day > today:
            raise BadRequest(f"{day.isoformat()} is still to come; ask for {today.isoformat()} or a day before.")
        if day < FIRST_DAY:
            raise BadRequest(f"{day.isoformat()} is before any report; ask for {FIRST_DAY.isoformat()} or a day after.")
        if analyst not in ANALYSTS:
            raise BadRequest(f"{analyst!r} is not an analyst; use one of {', '.join(ANALYSTS)}.")


def _teller(progress: Progress | None) -> Tell:
    """`tell`, which without a stage repeats the last one, so that a wish to stop is noticed while nothing moves."""
    last = ["facts"]

    def tell(stage: str | None = None, done: int = 0, total: int = 0, **detail: Any) -> None:
        last[0] = stage or last[0]
        if progress is not None:
            known = {name: value for name, value in detail.items() if value is not None}
            progress.report(last[0], done, total, **known)

    return tell


def _state(facts: Facts, *, sealed: bool) -> str:
    if sealed:
        return versions.FINAL
    return versions.DRAFT if facts.open else versions.PROVISIONAL


def _own_statements(by_rules: Draft) -> int:
    """Statements of any draft that are code's own: its confidence and scope notes."""
    return sum(len(by_rules.section(key).statements) for key, _ in SECTIONS if key in {"confidence", "scope"})


def _result(report: Report) -> dict[str, Any]:
    return {
        "report_id": report.id, "day": report.day.isoformat(), "version": report.version, "analyst": report.analyst,
        "headline": report.draft.headline.text, "sentence": report.telling.sentence,
    }


def _since(started: float) -> float:
    return round(1_000 * (time.perf_counter() - started), 1)
