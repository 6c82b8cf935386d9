"""`Operator`: one way to ask for an operation, whether a process runs the world or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from ...runtime import Runtime
from ...runtime.storage.world_files import has_data, os_errors
from ...runtime.storage.world_lock import owner_of
from ...workflows.errors import NotAWorldError, WorldInUse
from ...workflows.registry import Registered
from ..modules import load_registered
from ..output import BadInput
from ..stored_options import keeps_audit, stored_clock
from .client import RemoteOperator
from .endpoint import Endpoint
from .errors import ControlError
from .operations import OPERATIONS, Pending, accept

PATIENCE_S = 10.0
"""Seconds that a running world may take to make an operation durable."""


class Operator(Protocol):
    """Whoever asks.

    Attributes:
        running: whether a process runs the world, so that what is accepted happens at once.
    """

    running: bool

    def do(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Ask for an operation of `OPERATIONS` with its fields, and return its answer once that is durable.

        Raises:
            ControlError: it is wrong or was refused, and nothing has changed; or it is late, and still to come.
            WorldError: the world cannot be opened.
        """
        ...


class LocalOperator:
    """An `Operator` of a world that no process runs: it opens the world, for each operation anew, and closes it.

    What is asked is accepted and stored; the world's own process, when it is started, takes it in its first turn. Only
    an operation that a turn has to answer, such as a call, runs turns: with all that is due in them.
    """

    running = False

    def __init__(self, path: Path, registered: Iterable[Registered]) -> None:
        """Create it; the world is not opened yet.

        Args:
            path: the world's directory; a world is there.
            registered: the code of the world.
        """
        self._path = path
        self._registered = list(registered)

    def do(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Open the world, do an operation, and close it; see `Operator.do`."""
        clock, audit = stored_clock(self._path), keeps_audit(self._path)
        with Runtime(self._path, self._registered, clock=clock, audit=audit) as world:
            pending = _accepted(world, operation, fields)
            while pending.needs_turn and not pending.done.done():
                world.pump()
        return pending.result()


def _accepted(world: Runtime, operation: str, fields: dict[str, Any]) -> Pending:
    try:
        return accept(OPERATIONS, world, operation, fields)
    except ControlError as error:
        # Closing would be a turn. Nothing was accepted, and the world stays what it was.
        world._engine.abandon(f"nothing was asked of it: {error}")
        raise


def find_operator(
    world: str | Path,
    *,
    app: Sequence[str] = (),
    server: str | None = None,
    token: str | None = None,
    timeout: float = PATIENCE_S,
) -> Operator:
    """Return who can ask a world: over HTTP where a process runs it, else by opening it.

    Args:
        world: its directory.
        app: modules with its code, dotted or `.py` files; needed where no process runs it.
        server: the URL of a running world, wherever it is; then `world` is not looked at.
        token: its token; a world on this computer says it in its `control.json`.
        timeout: seconds that it may take to make an operation durable.

    Raises:
        BadInput: no process runs it and no code is given, or that cannot be imported; a server without a token.
        NotAWorldError: there is no world.
        WorldInUse: it is run by a process that takes no commands.
        WorldError: its files cannot be read.
    """
    if server is not None:
        if not token:
            raise BadInput(f"{server}: give its token too: --token, or the variable DEATHLESS_TOKEN")
        return RemoteOperator(server, token, timeout=timeout)
    path = Path(world)
    require_world(path)
    owner = owner_of(path)
    if owner is None:
        if not app:
            raise BadInput(
                f"{path}: no process runs this world, so its code is needed: give --app MODULE, or start it with "
                "`deathless run`"
            )
        return LocalOperator(path, load_registered(app))
    endpoint = Endpoint.of(path, owner)
    if endpoint is None:
        raise WorldInUse(
            str(path),
            f"owned by {owner}, which takes no commands: let its game take them (`with serve(world): ...`), run it "
            "with `deathless run`, or close it there first",
        )
    return RemoteOperator(endpoint.url, token or endpoint.token, timeout=timeout)


def require_world(path: Path) -> None:
    """Check that there is a world.

    Raises:
        NotAWorldError: there is none.
    """
    with os_errors(path):
        if not has_data(path):
            raise NotAWorldError(
                str(path), "there is no world here; give the path of one, or make it with publish"
            )
