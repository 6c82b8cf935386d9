"""What an await site tells about the names in it, signal classes and awaited routines, and what a name means."""

from __future__ import annotations

import ast
from typing import Any

from .scope import Scope
from .tree import dotted, walk_scope

WAITING = ("receive", "select", "subscribe")


def signals_of(node: ast.AST, scope: Scope) -> tuple[str, ...]:
    """Return the dotted names given positionally to a waiting method of the context inside a node."""
    found: dict[str, None] = {}
    for call in walk_scope(node):
        if isinstance(call, ast.Call) and method_of(call, scope) in WAITING:
            found.update(dict.fromkeys(_global_names(call, scope)))
    return tuple(found)


def subscriptions_of(node: ast.AST, scope: Scope) -> tuple[str, ...]:
    """Return the dotted names given to `ctx.subscribe` anywhere in a function."""
    found: dict[str, None] = {}
    for call in walk_scope(node):
        if isinstance(call, ast.Call) and method_of(call, scope) == "subscribe":
            found.update(dict.fromkeys(_global_names(call, scope)))
    return tuple(found)


def awaited_of(node: ast.Await, scope: Scope) -> str | None:
    """Return the dotted name of the awaited call's callee, unless it is the context's."""
    if not isinstance(node.value, ast.Call):
        return None
    name = dotted(node.value.func)
    return None if name is None or name.split(".")[0] == scope.context else name


def method_of(node: ast.AST, scope: Scope) -> str | None:
    """Return `select` for a call of `ctx.select`, None for anything that is not a call of a method of the context."""
    if not isinstance(node, ast.Call):
        return None
    name = dotted(node.func) or ""
    head, _, method = name.partition(".")
    return method if head == scope.context and method and "." not in method else None


def meaning_of(function: Any, name: str) -> Any:
    """Return what a dotted name that is not local means in a function now, or None."""
    first, *rest = name.split(".")
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if first in cells:
        try:
            value = cells[first].cell_contents
        except ValueError:  # What the enclosing function has not bound yet, as the function itself.
            return None
    else:
        value = function.__globals__.get(first)
    for attribute in rest:
        value = getattr(value, attribute, None)
    return value


def _global_names(call: ast.Call, scope: Scope) -> list[str]:
    names = [dotted(each) for each in call.args]
    return [name for name in names if name and name.split(".")[0] not in scope.locals]
