"""Modules loaded anew under a running world, all of them or none.

A module that is loaded again runs in the names that it had: code that is under way sees new helpers and new signal
classes from then on. So when one of the modules does not load, or their workflows do not go together, all of them
get back what they had, and the old code goes on as if nobody had touched it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from ..workflows.activity import Activity
from ..workflows.definition import ROUTINES, WorkflowType
from ..workflows.reducer import Reducer
from ..workflows.registry import Registered, Registry, home_of
from ..workflows.tables import Table
from .registration import registry_of


def reloaded_registry(
    items: Iterable[Registered | ModuleType], check: Callable[[Registry], None] | None = None
) -> Registry:
    """Load the modules among the items from their files, in this order, and return all that they hold.

    A module gives the workflows that stand in it, imported ones too.

    Args:
        items: modules, and what is registered by itself.
        check: looks at it all before anybody goes on with it; what it raises takes the loading back.

    Raises:
        DefinitionError: two workflows or two signals of one name.
        Exception: what a module raised, a `SyntaxError` for one that does not compile; or what `check` raised.
    """
    given = list(items)
    kept = [(module, dict(vars(module))) for module in given if isinstance(module, ModuleType)]
    routines = dict(ROUTINES)
    try:
        for module, _ in kept:
            importlib.reload(module)
        workflows: list[Registered] = []
        before = iter(kept)
        for item in given:
            workflows += _registered_in(*next(before)) if isinstance(item, ModuleType) else [item]
        registry = registry_of(workflows)
        if check is not None:
            check(registry)
    except BaseException:
        for module, names in kept:
            _restore(vars(module), names)
        _restore(ROUTINES, routines)
        raise
    return registry


def _registered_in(module: ModuleType, before: dict[str, Any]) -> list[Registered]:
    """Return what stands in a module, but for what its file does not define any more: those names stay."""
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, WorkflowType | Reducer | Activity | Table)
        and (home_of(value) != module.__name__ or value is not before.get(name))
    ]


def _restore(names: dict[str, Any], before: dict[str, Any]) -> None:
    """Put names back, at no time leaving out one that code under way may look up."""
    names.update(before)
    for name in names.keys() - before.keys():
        del names[name]
