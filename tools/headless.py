"""`run_world`: a world that runs by itself, without a game around it; what `deathless run` is."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..runtime import Runtime
from ..runtime.clock import Clock
from ..runtime.storage.world_files import has_data, os_errors
from .control import serve
from .control.server import ANY_PORT, listen, require_servable
from .modules import registered_in
from .output import BadInput
from .stored_options import CLOCKS, stored_clock


def run_world(
    path: Path,
    modules: Iterable[ModuleType],
    *,
    stopped: Callable[[], bool],
    clock: str | None = None,
    address: str | socket.socket = ANY_PORT,
    token: str | None = None,
    hz: float = 60.0,
    seconds: float | None = None,
    until_idle: bool = False,
    **options: Any,
) -> int:
    """Open a world, or make one, and run it in real time while it takes commands; then close it.

    Whoever still waits for an answer at the end gets it, where closing gives one: what was accepted is committed.

    Args:
        path: the world's directory.
        modules: its code, and what `deathless publish` loads anew.
        stopped: asked between turns; true ends it.
        clock: "game" or "wall" for a new world; a stored one keeps its own.
        address: as of `serve`; it is listened at before the world is opened.
        token: as of `serve`.
        hz: turns a second.
        seconds: of real time after which it ends; None for no end.
        until_idle: end as soon as no message waits, whatever timers there are.
        **options: of `Runtime`.

    Returns:
        The last turn.

    Raises:
        BadInput: the clock is not the world's.
        EndpointError: it cannot listen at the address, or the token is none; the world is not touched.
        DeathlessError: as `Runtime` raises.
    """
    given = tuple(modules)
    chosen = clock_for(path, clock)
    end_s = None if seconds is None else time.monotonic() + seconds

    def ended() -> bool:
        return stopped() or (end_s is not None and time.monotonic() >= end_s)

    require_servable(token)
    with (
        listen(address) if isinstance(address, str) else address as listener,
        Runtime(path, registered_in(given), clock=chosen, **options) as world,
    ):
        with serve(world, listener, token=token, modules=given):
            if until_idle:
                world.run_until_idle()
            else:
                world.run(until=ended, hz=hz)
            world.close()
        return world.turn


def clock_for(path: Path, wanted: str | None) -> Clock:
    """Return a clock of the kind that a world goes by, or for a new one, of the kind that is wanted.

    Raises:
        BadInput: the world goes by another kind.
    """
    with os_errors(path):
        is_new = not has_data(path)
    if is_new:
        return CLOCKS[wanted or "wall"]()
    clock = stored_clock(path)
    if wanted not in (None, clock.kind):
        raise BadInput(
            f"{path}: made with a {clock.kind} clock, not with a {wanted} clock; leave --clock out"
        )
    return clock
