"""Registration: what a world is given to run, over what is built in."""

from __future__ import annotations

from collections.abc import Iterable

from ..workflows.builtin import BUILTIN
from ..workflows.registry import Registered, Registry


def registry_of(items: Iterable[Registered]) -> Registry:
    """Return all that a world may run.

    Raises:
        DefinitionError: two of a kind with one name, two signal classes with one name, or something else.
    """
    return Registry.of(items, builtin=BUILTIN)
