"""Small worlds: a world that holds one workflow of a replay file, with its steps as history.

A replay test runs in such a world, and who was sent a file looks into one: so all that knows worlds knows replay files.
Its clock is a game clock, whatever the other world's was: time stands where the last step was made, until somebody
moves it. What its workflow waits for from others, be it children or activities, is not there and does not come.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import msgpack

from ...actors.address_index import ENTITY_INDEX, GROUP_INDEX, AddressIndex
from ...actors.listings import Listings
from ...runtime import GameClock
from ...runtime.history.steps import pack_steps
from ...runtime.history.tables import LIMITS_KEY, SCOPES_KEY, STEP_TABLE, TURN_TABLE
from ...runtime.history.turn_log import pack_turn
from ...runtime.inputs import TurnRecord
from ...runtime.row_buffer import WORKFLOW_TABLE, row_key
from ...runtime.storage.pieces import cut
from ...runtime.storage.store import Store
from ...runtime.storage.world_files import build_new
from ...runtime.world_state import CODE, IDS_KEY, META, STATE_KEY, WorldState
from ...workflows import rows
from ...workflows.messages import STATUSES, Status
from .replay_file import Replay
from .saved_world import Step

Changes = dict[str, dict[bytes, bytes | None]]


def make_small_world(replay: Replay, target: str | os.PathLike[str], *, step: int | None = None) -> Step:
    """Make a world. When it returns, the world is on disk; where it raises, there is nothing.

    Args:
        replay: the workflow, its steps and its code.
        target: a new directory.
        step: the number of the step after which the workflow is to stand; the last by default.

    Returns:
        That step. If it is the one that deleted the workflow, the world has only its history.

    Raises:
        WorldError: the target is not empty, or cannot be written.
    """
    steps = replay.steps[:step]
    place = Path(target)

    def build(unfinished: Path) -> None:
        with Store.open(unfinished, durability="process") as store:
            store.commit(_rows(replay, steps))

    build_new(place, build)
    return steps[-1]


def _rows(replay: Replay, steps: tuple[Step, ...]) -> Changes:
    """Return all rows of the world."""
    last = steps[-1]
    state = WorldState(last.record.turn, last.record.now_us, 0, GameClock.kind, replay.seed)
    meta: dict[bytes, bytes | None] = {
        STATE_KEY: state.pack(),
        IDS_KEY: replay.next_id.to_bytes(8, "big"),
        SCOPES_KEY: msgpack.packb([[steps[0].record.turn - 1, [replay.type], []]]),
    }
    if replay.limits is not None:
        meta[LIMITS_KEY] = msgpack.packb(asdict(replay.limits))
    tables: Changes = {
        META: meta,
        CODE: {number.to_bytes(4, "big"): msgpack.packb(code) for number, code in replay.codes.items()},
    }
    _record(steps, tables)
    if last.after is not None:
        tables[WORKFLOW_TABLE] = {row_key(replay.workflow_id): last.after}
        _index(replay.workflow_id, last.after, tables)
    return tables


def _record(steps: Iterable[Step], tables: Changes) -> None:
    """Enter steps into the history, and their turns: without inputs, for what others were given is not known."""
    tables[STEP_TABLE], tables[TURN_TABLE] = {}, {}
    for (turn, now_us), some in groupby(steps, lambda step: (step.record.turn, step.record.now_us)):
        records = [step.record for step in some]
        stored = [(record.workflow_id, record.message, record.answers, record.before) for record in records]
        packed, _ = pack_steps(now_us, stored, [])
        tables[STEP_TABLE].update(cut(turn, packed))
        logged = TurnRecord(turn, now_us, inputs=(), id_blocks=(), handled=len(records), closing=False)
        tables[TURN_TABLE].update(cut(turn, pack_turn(logged, b"")))


class _IndexRows:
    """Where the indexes write: all of it is new."""

    def __init__(self, tables: Changes) -> None:
        self._tables = tables

    def write(self, table: str, key: bytes, value: bytes | None) -> None:
        self._tables.setdefault(table, {})[key] = value

    def scan(self, table: str, start: bytes, stop: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        raise NotImplementedError(f"a new world's {table} is not looked into ({start!r}, {stop!r})")

    def stored(self, table: str, prefix: bytes) -> Iterable[tuple[bytes, bytes]]:
        raise NotImplementedError(f"a new world's {table} is not looked into ({prefix!r})")


def _index(workflow_id: int, row: bytes, tables: Changes) -> None:
    """Enter a workflow where a world would have entered it."""
    head, written = rows.read_head(row), _IndexRows(tables)
    status = STATUSES[head.status]
    listings = Listings(written)
    listings.begin(workflow_id, head.type_name)
    listings.change(workflow_id, Status.SUSPENDED, status, head.updated_us)
    entities: AddressIndex[int] = AddressIndex(ENTITY_INDEX, written, lambda _: status.active)
    groups: AddressIndex[str] = AddressIndex(GROUP_INDEX, written, lambda _: status.active)
    if head.entity_id is not None:
        entities.enter(head.entity_id, workflow_id, again=False)
        if not status.active:
            entities.leave(head.entity_id, workflow_id)
    if head.correlation_id is not None:
        groups.enter(head.correlation_id, workflow_id, again=False)
        if not status.active:
            groups.leave(head.correlation_id, workflow_id)
