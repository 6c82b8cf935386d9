"""Findings: a step that came to something else, said as workflow, step, variable and source line."""

from __future__ import annotations

import ast
import hashlib
import inspect
import linecache
import re
import textwrap
from typing import NamedTuple

from ...runtime import WorkflowView
from ...workflows import rows
from ...workflows.compiler import Program
from ...workflows.definition import ROUTINES
from ...workflows.sources import US
from ..survey import stack_of
from .differences import Difference
from .row_differences import Look, row_differences
from .saved_world import SavedWorld
from .verifier import Divergence

_LOCAL = re.compile(r"(?:frames\[(\d+)\]\.)?locals\.([^.\[]+)")
_THROUGH = re.compile(r'File "(.+)", line (\d+), in ')
SHOWN = 5
"""Differences that are said of a finding."""


class Finding(NamedTuple):
    """Where two runs of a step part.

    Attributes:
        workflow_id, type, entity_id: of the workflow.
        turn: in which it was; now: the time of it in seconds.
        step: its number, counted from the oldest that is kept.
        differences: (path, value as recorded, value found), as texts: where the states after it differ, the most
            telling first.
        place: file and line that gave the first of them its value or raised, as far as can be said; else of the await
            before.
        source: that line, or an empty text.
    """

    workflow_id: int
    type: str
    entity_id: int | None
    turn: int
    now: float
    step: int
    differences: list[tuple[str, str, str]]
    place: str
    source: str


def same_state(world: SavedWorld, workflow_id: int, recorded: bytes, found: bytes) -> bool:
    """Say whether two rows say the same, of whatever code and lines."""
    return not state_differences(Look(world, workflow_id, recorded), Look(world, workflow_id, found))


def state_differences(recorded: Look, found: Look) -> list[Difference]:
    """Return where two states differ, of whatever code and lines; of the same code, in whatever bytes."""
    if recorded.row == found.row:
        return []
    every = row_differences(recorded, found)
    if not every and _code(recorded) == _code(found):
        looks = (recorded, found)
        form = (f"{len(look.row)} bytes, {hashlib.sha256(look.row).hexdigest()[:16]}" for look in looks)
        return [Difference("its stored form", *form)]
    return [
        difference
        for difference in every
        if difference.path not in ("line", "traceback")
        and not re.fullmatch(r"frames\[\d+\]\.line", difference.path)
    ]


def _code(look: Look) -> list[str]:
    """Return the fingerprints of the functions on a workflow's stack."""
    codes = look.saved.codes
    return [codes.descriptor(number)["fingerprint"] for number, _ in _stack(look.row)]


def explain(world: SavedWorld, divergence: Divergence) -> Finding:
    """Say of a step that came to something else what differs, and by which line."""
    record = divergence.record
    workflow_id = record.workflow_id
    found = world.view(workflow_id, divergence.found)
    differing: list[Difference]
    if divergence.recorded is None:
        differing = [Difference("status", "deleted", found.status)]
    else:
        looks = (Look(world, workflow_id, row) for row in (divergence.recorded, divergence.found))
        differing = state_differences(*looks)
    assert record.before is not None, "what was run again had a row"
    path = differing[0].path if differing else ""
    place, source = _place(world, found, path, _lines(world, record.before), _lines(world, divergence.found))
    step = next(
        (step.number for step in world.steps(workflow_id) if step.record == record),
        0,
    )
    return Finding(
        workflow_id,
        found.type,
        found.entity_id,
        record.turn,
        record.now_us / US,
        step,
        [(difference.path, repr(difference.old), repr(difference.new)) for difference in differing],
        place,
        source,
    )


def described(finding: Finding) -> str:
    """Return a finding in words: lines without an end."""
    entity = "" if finding.entity_id is None else f", entity {finding.entity_id}"
    who = f"workflow {finding.workflow_id} ({finding.type}{entity})"
    lines = [f"{who} parts at step {finding.step}, turn {finding.turn}, {finding.now:g} s"]
    lines += [f"  {path} is {now}, and was {recorded}" for path, recorded, now in finding.differences[:SHOWN]]
    if finding.place:
        lines.append(f"  {finding.place}: {finding.source}")
    return "\n".join(lines)


def _place(
    world: SavedWorld, after: WorkflowView, path: str, began: list[int], ended: list[int]
) -> tuple[str, str]:
    """Return the place of the line that set what a path names, and the line.

    Args:
        world: with the code.
        after: what the step came to.
        path: of the first difference.
        began: the lines of the awaits from which the functions on the stack went on, outermost first.
        ended: the lines of those at which they stand now.
    """
    local = _LOCAL.match(path)
    frame = None if local is None or local[1] is None else int(local[1])
    program = _program(world, after, frame)
    if program is None:
        return "", ""
    at = 0 if frame is None else frame + 1
    begin = began[at] if at < len(began) else program.first_line
    end = ended[at] if at < len(ended) else begin
    line = begin
    if local is not None:
        line = _assigned_at(program, local[2], begin, end) or line
    elif after.traceback is not None:
        line = _raised_at(program, after.traceback) or line
    return f"{program.filename}:{line}", linecache.getline(program.filename, line).strip()


def _program(world: SavedWorld, view: WorkflowView, frame: int | None) -> Program | None:
    if frame is not None and frame < len(view.frames):
        return ROUTINES.get(view.frames[frame].name)
    kind = world.registry.workflows.get(view.type)
    return None if kind is None else kind.program


def _lines(world: SavedWorld, row: bytes) -> list[int]:
    """Return the lines at which the functions of a workflow stand; none where it has not started or has ended."""
    return [world.codes.descriptor(number)["sites"][site - 1][2] for number, site in _stack(row)]


def _stack(row: bytes) -> list[tuple[int, int]]:
    """Return the code and the await of each function on a workflow's stack; none where there is none."""
    fields = rows.split(row)
    if fields[rows.STACK] == b"\xc0" or rows.arguments(fields) is not None:
        return []
    return stack_of(fields[rows.STACK])


def _raised_at(program: Program, traceback: str) -> int | None:
    """Return the line of a program that a traceback comes through."""
    lines = [int(line) for file, line in _THROUGH.findall(traceback) if file == program.filename]
    return lines[-1] if lines else None


def _assigned_at(program: Program, name: str, begin: int, end: int) -> int | None:
    """Return the line that may have given a variable its value on the way from one line to another."""
    try:
        source = textwrap.dedent("".join(inspect.getsourcelines(program.original)[0]))
        tree = ast.parse(source)
    except (OSError, SyntaxError):
        return None
    lines = sorted(
        {
            node.lineno + program.first_line - 1
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
        }
        | {line + program.first_line - 1 for line in _changed_in_place(tree, name)}
    )
    # Straight on, or round a loop; the first line that is met, since others may be of other branches.
    ahead = [line for line in lines if line >= begin]
    behind = [line for line in lines if line <= end] if end <= begin else []
    return next(iter(ahead or behind or lines), None)


def _changed_in_place(tree: ast.AST, name: str) -> set[int]:
    """Return the lines that store into a variable's attributes or items, or call its methods."""
    lines = set()
    for node in ast.walk(tree):
        target: ast.expr
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            target = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            target = node.func
        else:
            continue
        line = target.lineno
        while isinstance(target, (ast.Attribute, ast.Subscript)):
            target = target.value
        if isinstance(target, ast.Name) and target.id == name:
            lines.add(line)
    return lines
