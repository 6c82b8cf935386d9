"""Names of classes on the wire, and classes found again by name.

A class is written as `module:qualname`. What a script defines lives in `__main__`, a name that means another
file tomorrow: it is written under the name by which the same file would be imported.

Finding a class imports nothing and runs nothing. Only modules that are already loaded are looked at, and only
their dictionaries: `getattr` could run a module's `__getattr__` or a lazy loader. Bytes from a stranger can
thus name a class that the game has loaded, and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import PurePath
from types import ModuleType

from ..errors import UnknownTypeError, UnstorableError

_MAIN_NAMES = frozenset(("__main__", "__mp_main__"))


def type_name(cls: type) -> str:
    """Name a type for a person: `int`, `socket.socket`."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def class_name(cls: type) -> str:
    """Name a class for the wire.

    Raises:
        UnstorableError: the class would not be found again under its name.
    """
    module = _main_name() if cls.__module__ in _MAIN_NAMES else cls.__module__
    name = f"{module}:{cls.__qualname__}"
    if "<locals>" in cls.__qualname__:
        raise UnstorableError(
            type_name(cls), why="its class is local to a function; define it at the top of a module"
        )
    try:
        found = find_class(name)
    except UnknownTypeError:
        found = None
    if found is not cls:
        raise UnstorableError(type_name(cls), why=f"its class is not what stands under the name {name!r}")
    return name


def find_class(name: str) -> type:
    """Find the class that was written as `name`, among loaded modules only.

    Raises:
        UnknownTypeError: no loaded module has it.
    """
    module_name, _, qualname = name.partition(":")
    loaded = [sys.modules.get(module_name)]
    if module_name == _main_name():
        loaded.insert(0, sys.modules.get("__main__"))
    for module in loaded:
        if isinstance(module, ModuleType):
            found = _look(module, qualname)
            if found is not None:
                return found
    if any(loaded):
        raise UnknownTypeError(
            name, f"module {module_name!r} has no such class; put it back or rename it there"
        )
    raise UnknownTypeError(
        name, f"module {module_name!r} is not loaded; import it before the world is opened"
    )


def _look(module: ModuleType, qualname: str) -> type | None:
    space = object.__getattribute__(module, "__dict__")
    found: object = None
    for part in qualname.split("."):
        found = space.get(part)
        if not isinstance(found, type):
            return None
        space = vars(found)
    return found if isinstance(found, type) else None


def _main_name() -> str:
    """Say how the main script's file is named when it is imported."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name != "__main__":
        return str(spec.name)
    file = getattr(main, "__file__", None)
    return PurePath(file).stem if file else "__main__"
