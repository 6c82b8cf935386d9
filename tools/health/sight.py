"""What is seen of a world, from within or from outside, before it is judged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...runtime import Census, Runtime
from ...runtime.census import LATE_S, NAMED, REST_S, UNTOUCHED_S, take_census
from ...runtime.storage.world_lock import owner_of
from ...runtime.storage.world_reader import WorldReader
from ...workflows.definition import WorkflowType
from ..metrics.picture import age_of
from ..survey import survey
from .thresholds import Thresholds

PATIENCE_S = 10.0
"""Seconds that the process which runs a world may take to say how large it may get; it may be one that hangs."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A world at one moment.

    Attributes:
        path: its directory.
        census: its workflows.
        held: workflows that the code cannot go on with, as far as is known.
        held_ids: the first few of them, where each was tried with the code; the census names those that it knows.
        owner: who runs it; empty where nobody does.
        silent_s: real seconds since its last turn, or since it was opened; from outside, since its last commit.
        taken_bytes: of its file; pages that wait to be used again are not among them.
        room_bytes: by which that may still grow, under its limit and on its disk.
        map_limit: bytes up to which its file may grow; None where nobody who knows it tells.
        reader_lag: how many commits ago its oldest open reader began.
    """

    path: str
    census: Census
    held: int
    held_ids: tuple[int, ...]
    owner: str
    silent_s: float
    taken_bytes: int
    room_bytes: int
    map_limit: int | None
    reader_lag: int


def sight_of(world: Runtime, thresholds: Thresholds) -> Sight:
    """Look at an open world, from any thread; it waits for no turn, and its census may be a little old."""
    metrics, store = world.metrics(), world._engine.store
    late_s, untouched_s = thresholds.late_s, thresholds.shown_untouched_s
    if (late_s, untouched_s) == (LATE_S, UNTOUCHED_S):
        census = world.census()
    else:
        census = take_census(store, late_s=late_s, untouched_s=untouched_s, rest_s=REST_S)
    unused = metrics.map_free + min(metrics.map_limit - metrics.map_bytes, shutil.disk_usage(store.path).free)
    return Sight(
        str(store.path),
        census,
        max(census.held, metrics.held),
        (),
        "this process",
        metrics.since_turn_s,
        metrics.map_bytes - metrics.map_free,
        unused,
        metrics.map_limit,
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
        held, held_ids = (0, ()) if types is None else _held(reader, types)
        space, owner = reader.space(), owner_of(place)
        free, limit = shutil.disk_usage(place).free, _told_limit(place)
        growth = free if limit is None else min(free, max(0, limit - space.used_bytes))
        return Sight(
            str(place),
            census,
            max(census.held, held),
            held_ids,
            "" if owner is None else str(owner),
            age_of(place),
            space.used_bytes - space.free_bytes,
            space.free_bytes + growth,
            limit,
            _lag(*reader.readers()),
        )


def _told_limit(place: Path) -> int | None:
    """Ask the process that runs a world how large it may get: nobody else knows."""
    # Not above: the endpoint's package tells health itself.
    from ..metrics.endpoint import told_by_endpoint  # noqa: PLC0415

    told = told_by_endpoint(place, "/health", patience_s=PATIENCE_S)
    try:
        limit = None if told is None else json.loads(told).get("map_limit")
    except (ValueError, AttributeError):
        return None
    return limit if isinstance(limit, int) else None


def _lag(readers: list[tuple[int, str, int]], last: int) -> int:
    """Return how many commits ago the oldest open reader began: what it could see waits for it."""
    return max((last - number for _, _, number in readers), default=0)


def _held(reader: WorldReader, types: Mapping[str, WorkflowType[Any, Any]]) -> tuple[int, tuple[int, ...]]:
    """Try each workflow with the code; return how many it cannot go on with, and the ids of the first few."""
    found = survey(reader, types, examples=NAMED)
    groups = [group for place, group in found.items() if not place.verdict.goes_on]
    first = sorted(number for group in groups for number in group.ids)[:NAMED]
    return sum(group.count for group in groups), tuple(first)
