"""How a stored world wants to be opened: on which clock, and with an audit log or without."""

from __future__ import annotations

from pathlib import Path

from ..runtime import GameClock, WallClock
from ..runtime.audit.tables import EVENT_TABLE
from ..runtime.clock import Clock
from ..runtime.storage.world_reader import WorldReader
from ..runtime.world_state import load_state
from .output import BadInput

CLOCKS: dict[str, type[GameClock | WallClock]] = {"game": GameClock, "wall": WallClock}


def stored_clock(path: Path) -> Clock:
    """Return a clock of the kind that a world was made with.

    Raises:
        BadInput: the kind is one of the game's own.
        WorldError: the world cannot be read.
    """
    with WorldReader(path) as reader:
        state = load_state(reader)
    kind = "wall" if state is None else state.clock
    if kind not in CLOCKS:
        raise BadInput(f"{path}: made with a {kind} clock, which only its own game has; start that")
    return CLOCKS[kind]()


def keeps_audit(path: Path) -> bool:
    """Say whether a world has an audit log, which whoever opens it should go on with.

    Raises:
        WorldError: the world cannot be read.
    """
    with WorldReader(path) as reader:
        return next(reader.scan(EVENT_TABLE), None) is not None
