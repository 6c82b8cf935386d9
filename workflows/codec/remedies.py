"""What to keep in place of a value that has no durable form."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, CoroutineType, FunctionType, GeneratorType, MethodType, ModuleType

from .wire import HEAP_TYPE

_BY_TYPE: dict[type, str] = {
    object: "use a member of an Enum, or None",
    memoryview: "take bytes(...) of it",
    GeneratorType: "await what ctx gives where it is made; wrap any other generator in list(...)",
    CoroutineType: "await it where it is made",
    type({}.keys()): "wrap it in list(...)",
    type({}.values()): "wrap it in list(...)",
    type({}.items()): "wrap it in list(...)",
    type(iter({})): "loop over list(...) instead",
    type(iter({}.values())): "loop over list(...) instead",
    type(iter({}.items())): "loop over list(...) instead",
    type(iter(set())): "loop over sorted(...) instead",
    map: "wrap it in list(...)",
    filter: "wrap it in list(...)",
    FunctionType: "keep its name and look it up",
    BuiltinFunctionType: "keep its name and look it up",
    MethodType: "keep the object and the method's name",
    ModuleType: "import it at the top of the module",
}
_BY_PACKAGE = {
    __name__.rpartition(".workflows.")[0]: "make it, or take it from ctx, where it is used",
    "structlog": "take ctx.log where it is used",
    "contextlib": "write try/except or try/finally instead",
}
_ORIGINAL = "keep what it was made from instead"


def remedy_for(cls: type) -> str:
    """Say what to do about a value of a class that cannot be stored."""
    if cls in _BY_TYPE:
        return _BY_TYPE[cls]
    package = cls.__module__.partition(".")[0]
    if package in _BY_PACKAGE:
        return _BY_PACKAGE[package]
    if package in sys.stdlib_module_names or not cls.__flags__ & HEAP_TYPE:
        return _ORIGINAL
    builtin = next(base for base in cls.__mro__ if not base.__flags__ & HEAP_TYPE)
    if builtin is not object:
        article = "an" if builtin.__name__[0] in "aeiou" else "a"
        return f"it is {article} {builtin.__name__} of a class of its own; keep a plain one, alone or in a dataclass"
    if hasattr(cls, "__dataclass_fields__"):
        return "decorate its class with @dataclass too, as its parent is"
    return f"make its class a @dataclass, or {_ORIGINAL}"
