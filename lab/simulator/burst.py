"""A burst: attempts sent now, in real time, through the gate that everybody shares.

The instants come from the plan, the times of receipt from the gate. The trap it avoids: a burst that sleeps
through a stop, or that floods the queue at its end because the machine was slow at its beginning.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from lab.attempt import Arrival
from lab.errors import BadRequest, Cancelled, QueueFull
from lab.simulator import ledger, troubles
from lab.simulator.ledger import Run, Tally
from lab.simulator.plan import Plan, checked
from lab.simulator.run import STAGE, Progress
from lab.simulator.stream import burst_faults, burst_submissions, run_id_of

if TYPE_CHECKING:
    from lab.opening import Lab

PAUSE_S = 0.2
_AT_ONCE = 2_000


def burst(
    lab: Lab,
    plan: Plan,
    progress: Progress,
    *,
    pause: Callable[[float], object] | None = None,
    elapsed_s: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Send a plan's attempts over its seconds, as a channel of the shared gate; returns the summary.

    `pause` waits that many seconds, `elapsed_s` is a clock that never steps back. Raises BadRequest when the plan
    cannot be done and Cancelled when the user stops it, within half a second; what was sent stays.
    """
    plan = checked(plan, lab.world)
    if plan.kind != "burst":
        raise BadRequest("A backfill is not sent now; use a burst plan.")
    start = lab.clock()
    run_id = run_id_of(plan, start, lab.zone, lab.world)
    arrivals = burst_submissions(plan, start, lab.zone, lab.world, run_id)
    due_s = [(one.at - start).total_seconds() if one.at else 0.0 for one in arrivals]
    run = ledger.begin(lab.log, run_id, plan, burst_faults(plan, start), start, progress.job_id)
    wait = pause or threading.Event().wait
    tally, state = Tally(), "failed"
    began = elapsed_s()
    try:
        while run.done < plan.attempts:
            since = elapsed_s() - began
            upto = run.done
            while upto < plan.attempts and upto - run.done < _AT_ONCE and due_s[upto] <= since:
                upto += 1
            progress.report(STAGE, run.done, plan.attempts, success=tally.success, failed=tally.failed)
            if upto > run.done:
                batch = [_now(one, lab) for one in arrivals[run.done : upto]]
                try:
                    tally, run = _send(lab, run, batch, tally)
                    continue
                except QueueFull:
                    wait(PAUSE_S)
                    continue
            wait(max(0.01, min(PAUSE_S, due_s[upto] - since)))
        progress.report(STAGE, run.done, plan.attempts, success=tally.success, failed=tally.failed)
        state = "done"
    except Cancelled:
        state = "cancelled"
        raise
    finally:
        summary = _summary(run, tally, plan)
        ledger.end(lab.database, run, state, lab.clock(), summary)
    return summary


def _send(lab: Lab, run: Run, batch: list[Arrival], tally: Tally) -> tuple[Tally, Run]:
    after = run.after(batch)
    verdicts = lab.gate.admit(batch, also=partial(ledger.advance, before=run, after=after))
    return tally.plus(verdicts), after


def _now(one: Arrival, lab: Lab) -> Arrival:
    """The arrival as it comes in now; the shared gate's collaborators know nothing of simulated keys and outages."""
    at = lab.clock()
    return one._replace(at=None, refused=one.refused or troubles.credentials(one, at) or troubles.store(one, at))


def _summary(run: Run, tally: Tally, plan: Plan) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "attempts": tally.attempts,
        "by_outcome": {"SUCCESS": tally.success, "FAILED": tally.failed},
        "replays": tally.replays,
        "days": 1,
        "added": run.done,
        "already": 0,
        "skipped_days": [],
        "sentence": (
            f"Sent {run.done:,} of {plan.attempts:,} submissions in {plan.seconds:,} s; "
            f"{tally.failed_share:.1%} of the attempts failed."
        ),
    }
