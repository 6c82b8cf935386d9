"""The names of one function: its parameters and locals, and which of them nested functions share."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .tree import COMPREHENSIONS, FUNCTIONS, SCOPES, FunctionNode, children, walk_scope


class Scope:
    """What the names of a function mean.

    Attributes:
        context: the first parameter.
        parameters: all of them.
        locals: every name bound in the function, parameters included.
        cells: the locals that a nested function or class mentions. They are taken as live everywhere: who calls
            the function and when is not seen.
        rebound: the locals that a nested function rebinds.
        unbinding: the locals that some statement unbinds.
        steady: the locals that are bound from the first line to the last.
    """

    def __init__(self, node: ast.AsyncFunctionDef) -> None:
        self.parameters = parameters_of(node)
        self.context = self.parameters[0]
        self.locals = {*self.parameters, *(name for part in node.body for name in bound_names(part))}
        self.cells = {name for part in node.body for name in free_names(part)} & self.locals
        nonlocals = [each for each in ast.walk(node) if isinstance(each, ast.Nonlocal)]
        self.rebound = {name for each in nonlocals for name in each.names} & self.locals
        self.unbinding = {name for part in node.body for name in _unbound_names(part)}
        self.steady = set(self.parameters) - self.unbinding


_NAMED = (*SCOPES, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)


def parameters_of(node: FunctionNode) -> list[str]:
    """Return the names of a function's parameters, the first positional one first."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return [each.arg for each in every]


def bound_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement or expression binds or deletes in its own scope."""
    if isinstance(node, COMPREHENSIONS):
        # Its targets are its own, a walrus in it is not.
        for each in walk_scope(node):
            if isinstance(each, ast.NamedExpr) and isinstance(each.target, ast.Name):
                yield each.target.id
        return
    yield from bound_here(node)
    for child in children(node):
        yield from bound_names(child)


def bound_here(node: ast.AST) -> Iterator[str]:
    """Yield the names that this very node binds or deletes, not what stands below it."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, _NAMED) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.split(".")[0]


def _unbound_names(node: ast.AST) -> Iterator[str]:
    for each in walk_scope(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Del):
            yield each.id
        elif isinstance(each, ast.ExceptHandler) and each.name:
            yield each.name


def free_names(node: ast.AST) -> Iterator[str]:
    """Yield the names that functions and classes nested in a node take from outside."""
    for each in walk_scope(node):
        if isinstance(each, (*FUNCTIONS, ast.ClassDef)):
            yield from _taken(each)


def _taken(node: ast.AST) -> set[str]:
    """Return the names that a nested function or class mentions and does not bind itself; rather too many."""
    body = node.body if isinstance(node, SCOPES) else []
    parts: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(body)
    mentioned: set[str] = set()
    own: set[str] = set(parameters_of(node)) if isinstance(node, FUNCTIONS) else set()
    shared: set[str] = set()
    for part in parts:
        for each in walk_scope(part):
            if isinstance(each, ast.Name):
                mentioned.add(each.id)
            elif isinstance(each, ast.Nonlocal):
                shared.update(each.names)
        mentioned.update(free_names(part))
        if not isinstance(node, ast.ClassDef):
            own.update(bound_names(part))
    return (mentioned - own) | shared


def read_names(node: ast.AST | None) -> set[str]:
    """Return the names that an expression reads, comprehensions' own targets left out."""
    if node is None:
        return set()
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, (ast.Load, ast.Del)) else set()
    if isinstance(node, COMPREHENSIONS):
        inside: set[str] = set()
        own: set[str] = set()
        for generator in node.generators:
            own.update(name for name in bound_names(generator.target))
        for child in ast.iter_child_nodes(node):
            inside |= read_names(child)
        return (inside - own) | read_names(node.generators[0].iter)
    if isinstance(node, FUNCTIONS):
        names = _taken(node)
        for default in (*node.args.defaults, *node.args.kw_defaults, *getattr(node, "decorator_list", ())):
            names |= read_names(default)
        return names
    names = set(_taken(node)) if isinstance(node, ast.ClassDef) else set()
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.ClassDef) and isinstance(child, ast.stmt)):
            names |= read_names(child)
    return names
