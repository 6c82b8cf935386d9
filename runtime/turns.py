"""One turn: take inputs and due timers in order of time, run steps until quiet or out of budget."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..actors import ActorSystem
from ..workflows.outbox import INPUT_TABLE
from .inputs import ActivityInput, Input, NamedInput, StartInput
from .meters import Meters


class TurnOutcome(NamedTuple):
    """What a turn did: `handled` messages, of which `steps` changed a workflow; `quiet` where there was nothing."""

    steps: int
    handled: int
    timers_fired: int
    carried_over: int
    quiet: bool


def run_turn(
    system: ActorSystem,
    now_us: int,
    inputs: list[Input],
    *,
    limit: int,
    deadline_ns: int | None,
    meters: Meters,
    fire_timers: bool = True,
) -> TurnOutcome:
    """Run one turn.

    What an earlier turn carried over is in the queue already and comes first. Then inputs and due timers follow by
    time, inputs before timers of the same microsecond; then what steps send, first in, first out.
    """
    system.stepper.outbox.now_us = now_us
    system.mailboxes.sent.clear()
    due = system.due_timers(now_us) if fire_timers else []
    meters.lateness_s.add_ages(due, now_us)
    position = 0
    post = system.post
    item: Any
    for item in inputs:
        if type(item) is NamedInput:
            system.tables.write(INPUT_TABLE, item.input_id.encode(), item.record)
            continue
        starting, ending = type(item) is StartInput, type(item) is ActivityInput
        if due:
            # A timer that was due before the input was accepted goes first.
            time_us = item.time_us if starting or ending else item[3][1]
            while position < len(due) and due[position][0] < time_us:
                system.deliver_tick(due[position][1], due[position][0])
                position += 1
        if starting:
            _, workflow_id, type_name, arguments, entity_id, correlation_id = item
            system.start(
                workflow_id,
                type_name,
                arguments,
                entity_id=entity_id,
                correlation_id=correlation_id,
            )
        elif ending:
            system.finish_activity(
                item.activity_id, item.workflow_id, item.time_us, item.status, item.outcome
            )
        else:
            workflow_id, entity_id, correlation_id, message = item
            post(workflow_id, entity_id, correlation_id, message)
    for due_us, workflow_id in due[position:]:
        system.deliver_tick(workflow_id, due_us)
    steps = system.steps
    handled = system.scheduler.run(limit=limit, deadline_ns=deadline_ns)
    system.drop_ended()
    system.directory.residents.settle(system.scheduler.queue)
    carried = len(system.scheduler.queue)
    return TurnOutcome(
        system.steps - steps, handled, len(due), carried, quiet=not (inputs or handled or carried)
    )
