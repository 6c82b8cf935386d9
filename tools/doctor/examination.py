"""The examination of a whole world, from one view of it: check after check, in little memory.

It finds rows that do not decode, and rows that do not agree with each other. Where nothing in a world depends on a row,
it cannot tell that the row is gone: a turn in which nothing happened is not recorded either, and most turns leave
nothing over.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...runtime.row_buffer import WORKFLOW_TABLE
from ...runtime.storage.read_view import ReadView
from ...runtime.storage.world_reader import WorldReader
from ...workflows import rows
from ...workflows.definition import WorkflowType
from ...workflows.errors import WorldCorruptError
from ..output import Tell, silent
from ..survey import survey
from .facts import NOT_DECODED, Facts, read_facts, said
from .finding import WARNING, Finding
from .history_tables import check_history
from .indexes import IndexChecks
from .side_tables import check_activities, check_inputs, check_leftover, check_tables
from .unknown import check_unknown
from .workflow_rows import RowChecks

MOST = 100
"""Findings of one check in one table that are given one by one."""
_KEY_BYTES = 8
_TELL_ROWS = 1024


def examine_world(
    path: str | os.PathLike[str],
    types: Mapping[str, WorkflowType[Any, Any]] | None = None,
    *,
    tell: Tell = silent,
) -> list[Finding]:
    """Examine a world, which may be running in another process; nothing is written.

    Args:
        path: its directory.
        types: the code that is to run it, to hear which workflows it would hold; none to leave that out.
        tell: is told how many rows were looked at, and of how many.

    Returns:
        What is wrong, and nothing where the world is sound. A file that cannot be read at all is a finding, too.

    Raises:
        NotAWorldError: there is no world.
        WorldVersionError: it is of another format.
        WorldError: it cannot be read for a reason that is not its own.
    """
    try:
        with WorldReader(path) as world, world.read_view() as view:
            return list(examine(view, types, tell=tell))
    except WorldCorruptError as error:
        return [Finding("file", "", None, None, str(error).removeprefix(f"{Path(path)}: "))]


def examine(
    view: ReadView,
    types: Mapping[str, WorkflowType[Any, Any]] | None = None,
    *,
    quick: bool = False,
    tell: Tell = silent,
) -> Iterator[Finding]:
    """Go through what is wrong with a world.

    Args:
        view: all of it, as of one commit.
        types: as of `examine_world`.
        quick: look at the world's own values, its code, and the heads of workflows alone.
        tell: is told how many rows were looked at, and of how many.
    """
    facts = read_facts(view)
    yield from facts.findings
    if quick:
        yield from _check_heads(view)
        return
    yield from _few(_check_all(view, facts, tell))
    if types is not None:
        yield from _held(view, types)


def _check_all(view: ReadView, facts: Facts, tell: Tell) -> Iterator[Finding]:
    leftover = check_leftover(view, facts)
    yield from leftover.findings
    workflows, indexes = RowChecks(view, facts, leftover.results), IndexChecks(view)
    total = view.count(WORKFLOW_TABLE)
    for done, (key, row) in enumerate(view.scan(WORKFLOW_TABLE)):
        if done % _TELL_ROWS == 0:
            tell(done, total)
        if len(key) != _KEY_BYTES:
            yield Finding(
                "row", WORKFLOW_TABLE, key, None, "its key is no workflow id, which has eight bytes"
            )
            continue
        number = int.from_bytes(key, "big")
        yield from workflows.check(number, row)
        yield from indexes.check(number, row)
    yield from indexes.rest()
    yield from check_activities(view, facts)
    yield from check_inputs(view, facts)
    yield from check_tables(view, facts)
    yield from check_history(view, facts)
    yield from check_unknown(view)


def _check_heads(view: ReadView) -> Iterator[Finding]:
    for key, row in view.scan(WORKFLOW_TABLE):
        try:
            rows.read_head(row)
        except NOT_DECODED as error:
            number = int.from_bytes(key, "big")
            yield Finding("row", WORKFLOW_TABLE, key, number, f"its row does not decode ({said(error)})")


def _few(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Give the first findings of each kind one by one, and at the end how many more there are."""
    counts: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        kind = finding.check, finding.table
        counts[kind] += 1
        last[kind] = finding
        if counts[kind] <= MOST:
            yield finding
    for kind, count in counts.items():
        if count > MOST:
            yield last[kind]._replace(key=None, workflow_id=None, what=f"{count - MOST} more such findings")


def _held(view: ReadView, types: Mapping[str, WorkflowType[Any, Any]]) -> Iterator[Finding]:
    try:
        found = survey(view, types)
    except WorldCorruptError:
        # Said of the row already.
        return
    except Exception as error:  # noqa: BLE001 - what is resumed on damaged values may raise anything.
        what = f"which workflows this code would hold cannot be told ({said(error)})"
        yield Finding("held", WORKFLOW_TABLE, None, None, what, severity=WARNING)
        return
    for place, group in found.items():
        if not place.verdict.goes_on:
            first = group.ids[0]
            many = f"{group.count} workflows" if group.count > 1 else f"workflow {first}"
            what = f"{many} of type {place.type} at {place.key!r} would be held: {place.reason}"
            remedy = (
                f"deathless check WORLD MODULE says more, deathless replay show WORLD {first} shows the first"
            )
            yield Finding("held", WORKFLOW_TABLE, None, first, what, remedy, WARNING)
