"""`deathless replay show`: one workflow as it is, or as it was after a step or a turn."""

from __future__ import annotations

from typing import Any, NamedTuple

import click

from ....runtime import WorkflowView
from ....workflows import rows
from ....workflows.errors import HistoryError, UnknownWorkflowError
from ...output import BadInput, print_json, short_path
from ...replay.causes import Cause, Causes
from ...replay.saved_world import SavedWorld, Step
from ...replay.showing import plain, short
from ...replay.source_lines import FrameSource, sources_of
from ...replay.world_times import WorldTimes, duration
from .options import (
    at_option,
    code_option,
    json_option,
    open_world,
    turn_of,
    turn_option,
    workflow_argument,
    world_argument,
)

EXAMPLES = """\b
Examples:
  deathless replay show world.deathless 7
  deathless replay show world.deathless 7 --turn 120 --code game.npcs
  deathless replay show world.deathless 7 --at 12.5
  deathless replay show world.deathless 7 --step 31 --json | jq .locals
"""
AROUND = 3
"""Lines of source that are shown before and after an await."""
VALUE_WIDTH = 200
"""Most characters of a local variable's value."""


class Moment(NamedTuple):
    """A workflow at some time.

    Attributes:
        turn: at the end of which, or within it after the step.
        now_s: its time.
        row: the workflow's.
        step: the last one before that, if it is recorded.
    """

    turn: int
    now_s: float
    row: bytes
    step: Step | None


@click.command(epilog=EXAMPLES)
@world_argument
@workflow_argument
@click.option("--step", "number", metavar="N", type=click.IntRange(1), help="After this recorded step.")
@turn_option
@at_option
@code_option
@json_option
def command(
    world: str,
    workflow_id: int,
    number: int | None,
    turn: int | None,
    at: str | None,
    modules: tuple[str, ...],
    as_json: bool,
) -> int:
    """Show the workflow ID of WORLD: its status, its source with the current await marked, and its locals.

    Then its timers, unread signals and children, its result or error, and what caused its last step. Steps are
    counted from the oldest one that is kept, as `timeline` does.
    """
    if number is not None and (turn is not None or at is not None):
        raise BadInput("give one of --step, --turn and --at")
    with open_world(world, modules) as saved:
        if number is None:
            moment = _at_turn(saved, workflow_id, *turn_of(saved, turn, at))
        else:
            moment = _after_step(saved, workflow_id, number)
        causes = Causes(saved)
        cause = None if moment.step is None else causes.of(moment.step)
        view = saved.view(workflow_id, moment.row)
        try:
            sources, unread = sources_of(saved, moment.row), causes.unread(moment.row)
        except (rows.RowError, LookupError) as error:
            raise saved.damaged(workflow_id, error) from error
        if as_json:
            print_json(_described(world, moment, view, sources, cause, unread))
        else:
            times = WorldTimes(saved.state)
            lines = [*_head(moment, view, cause, times), *_frames(view, sources, bool(modules))]
            click.echo("\n".join([*lines, *_rest(moment, view, unread, times)]))
    return 0


def _after_step(saved: SavedWorld, workflow_id: int, number: int) -> Moment:
    step = saved.step(workflow_id, number)
    if step.after is None:
        raise HistoryError(f"step {number} deleted workflow {workflow_id}: show the one before it")
    return Moment(step.record.turn, step.record.now_us / 1e6, step.after, step)


def _at_turn(saved: SavedWorld, workflow_id: int, turn: int | None, now_s: float | None) -> Moment:
    state = saved.state
    row, step = saved.row(workflow_id, turn), saved.last_step(workflow_id, turn)
    if row is None and step is None:
        if turn is None:
            raise UnknownWorkflowError(workflow_id)
        raise HistoryError(f"there was no workflow {workflow_id} yet at the end of turn {turn}")
    if row is None:
        assert step is not None, "seen to above"
        raise HistoryError(
            f"workflow {workflow_id} was deleted in turn {step.record.turn}: give an earlier --turn"
        )
    if turn is None:
        return Moment(state.turn, state.now_us / 1e6, row, step)
    return Moment(turn, saved.time_at(turn) if now_s is None else now_s, row, step)


# -- text --------------------------------------------------------------------------------------------------


