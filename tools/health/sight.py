"""What is seen of a world, from within or from outside, before it is judged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...runtime import Census, Runtime
from ...runtime.census import LATE_S, REST_S, UNTOUCHED_S, take_census
from ...runtime.storage.world_lock import owner_of
from ...runtime.storage.world_reader import WorldReader
from ...workflows.definition import WorkflowType
from ..metrics.picture import age_of
from ..survey import survey
from .thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Sight:
    """A world at one moment.

    Attributes:
        path: its directory.
        census: its workflows.
        held: workflows that the code cannot go on with, as far as is known.
        owner: who runs it; empty where nobody does.
        silent_s: real seconds since its last turn, or since it was opened; from outside, since its last commit.
        used_bytes: of its file.
        room_bytes: by which it may still grow, under its limit and on its disk.
        reader_lag: how many commits ago its oldest open reader began.
    """

    path: str
    census: Census
    held: int
    owner: str
    silent_s: float
    used_bytes: int
    room_bytes: int
    reader_lag: int


def sight_of(world: Runtime, thresholds: Thresholds) -> Sight:
    """Look at an open world, from any thread; it waits for no turn, and its census may be a little old."""
    metrics, store = world.metrics(), world._engine.store
    late_s, untouched_s = thresholds.late_s, thresholds.shown_untouched_s
    if (late_s, untouched_s) == (LATE_S, UNTOUCHED_S):
        census = world.census()
    else:
        census = take_census(store, late_s=late_s, untouched_s=untouched_s, rest_s=REST_S)
    return Sight(
        str(store.path),
        census,
        max(census.held, metrics.held),
        "this process",
        metrics.since_turn_s,
        metrics.map_bytes,
        min(metrics.map_limit - metrics.map_bytes, shutil.disk_usage(store.path).free),
        _lag(*store.readers()),
    )


def sight_from_outside(
    path: str | os.PathLike[str],
    thresholds: Thresholds,
    types: Mapping[str, WorkflowType[Any, Any]] | None = None,
) -> Sight:
    """Look at a world that another process runs, or nobody.

    Args:
        path: its directory.
        thresholds: from when on a timer is overdue, and a workflow untouched.
        types: the code that it runs: each row is then tried with it, which takes longer. Without it, those workflows
            are held to which a message has come since they could not go on.

    Raises:
        WorldError: it cannot be read.
    """
    place = Path(path)
    with WorldReader(place) as reader:
        census = take_census(reader, late_s=thresholds.late_s, untouched_s=thresholds.shown_untouched_s)
        held = census.held if types is None else max(census.held, _held(reader, types))
        space, owner = reader.space(), owner_of(place)
        return Sight(
            str(place),
            census,
            held,
            "" if owner is None else str(owner),
            age_of(place),
            space.pages * space.page_size,
            shutil.disk_usage(place).free,
            _lag(*reader.readers()),
        )


def _lag(readers: list[tuple[int, str, int]], last: int) -> int:
    """Return how many commits ago the oldest open reader began: what it could see waits for it."""
    return max((last - number for _, _, number in readers), default=0)


def _held(reader: WorldReader, types: Mapping[str, WorkflowType[Any, Any]]) -> int:
    found = survey(reader, types)
    return sum(group.count for place, group in found.items() if not place.verdict.goes_on)
