"""What a process keeps in memory beside its worlds, and a crash forgets: the global variables of a game's modules.

A test that crashes a world goes on in the same process, where those variables would live on, and a workflow that
keeps something in one would pass. So a simulated crash puts them back to what they were before.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from enum import Enum
from types import CellType, ModuleType
from typing import Any, TypeAlias

from ..workflows.definition import WorkflowType
from ..workflows.registry import Registered

_OWN_PACKAGE = __name__.partition(".")[0]
_SCALARS = (type(None), bool, int, float, complex, str, bytes)
_SEQUENCES = (list, deque, set, tuple, frozenset)
_TABLES = (dict, defaultdict, Counter, OrderedDict)
_DEEPEST = 20
"""Containers in containers; a variable with more of them is left alone."""

Content: TypeAlias = "list[Any] | dict[Any, Any]"


class ProcessMemory:
    """The plain data that workflows reach without their context, as it was when this was made.

    That is: global variables of the modules in which the workflows are defined and of the other modules of the same
    packages, and variables of the functions around them; of these, whatever is made of numbers, texts and containers,
    or is an object of a class of those modules with such attributes. Functions, classes, open files and objects of
    other libraries stay as they are.
    """

    def __init__(self, workflows: Iterable[Registered]) -> None:
        """Remember everything.

        Args:
            workflows: where to look; reducers and activities too.
        """
        functions = [function for item in workflows for function in _functions(item)]
        self._own = _modules(function.__module__ for function in functions)
        # A module that was imported by its path may be absent from sys.modules; its functions know its variables.
        spaces = [function.__globals__ for function in functions if function.__module__ in self._own]
        modules = [sys.modules.get(name) for name in sorted(self._own)]
        spaces += [vars(module) for module in modules if isinstance(module, ModuleType)]
        cells = [cell for function in functions for cell in function.__closure__ or ()]
        # Each object that can change, with what is directly in it: those within are objects of this list themselves.
        self._contents: dict[int, tuple[Any, Content]] = {}
        self._globals = [
            (space, {name: value for name, value in _variables(space) if self._keep(value)}, frozenset(space))
            for space in _once(spaces)
        ]
        self._cells = [(cell, value) for cell in _once(cells) for value in _inside(cell) if self._keep(value)]

    def restore(self) -> None:
        """Put everything back, in place where there is a place, so that other names of an object see it too."""
        for space, values, names in self._globals:
            for name, value in list(_variables(space)):
                if name not in names and self._walk(value, _DEEPEST, {}):
                    del space[name]
            space.update(values)
        for cell, value in self._cells:
            cell.cell_contents = value
        for value, content in self._contents.values():
            _refill(value, content)

    def _keep(self, value: Any) -> bool:
        """Keep the contents of a value if it is plain data; say whether it is."""
        found: dict[int, tuple[Any, Content]] = {}
        plain = self._walk(value, _DEEPEST, found)
        if plain:
            self._contents.update(found)
        return plain

    def _walk(self, value: Any, depth: int, found: dict[int, tuple[Any, Content]]) -> bool:
        kind = type(value)
        if kind in _SCALARS or isinstance(value, Enum) or id(value) in found or id(value) in self._contents:
            return True
        content: Content
        if kind in _SEQUENCES:
            content = list(value)
        elif kind in _TABLES:
            content = dict(value)
        elif kind.__module__ in self._own and type(getattr(value, "__dict__", None)) is dict:
            content = dict(vars(value))
        else:
            return False
        found[id(value)] = value, content
        inside = [*content, *content.values()] if isinstance(content, dict) else content
        return depth > 0 and all(self._walk(item, depth - 1, found) for item in inside)


def _functions(item: Registered) -> Iterator[Any]:
    """Give the function that a workflow, a reducer or an activity is made of; a table has none."""
    function = item.program.original if isinstance(item, WorkflowType) else getattr(item, "function", None)
    if function is not None:
        yield function


def _modules(names: Iterable[str]) -> frozenset[str]:
    """Return these modules and the loaded ones of their packages, without Deathless itself."""
    own = set(names)
    packages = tuple(name.partition(".")[0] + "." for name in own if "." in name)
    found = own | {name for name in sys.modules if name.startswith(packages)}
    return frozenset(name for name in found if name.partition(".")[0] != _OWN_PACKAGE)


def _variables(space: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the variables of a module, without Python's own."""
    return ((name, value) for name, value in space.items() if not name.startswith("__"))


def _once(items: Iterable[Any]) -> list[Any]:
    return list({id(item): item for item in items}.values())


def _inside(cell: CellType) -> Iterator[Any]:
    """Give what is in a cell, which is nothing before its variable is assigned."""
    with contextlib.suppress(ValueError):
        yield cell.cell_contents


def _refill(value: Any, content: Content) -> None:
    """Give a container or an object what was in it; tuples and frozen sets have it still."""
    if isinstance(value, tuple | frozenset):
        return
    space = value if isinstance(value, list | deque | set | dict) else vars(value)
    space.clear()
    if isinstance(space, list | deque):
        space.extend(content)
    else:
        space.update(content)
