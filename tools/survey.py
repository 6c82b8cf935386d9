"""A survey of a world: where its workflows stand, and what becomes of each with the code that is loaded.

It asks what the runtime asks when a workflow is resumed (`Snapshots.thaw`), row for row, migrate functions
included; none of a workflow's own code runs, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, cast

import msgpack

from ..runtime.row_buffer import WORKFLOW_TABLE
from ..runtime.storage.readable import Readable
from ..runtime.storage.store import SCAN_BATCH
from ..runtime.world_state import load_codes
from ..workflows import rows
from ..workflows.context import StepPort
from ..workflows.definition import WorkflowType
from ..workflows.errors import DeathlessError, WorldCorruptError
from ..workflows.instance import Instance
from ..workflows.limits import Limits
from ..workflows.messages import STATUSES, Status
from ..workflows.signal import Signal
from ..workflows.snapshots import Snapshots
from ..workflows.values import engine_codec
from ..workflows.versions import CodeBook, HeldError, Verdict

EXAMPLES = 5
START = "start"
"""Stands for the await of a workflow whose first step has not run."""


class Place(NamedTuple):
    """Where workflows stand, and what becomes of them there: a line of the survey.

    Attributes:
        type: their workflow type.
        key: of the await, and of the awaits of the routines below it, joined by " > ".
        verdict: what becomes of them.
        reason: why they are held; empty where they go on.
        missing: the variables that the await now needs and the snapshot lacks.
        line, new_line: source line of the innermost await in the stored and in the loaded code; 0 where there is none.
    """

    type: str
    key: str
    verdict: Verdict
    reason: str
    missing: tuple[str, ...]
    line: int
    new_line: int


@dataclass(slots=True)
class Group:
    """How many workflows stand at a place, and the ids of the first few."""

    count: int = 0
    ids: list[int] = field(default_factory=list)


def survey(
    world: Readable, types: Mapping[str, WorkflowType[Any, Any]], *, examples: int = EXAMPLES
) -> dict[Place, Group]:
    """Group the suspended workflows of a world by where they stand and what becomes of them.

    A world that runs meanwhile is read in batches, each as of one commit.

    Args:
        world: what to read.
        types: the loaded code.
        examples: how many ids each group names.

    Raises:
        WorldCorruptError: a row or a description of code is damaged.
    """
    groups: dict[Place, Group] = {}
    scan = world.scan(WORKFLOW_TABLE)
    while batch := list(islice(scan, SCAN_BATCH)):
        # After the rows, so that the code of each is described: descriptions are never taken away.
        codes = CodeBook(types, load_codes(world))
        for workflow_id, place in _places(world, batch, types, codes):
            group = groups.setdefault(place, Group())
            group.count += 1
            if len(group.ids) < examples:
                group.ids.append(workflow_id)
    return dict(sorted(groups.items(), key=lambda item: (item[0].verdict.goes_on, item[0])))


def _places(
    world: Readable,
    batch: Iterable[tuple[bytes, bytes]],
    types: Mapping[str, WorkflowType[Any, Any]],
    codes: CodeBook,
) -> Iterator[tuple[int, Place]]:
    judge = _Judge(types, codes)
    for key, row in batch:
        workflow_id = int.from_bytes(key, "big")
        try:
            head = rows.read_head(row)
            if STATUSES[head.status] is Status.SUSPENDED:
                yield workflow_id, judge.place(workflow_id, head.type_name, row)
        except rows.RowError as error:
            problem = f"the row of workflow {workflow_id} is damaged: {error}"
            raise WorldCorruptError(str(world.path), problem) from error


class _Judge:
    """Says of one workflow after the other where it stands and what becomes of it."""

    def __init__(self, types: Mapping[str, WorkflowType[Any, Any]], codes: CodeBook) -> None:
        self._types = types
        self._codes = codes
        self._codec = engine_codec()
        self._snapshots = Snapshots(self._codec, codes, Limits())
        self._signals: dict[str, type[Signal]] = {
            signal.__name__: signal for kind in types.values() for signal in kind.accepts
        }

    def place(self, workflow_id: int, type_name: str, row: bytes) -> Place:
        fields = rows.split(row)
        arguments = rows.arguments(fields)
        stack = [] if arguments is not None else stack_of(fields[rows.STACK])
        try:
            stored = [self._codes.descriptor(number)["sites"][site - 1] for number, site in stack]
        except (KeyError, IndexError):
            raise rows.RowError("it stands in code that the world does not describe") from None
        key, line = " > ".join(site[0] for site in stored) or START, stored[-1][2] if stored else 0
        try:
            if arguments is not None:
                self._begin(type_name, arguments)
                return Place(type_name, key, Verdict.KEPT, "", (), line, 0)
            self._resume(workflow_id, row)
        except HeldError as error:
            return Place(type_name, key, error.verdict, str(error), error.missing, line, 0)
        except DeathlessError as error:
            return Place(type_name, key, Verdict.HELD, str(error), (), line, 0)
        fits = [self._codes.fit(number, site) for number, site in stack]
        verdict = max((fit.verdict for fit in fits), key=_CHANGES.index)
        return Place(type_name, key, verdict, "", (), line, fits[-1].site.line)

    def _begin(self, type_name: str, arguments: bytes) -> None:
        """Do what the first step of a workflow does before any of its code runs."""
        kind = self._types.get(type_name)
        if kind is None:
            raise HeldError(f"workflow type {type_name!r} is not registered", Verdict.UNKNOWN_TYPE)
        args, kwargs = self._codec.unpack(arguments)
        kind(*args, **kwargs)

    def _resume(self, workflow_id: int, row: bytes) -> None:
        """Resume a workflow, and drop it before anything is sent to it."""
        port = cast("StepPort", None)  # No step runs, so that nothing asks for it.
        instance = Instance.from_row(port, workflow_id, row)
        instance.coroutine = self._snapshots.thaw(instance, row, self._signals)
        instance.chill()


_CHANGES = (Verdict.KEPT, Verdict.MOVED, Verdict.MIGRATED)


def stack_of(packed: bytes) -> list[tuple[int, int]]:
    """Read the code and the site of each frame, and none of the values: their classes may be missing.

    Raises:
        RowError: it is no stack.
    """
    unpacker = msgpack.Unpacker()
    unpacker.feed(packed)
    stack = []
    try:
        for _ in range(unpacker.read_array_header()):
            size = unpacker.read_array_header()
            stack.append((unpacker.unpack(), unpacker.unpack()))
            for _ in range(size - 2):
                unpacker.skip()
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise rows.RowError(f"not a row: its stack: {error}") from None
    return stack