def _head(moment: Moment, view: WorkflowView, cause: Cause | None, times: WorldTimes) -> list[str]:
    entity = "" if view.entity_id is None else f" on entity {view.entity_id}"
    group = "" if view.correlation_id is None else f" of {view.correlation_id!r}"
    parent = "" if view.parent_id is None else f", child of {view.parent_id}"
    lines = [
        f"{view.type} {view.id}{entity}{group}{parent}",
        _line("status", f"{view.status}{f', {view.current_step}' if view.status.active else ''}"),
        _line("turn", f"{moment.turn}, at {times.show(moment.now_s)}"),
    ]
    if moment.step is None or cause is None:
        return [*lines, _line("step", "none is recorded")]
    record = moment.step.record
    lines.append(
        _line("step", f"{moment.step.number}, in turn {record.turn} at {times.show_us(record.now_us)}")
    )
    return [
        *lines,
        _line("cause", cause.text),
        *(_line("answers" * (not at), answer) for at, answer in enumerate(cause.answers)),
    ]


def _frames(view: WorkflowView, sources: list[FrameSource], with_code: bool) -> list[str]:
    if not sources:
        values = _locals(view.locals)
        return ["", "not started; its arguments:", *values] if values else []
    lines: list[str] = []
    for frame, (source, local) in enumerate(zip(sources, _locals_of(view), strict=False)):
        file = f" of {short_path(source.file)}" if source.file else ""
        arrow = ">" if frame == len(sources) - 1 else "|"
        lines += ["", f"{source.name}, line {source.line}{file}"]
        if source.why_not and (with_code or source.file or not frame):
            lines.append(f"  ({source.why_not})")
        width = len(str(source.line + AROUND))
        for number, text in source.around(AROUND, AROUND):
            mark = arrow if number == source.line else " "
            lines.append(f"  {mark} {number:>{width}}  {text}".rstrip())
        if not source.lines:
            lines.append(f"  {arrow} await {source.key}")
        lines += _locals(local)
    return lines


def _locals_of(view: WorkflowView) -> list[dict[str, Any]]:
    return [view.locals, *(frame.locals for frame in view.frames)]


def _locals(values: dict[str, Any]) -> list[str]:
    width = max(map(len, values), default=0)
    return [f"    {name:<{width}} = {short(value, VALUE_WIDTH)}" for name, value in values.items()]


def _rest(moment: Moment, view: WorkflowView, unread: list[str], times: WorldTimes) -> list[str]:
    lines = [""]
    if view.awaiting:
        lines.append(_line("awaits", ", ".join(view.awaiting)))
    for timer in view.timers:
        left = timer.due - moment.now_s
        when = f"in {duration(left)}" if left > 0 else "due now"
        name = "" if timer.name is None else f"{timer.name} "
        lines.append(_line("timer", f"{name}due {times.show(timer.due)}, {when}"))
    lines += [_line("unread", text) for text in unread]
    if view.children:
        lines.append(_line("children", ", ".join(map(str, view.children))))
    if str(view.status) == "Completed":
        lines.append(_line("result", view.unreadable or short(view.result, VALUE_WIDTH)))
    if view.retry_at is not None:
        lines.append(_line("retry", f"at {times.show(view.retry_at)}"))
    if view.error_message:
        lines.append(_line("error" if view.traceback else "reason", view.error_message))
    if view.traceback:
        lines += ["", *view.traceback.rstrip().split("\n")]
    return lines if len(lines) > 1 else []


def _line(name: str, value: object) -> str:
    return f"  {name:<8} {value}"


# -- JSON --------------------------------------------------------------------------------------------------


def _described(
    world: str,
    moment: Moment,
    view: WorkflowView,
    sources: list[FrameSource],
    cause: Cause | None,
    unread: list[str],
) -> dict[str, Any]:
    step = moment.step
    return {
        "world": world,
        "id": view.id,
        "type": view.type,
        "entity": view.entity_id,
        "correlation_id": view.correlation_id,
        "parent": view.parent_id,
        "status": str(view.status),
        "step": view.current_step,
        "turn": moment.turn,
        "now": moment.now_s,
        "last_step": None
        if step is None or cause is None
        else {
            "number": step.number,
            "turn": step.record.turn,
            "time": step.record.now_us / 1e6,
            "kind": cause.kind,
            "cause": cause.text,
            "answers": list(cause.answers),
        },
        "locals": plain(view.locals),
        "frames": [
            {
                "function": source.name,
                "await": source.key,
                "line": source.line,
                "file": source.file,
                "source": [{"line": number, "text": text} for number, text in source.around(AROUND, AROUND)],
                "remark": source.why_not,
                "locals": plain(values),
            }
            for source, values in zip(sources, _locals_of(view), strict=False)
        ],
        "awaiting": list(view.awaiting),
        "timers": [
            {"name": timer.name, "due": timer.due, "due_in": round(timer.due - moment.now_s, 6)}
            for timer in view.timers
        ],
        "unread": unread,
        "children": list(view.children),
        "result": plain(view.result),
        "error": view.error_message,
        "traceback": view.traceback,
        "retry_at": view.retry_at,
        "created": view.created_at,
        "updated": view.updated_at,
    }
