"""`publish`: code meets a world: it is made, emptied, checked against the code, or told to load it anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from ..runtime import Runtime
from ..runtime.registration import registry_of
from ..runtime.storage.world_files import DATA_FILE, READERS_FILE, has_data, os_errors
from ..runtime.storage.world_lock import WorldLock, owner_of
from ..runtime.storage.world_reader import WorldReader
from .control.operator import PATIENCE_S, Operator, find_operator
from .fit import require_fit
from .headless import clock_for
from .modules import registered_in


class Published(NamedTuple):
    """What became of it.

    Attributes:
        made: the world is new.
        reloaded: a process runs it, and has loaded its modules anew.
        workflows: how many workflows are suspended in it, all of which go on; None where that was not looked at here.
    """

    made: bool
    reloaded: bool
    workflows: int | None


def publish(
    path: Path,
    modules: Iterable[ModuleType],
    *,
    clock: str | None = None,
    force: bool = False,
    operator: Operator | None = None,
    timeout: float = PATIENCE_S,
) -> Published:
    """Give a world its code.

    Where there is no world, it is made. Where there is one, the code must fit every await at which its workflows stand;
    the process that runs it, if one does, then loads its own modules from their files, between two turns.

    Args:
        path: the world's directory; not looked at with an `operator`.
        modules: the code.
        clock: "game" or "wall", for a new world.
        force: go on where workflows would be held: nothing of those is lost.
        operator: asks a running world elsewhere, which then checks the fit itself.
        timeout: seconds that the process which runs it may take to load its modules.

    Raises:
        UnfitCodeError: workflows would be held; nothing has changed.
        ControlError: the running world has refused, or the modules did not load; then the old code goes on.
        BadInput: the clock is not the world's.
        WorldError: the world cannot be opened.
    """
    if operator is not None:
        operator.do("reload", force=force)
        return Published(made=False, reloaded=True, workflows=None)
    registered = registered_in(modules)
    with os_errors(path):
        is_new = not has_data(path)
    chosen = clock_for(path, clock)
    workflows = None
    if not is_new and not force:
        with WorldReader(path) as reader:
            workflows = require_fit(reader, registry_of(registered).workflows)
    if not is_new and owner_of(path) is not None:
        # It was checked here, so that the game need not stand still for it.
        find_operator(path, timeout=timeout).do("reload", force=True)
        return Published(made=False, reloaded=True, workflows=workflows)
    with Runtime(path, registered, clock=chosen):
        return Published(made=is_new, reloaded=False, workflows=workflows)


def clear(path: Path) -> None:
    """Delete all that is in a world: workflows, tables, history; its logs stay.

    Raises:
        WorldInUse: a process runs it.
        WorldError: its files cannot be deleted.
    """
    lock = WorldLock(path)
    try:
        with os_errors(path):
            # LMDB's own lock file first: without its data it would look like a world whose data is gone.
            for name in (READERS_FILE, DATA_FILE):
                (path / name).unlink(missing_ok=True)
    finally:
        lock.release()
