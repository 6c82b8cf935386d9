"""Modules that are named on a command line, and the workflow types in them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..runtime.registration import registry_of
from ..workflows.definition import WorkflowType
from ..workflows.registry import REGISTERED, Registered, Registry
from .output import BadInput

Types = dict[str, WorkflowType[Any, Any]]


def load_types(names: Iterable[str]) -> Types:
    """Import modules and return the workflow types that stand in them, imported ones too, by name.

    Args:
        names: dotted names, or paths of `.py` files.

    Raises:
        BadInput: a module that cannot be imported, or that has no workflows.
        DefinitionError: two workflows or two signals of one name.
    """
    return load_registry(names).workflows


def load_registry(names: Iterable[str]) -> Registry:
    """Import modules and return all that a game registers of what stands in them; raises what `load_types` does."""
    return registry_of(load_registered(names))


def load_registered(names: Iterable[str]) -> list[Registered]:
    """Import modules and return what a game gives to its `Runtime` of what stands in them, each once.

    Raises:
        BadInput: a module that cannot be imported, or that has no workflows.
    """
    return registered_in(load_modules(names))


def load_modules(names: Iterable[str]) -> list[ModuleType]:
    """Import modules; raises what `load_registered` does."""
    modules = []
    for name in names:
        module = _load(name)
        if not any(isinstance(value, WorkflowType) for value in vars(module).values()):
            raise BadInput(f"{name} has no workflows: no function decorated with @workflow stands in it")
        modules.append(module)
    return modules


def registered_in(modules: Iterable[ModuleType]) -> list[Registered]:
    """Return what stands in modules, imported things too, each once."""
    found: dict[int, Registered] = {}
    for module in modules:
        here = [value for value in vars(module).values() if isinstance(value, REGISTERED)]
        found.update((id(value), value) for value in here)
    return list(found.values())


def _load(name: str) -> ModuleType:
    """Import a module as the game would: its classes are stored by the module's name."""
    path = Path(name)
    if name.endswith(".py") or path.exists():
        return _load_file(path)
    # What `python -m` does, and a command's own script does not.
    _search(Path.cwd())
    return _import(name, name)


def _load_file(path: Path) -> ModuleType:
    if path.is_dir():
        path /= "__init__.py"
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file")
    path = path.resolve()
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    _search(folder)
    dotted = ".".join(parts)
    module = _import(dotted, str(path))
    loaded = getattr(module, "__file__", None)
    if loaded is None or Path(loaded).resolve() != path:
        raise BadInput(f"{path} is hidden by another module {dotted!r} ({loaded}); rename it")
    return module


def _search(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _import(dotted: str, shown: str) -> ModuleType:
    try:
        return importlib.import_module(dotted)
    except SyntaxError as error:
        place = f"{error.filename}:{error.lineno}: " if error.filename else ""
        raise BadInput(f"{shown} does not compile: {place}{error.msg}") from error
    except Exception as error:
        raise BadInput(f"{shown} cannot be imported: {type(error).__name__}: {error}") from error
