"""Reading sets in an order that every process shares.

A set's own order changes with the hash seed, and with the order in which its items came. Where the text reads an
iterable in order, a set is therefore replaced by the list of its items in a fixed order: in loops and
comprehensions, in `*items`, in unpacking, in `pop()`, and in the builtins that iterate, also in nested functions and
lambdas. A set that is handed to anything else (`deque(names)`, `separator.join(names)`) is not seen.

What plainly is no set is left as it is written.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Any

from .scope import bound_here, parameters_of
from .sites import Hoisted
from .tree import FUNCTIONS, dotted, expression

ITERATING = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "sum", "dict.fromkeys"}
"""Builtins whose result shows the order of what they iterate."""
CHOOSING = {"sorted", "min", "max"}
"""Builtins whose result shows it where their `key` finds two items equal."""
MAKING = {"range", "reversed", "sorted", "len", "dict", "str", "open", *ITERATING}
"""Builtins whose result is no set."""
_NO_SETS = (
    ast.List,
    ast.Tuple,
    ast.Dict,
    ast.ListComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Constant,
    ast.JoinedStr,
    ast.Starred,
    ast.Await,  # Must stay the first thing that its statement evaluates.
)


def order_sets(hoisted: Hoisted, node: ast.AsyncFunctionDef, resolve: Callable[[str], Any]) -> None:
    """Rewrite a hoisted function so that it reads sets in a fixed order.

    Args:
        hoisted: loops that keep their iterator are left out: they put a set in order by themselves.
        node: the function.
        resolve: gives the object that a name means in the module, or None.
    """
    statements = [*hoisted.body, *(each for block in hoisted.preludes.values() for each in block)]
    ordering = _Ordering(hoisted, {*parameters_of(node), *_bound_anywhere(statements)}, resolve)
    for statement in statements:
        ordering.rewrite(statement)


class _Ordering:
    def __init__(self, hoisted: Hoisted, bound: set[str], resolve: Callable[[str], Any]) -> None:
        self.hoisted = hoisted
        self.bound = bound
        self.resolve = resolve

    def rewrite(self, root: ast.AST) -> None:
        for node in list(ast.walk(root)):
            if isinstance(node, ast.comprehension) or (
                isinstance(node, ast.For) and node not in self.hoisted.hidden
            ):
                node.iter = self.ordered(node.iter)
            elif isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Load):
                node.value = self.ordered(node.value)
            elif isinstance(node, ast.Assign) and all(map(_unpacks, node.targets)):
                # Of `a = b, c = value` the name gets the value as it is.
                node.value = self.ordered(node.value)
            elif isinstance(node, ast.Call):
                self.call(node)

    def ordered(self, node: ast.expr) -> ast.expr:
        if isinstance(node, _NO_SETS) or (isinstance(node, ast.Call) and self.builtin(node.func) in MAKING):
            return node
        return expression("d_h.ordered(VALUE)", node, VALUE=node)

    def call(self, node: ast.Call) -> None:
        name = self.builtin(node.func)
        if name in ITERATING or (name in CHOOSING and any(each.arg == "key" for each in node.keywords)):
            node.args = [self.ordered(each) for each in node.args]
        elif isinstance(node.func, ast.Attribute):
            self.method(node, node.func)

    def method(self, node: ast.Call, method: ast.Attribute) -> None:
        if method.attr == "pop" and not node.args and not node.keywords:
            node.args = [method.value]
            node.func = expression("d_h.pop", method)
        elif method.attr == "join" and isinstance(method.value, (ast.Constant, ast.JoinedStr)):
            node.args = [self.ordered(each) for each in node.args]

    def builtin(self, node: ast.expr) -> str | None:
        """Return the name of a builtin, None for what is anything else."""
        name = dotted(node)
        if name is None:
            return None
        head = name.split(".")[0]
        return (
            name
            if hasattr(builtins, head) and head not in self.bound and self.resolve(head) is None
            else None
        )


def _unpacks(target: ast.expr) -> bool:
    return isinstance(target, (ast.Tuple, ast.List))


def _bound_anywhere(statements: list[ast.stmt]) -> set[str]:
    """Return the names that statements, or functions nested in them, bind."""
    bound: set[str] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, FUNCTIONS):
                bound.update(parameters_of(node))
            bound.update(bound_here(node))
    return bound
