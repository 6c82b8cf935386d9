"""Slips that run, and do something else than what was meant, found at decoration.

A call that should have been awaited does nothing at all, and Python warns of it only for coroutines. A call that
looks into the frame sees other variables after a resume than before. Only what the text shows is judged.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from typing import Any, NoReturn

from .keys import shown
from .names import method_of
from .program import Program
from .scope import Scope
from .source import Source
from .tree import dotted, walk_scope

AWAITED = ("sleep", "receive", "select", "gather")
SOURCES = ("timer", "every")

LOOKERS = {
    **{
        name: (f"{name}() shows another frame after a resume", "name the variables that you mean")
        for name in ("locals", "vars", "dir")
    },
    **{
        name: (
            f"{name}() reads names that a snapshot need not hold",
            "write it out, or call a function with the values",
        )
        for name in ("eval", "exec")
    },
    "globals": ("global state does not survive a crash", "keep it in a local variable or a table"),
}
"""Builtins that see the variables of the frame that calls them; `vars` and `dir` do so without arguments."""


class Slips:
    """Checks one function. `resolve` gives the object that a dotted name that is not local means, or None."""

    def __init__(self, source: Source, scope: Scope, resolve: Callable[[str], Any]) -> None:
        self.source = source
        self.scope = scope
        self.resolve = resolve

    def check(self) -> None:
        """Check the whole function.

        Raises:
            CompileError: with the place, the source line and the remedy.
        """
        for statement in self.source.node.body:
            for node in walk_scope(statement):
                if isinstance(node, (ast.Expr, ast.Await)) and isinstance(node.value, ast.Call):
                    self._check_wait(node.value, awaited=isinstance(node, ast.Await))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    self._check_looker(node, node.func.id)

    def _check_wait(self, call: ast.Call, *, awaited: bool) -> None:
        """Refuse to await what cannot be, and a statement that is a call whose result someone should wait for."""
        context, method = self.scope.context, method_of(call, self.scope)
        name = None if method else dotted(call.func)
        value = self.resolve(name) if name and name.split(".")[0] not in self.scope.locals else None
        if method in SOURCES:
            remedy = f"write await {context}.select({{}}), or keep it in a variable"
            self.refuse(call, "{} is a source that nothing waits for", remedy)
        if isinstance(getattr(value, "program", None), Program):
            self.refuse(call, "{} starts nothing", f"write {'await ' * awaited}{context}.spawn({{}})")
        if not awaited and (method in AWAITED or inspect.iscoroutinefunction(value)):
            self.refuse(call, "{} is not awaited", "write await {}")

    def refuse(self, call: ast.Call, problem: str, remedy: str) -> NoReturn:
        """Raise the error for a call, whose text goes into the braces."""
        text = shown(call)
        raise self.source.refusal(problem.format(text), remedy.format(text), call)

    def _check_looker(self, call: ast.Call, name: str) -> None:
        if name not in LOOKERS or name in self.scope.locals or self.resolve(name) is not None:
            return
        if name in ("vars", "dir") and (call.args or call.keywords):
            return
        raise self.source.refusal(*LOOKERS[name], call)
