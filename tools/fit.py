"""Whether code fits a stored world: what `deathless check` finds, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..runtime.storage.readable import Readable
from ..workflows.definition import WorkflowType
from ..workflows.errors import DeathlessError
from .survey import Place, survey


class UnfitCodeError(DeathlessError, ValueError):
    """Code that would hold workflows of a world: it lacks the await at which they stand, or their type.

    Attributes:
        held: how many.
        total: how many are suspended at all.
        places: where they stand, and why they would be held.
    """

    def __init__(self, held: int, total: int, places: tuple[Place, ...]) -> None:
        first = places[0]
        why = first.reason or str(first.verdict)
        super().__init__(
            f"{held} of {total} workflows would be held, the first at {first.key} of {first.type!r} ({why}); "
            "`deathless check` lists them all, and --force goes on nevertheless"
        )
        self.held = held
        self.total = total
        self.places = places


def require_fit(world: Readable, types: Mapping[str, WorkflowType[Any, Any]]) -> int:
    """Check that every suspended workflow of a world goes on with this code; return how many there are.

    It takes time proportional to their number.

    Raises:
        UnfitCodeError: some would be held.
        WorldCorruptError: a row or a description of code is damaged.
    """
    groups = survey(world, types)
    total = sum(group.count for group in groups.values())
    held = {place: group.count for place, group in groups.items() if not place.verdict.goes_on}
    if held:
        raise UnfitCodeError(sum(held.values()), total, tuple(held))
    return total
