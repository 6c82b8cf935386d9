"""What the actors of a world have in common: its system, and no place in pykka's registry."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from .scheduled_actor import ScheduledActor

if TYPE_CHECKING:
    from .system import ActorSystem


class WorldActor(ScheduledActor):
    """An actor of one world, found through that world."""

    __slots__ = ("system",)

    registered: ClassVar[bool] = False

    def __init__(self, system: ActorSystem) -> None:
        super().__init__(system.scheduler)
        self.system = system

    def on_failure(
        self,
        exception_type: type[BaseException] | None,  # noqa: ARG002 - pykka's signature.
        exception_value: BaseException | None,
        traceback: TracebackType | None,  # noqa: ARG002 - pykka's signature.
    ) -> None:
        """Hand a fault of the engine itself to the turn; what a user's code raises never gets here."""
        self.system.fault = exception_value
