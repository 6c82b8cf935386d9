"""Registration: the workflow types that a world is given, by name, no two of them alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..workflows.definition import WorkflowType
from ..workflows.errors import DefinitionError
from ..workflows.signal import Signal


def types_by_name(workflows: Iterable[WorkflowType[Any, Any]]) -> dict[str, WorkflowType[Any, Any]]:
    """Return the types by name.

    Raises:
        DefinitionError: two of one name, two signal classes of one name, or something that is no workflow.
    """
    types: dict[str, WorkflowType[Any, Any]] = {}
    signals: dict[str, type[Signal]] = {}
    for kind in workflows:
        if not isinstance(kind, WorkflowType):
            raise DefinitionError(f"Runtime takes functions decorated with @workflow, not {kind!r}")
        if types.setdefault(kind.name, kind) is not kind:
            raise DefinitionError(
                f"two workflows are named {kind.name!r}; give one of them @workflow(name=...)"
            )
        for signal in kind.accepts:
            if signals.setdefault(signal.__name__, signal) is not signal:
                raise DefinitionError(
                    f"two signal classes are named {signal.__name__!r} "
                    f"({signal.__module__} and {signals[signal.__name__].__module__}); rename one"
                )
    return types
