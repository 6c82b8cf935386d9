"""Reading the meters of an open world, together with what its parts know of how things stand."""

from __future__ import annotations

import time

from ..workflows.sources import US
from .engine import Engine
from .reports import Metrics


def read_metrics(engine: Engine) -> Metrics:
    """Return what an open world counts of itself; from any thread, without a lock that a turn holds."""
    meters, system, committer = engine.meters, engine.system, engine.committer
    sizes = engine.store.sizes()
    return Metrics(
        turn=engine.turn,
        committed_turn=committer.committed_turn,
        now=system.stepper.now_us / US,
        since_turn_s=(time.perf_counter_ns() - meters.ended_ns) / 1e9,
        turns=meters.turns,
        commits=meters.commits,
        handled=meters.handled,
        steps=meters.steps,
        timers_fired=meters.timers_fired,
        started=system.directory.listings.begun,
        ended={str(status): count for status, count in system.directory.listings.ends.items()},
        faults=system.stepper.faults,
        accepted=dict(meters.accepted),
        refused=dict(meters.refused),
        turn_s=meters.turn_s.read(),
        commit_s=meters.commit_s.read(),
        step_s=meters.step_s.read(),
        input_s=meters.input_s.read(),
        lateness_s=meters.lateness_s.read(),
        active=system.directory.active,
        resident=len(system.directory.actors),
        held=len(system.stepper.held),
        waiting=engine.intake.waiting,
        carried_over=meters.carried_over,
        crowded=len(system.mailboxes.crowded),
        activities=engine.activities.running,
        map_bytes=sizes.used_bytes,
        map_free=sizes.free_bytes,
        map_limit=sizes.map_limit,
        file_bytes=sizes.file_bytes,
        table_bytes=sizes.tables,
        log_entries=sizes.log_entries,
    )
