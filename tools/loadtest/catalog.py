"""The workflow types and signals that a scenario names."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from typing import Any, TypeAlias

from ...runtime.registration import registry_of
from ...workflows import library
from ...workflows.activity import Activity
from ...workflows.definition import WorkflowType
from ...workflows.reducer import Reducer
from ...workflows.registry import Registered
from ...workflows.signal import Signal
from ...workflows.tables import Table
from ..modules import _load
from .instruments import INSTRUMENTS

AnyWorkflow: TypeAlias = WorkflowType[Any, Any]

LIBRARY: dict[str, AnyWorkflow] = {
    value.name: value for value in vars(library).values() if isinstance(value, WorkflowType)
}
_CHILDREN = {"parent_child": ("combat",), "npc_patrol": ("combat",)}
"""What workflows of the library spawn, and what therefore has to be registered with them."""


def find_type(name: str) -> AnyWorkflow:
    """Return a workflow type of the library, or of the module in `module:function`.

    Raises:
        ValueError: there is none of that name.
        BadInput: a module that cannot be imported.
    """
    module_name, colon, function = name.rpartition(":")
    if not colon:
        if name not in LIBRARY:
            close = difflib.get_close_matches(name, LIBRARY, n=1)
            hint = f"is {close[0]!r} meant?" if close else f"there are {', '.join(sorted(LIBRARY))}"
            raise ValueError(
                f"names no workflow of the library: {name!r}; {hint} Your own are module:function"
            )
        return LIBRARY[name]
    found = vars(_load(module_name)).get(function)
    if not isinstance(found, WorkflowType):
        raise ValueError(  # noqa: TRY004 - a bad name in a file.
            f"names no workflow: {module_name} has no @workflow called {function!r}"
        )
    return found


def registered_for(names: Iterable[str]) -> list[Registered]:
    """Return all that a world needs to run these types: also what else stands in the modules of the user's own.

    Raises:
        ValueError, BadInput: see `find_type`.
        DefinitionError: two workflows or two signals of one name.
    """
    found: dict[int, Registered] = {id(kind): kind for kind in INSTRUMENTS}
    for name in names:
        kind = find_type(name)
        found[id(kind)] = kind
        for child in _CHILDREN.get(name, ()):
            found[id(LIBRARY[child])] = LIBRARY[child]
        if ":" in name:
            module = sys.modules[_load(name.rpartition(":")[0]).__name__]
            for value in vars(module).values():
                if isinstance(value, WorkflowType | Reducer | Activity | Table):
                    found[id(value)] = value
    items = list(found.values())
    registry_of(items)
    return items


def find_signal(kind: AnyWorkflow, name: str) -> type[Signal]:
    """Return a signal class that a workflow type accepts.

    Raises:
        ValueError: it accepts none of that name.
    """
    accepted = {signal.__name__: signal for signal in kind.accepts}
    if name not in accepted:
        known = ", ".join(sorted(accepted)) or "none at all"
        raise ValueError(f"is no signal that {kind.name} takes: {name!r}; it takes {known}")
    return accepted[name]


def find_published(kinds: Iterable[AnyWorkflow], name: str) -> type[Signal]:
    """Return a signal class that one of the types accepts.

    Raises:
        ValueError: none does.
    """
    accepted = {signal.__name__: signal for kind in kinds for signal in kind.accepts}
    if name not in accepted:
        known = ", ".join(sorted(accepted)) or "none at all"
        raise ValueError(f"is no signal that a workflow of this scenario takes: {name!r}; they take {known}")
    return accepted[name]
