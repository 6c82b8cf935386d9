"""Modules loaded anew under a running world, all of them or none.

A module that is loaded again runs in the names that it had: code that is under way sees new helpers and new signal
classes from then on. So when one of the modules does not load, or their workflows do not go together, all of them
get back what they had, and the old code goes on as if nobody had touched it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from ..workflows.definition import ROUTINES, WorkflowType
from .registration import types_by_name


def reloaded_types(items: Iterable[WorkflowType[Any, Any] | ModuleType]) -> dict[str, WorkflowType[Any, Any]]:
    """Load the modules among the items from their files, in this order, and return all workflow types by name.

    A module gives the workflows that stand in it, imported ones too.

    Raises:
        DefinitionError: two workflows or two signals of one name.
        Exception: what a module raised; a `SyntaxError` for one that does not compile.
    """
    given = list(items)
    kept = [(module, dict(vars(module))) for module in given if isinstance(module, ModuleType)]
    routines = dict(ROUTINES)
    try:
        for module, _ in kept:
            importlib.reload(module)
        workflows: list[WorkflowType[Any, Any]] = []
        before = iter(kept)
        for item in given:
            workflows += _workflows_in(*next(before)) if isinstance(item, ModuleType) else [item]
        return types_by_name(workflows)
    except BaseException:
        for module, names in kept:
            _restore(vars(module), names)
        _restore(ROUTINES, routines)
        raise


def _workflows_in(module: ModuleType, before: dict[str, Any]) -> list[WorkflowType[Any, Any]]:
    """Return the workflows of a module, but for those that its file does not define any more: their names stay."""
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, WorkflowType)
        and (value.program.module != module.__name__ or value is not before.get(name))
    ]


def _restore(names: dict[str, Any], before: dict[str, Any]) -> None:
    """Put names back, at no time leaving out one that code under way may look up."""
    names.update(before)
    for name in names.keys() - before.keys():
        del names[name]
