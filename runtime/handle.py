"""`Handle`: what `start` gives: a workflow by its id, with its result to come."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from ..workflows.errors import NotFinishedError
from ..workflows.messages import Status

if TYPE_CHECKING:
    from .looking import Looking

R = TypeVar("R")


class Handle(Generic[R]):
    """A started workflow.

    Attributes:
        id: its workflow id, known at once and never given to another.
        turn: the turn that takes the start.
    """

    __slots__ = ("_runtime", "id", "turn")

    def __init__(self, runtime: Looking, workflow_id: int, turn: int) -> None:
        self._runtime = runtime
        self.id = workflow_id
        self.turn = turn

    @property
    def status(self) -> Status:
        """Where it stood at the end of the last turn; `SUSPENDED` before its first."""
        view = self._runtime.find(self.id)
        return Status.SUSPENDED if view is None else view.status

    def result(self) -> R:
        """Return what the workflow returned.

        Raises:
            NotFinishedError: it has not completed; the message says how it stands.
            UnknownTypeError: it returned an object of a class that is not loaded any more.
        """
        view = self._runtime.find(self.id)
        if view is None or view.status is not Status.COMPLETED:
            status = "not started" if view is None else view.status
            raise NotFinishedError(self.id, status, (view and view.error_message) or "")
        if view.unreadable is not None:
            raise view.unreadable
        return cast("R", view.result)

    @property
    def committed(self) -> Future[int]:
        """A future that is done, with the turn's number, once the start is durable."""
        return self._runtime.committed(self.turn)

    def __repr__(self) -> str:
        return f"Handle({self.id})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and other._runtime is self._runtime and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)
