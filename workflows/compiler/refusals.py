"""What cannot be made durable, found before anything is changed.

Each refusal names the place and what to write instead. An await must stand where everything that was evaluated
before it in its statement can be put aside in a variable; the places listed here have no such moment.
"""

from __future__ import annotations

import ast

from .scope import Scope, bound_here, bound_names
from .source import Source
from .tree import COMPREHENSIONS, FUNCTIONS, Comprehension, children, has_await, walk_scope

AWAIT_FIRST = "await it into a variable before"


class Refusals:
    """Checks a function; each method raises `CompileError` at the first thing that is wrong."""

    def __init__(self, source: Source, scope: Scope) -> None:
        self.source = source
        self.scope = scope

    def check(self) -> None:
        """Check the whole function.

        Raises:
            CompileError: with the place, the source line and the remedy.
        """
        for statement in self.source.node.body:
            self._check(statement)
        if self.scope.context in self.scope.rebound:
            self.refuse("a nested function rebinds the context", "use another name there", self.source.node)

    def refuse(self, problem: str, remedy: str, at: ast.AST) -> None:
        """Raise the error for a place."""
        raise self.source.refusal(problem, remedy, at)

    def _check(self, node: ast.AST) -> None:
        check = getattr(self, f"_check_{type(node).__name__}", None)
        if check is not None:
            check(node)
        self._keeps_context(node)
        if isinstance(node, COMPREHENSIONS):
            self._inside_comprehension(node)
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            self._inside_nested(node)
        for child in children(node):
            self._check(child)

    def _no_await(self, where: str, *nodes: ast.AST | None, remedy: str = AWAIT_FIRST) -> None:
        for node in nodes:
            found = _first_await(node)
            if found is not None:
                self.refuse(f"an await cannot stand in {where}", remedy, found)

    # -- statements ----------------------------------------------------------------------------------------

    def _check_AsyncWith(self, node: ast.AsyncWith) -> None:
        self.refuse("async with is not durable", "write a plain with, or try/finally with awaits in it", node)

    def _check_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.refuse("async for is not durable", "write a while loop that awaits", node)

    def _check_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.refuse(
            "an async function inside a workflow is gone after a restart",
            "define it at the top of the module with @routine, and give it the values as arguments",
            node,
        )

    def _check_Global(self, node: ast.Global) -> None:
        self.refuse("global state does not survive a crash", "keep it in a local variable or a table", node)

    def _check_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.refuse(
            "a variable of the enclosing function does not survive a crash",
            "keep it in a local variable",
            node,
        )

    def _check_Yield(self, node: ast.Yield) -> None:
        self.refuse("yield is not durable", "use await", node)

    _check_YieldFrom = _check_Yield

    def _check_Assert(self, node: ast.Assert) -> None:
        self._no_await("an assert", node)

    def _check_Delete(self, node: ast.Delete) -> None:
        self._no_await("a del", node)

    def _check_Assign(self, node: ast.Assign) -> None:
        self._no_await("an assignment's target", *node.targets)

    def _check_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._no_await("an assignment's target", node.target)
        self._no_await("an annotation", node.annotation)

    def _check_AugAssign(self, node: ast.AugAssign) -> None:
        self._no_await("an assignment's target", node.target)
        if has_await(node.value) and set(bound_names(node.target)) & set(bound_names(node.value)):
            self.refuse(
                "a walrus rebinds the target of this awaiting assignment",
                "split it into two statements",
                node,
            )

    def _check_For(self, node: ast.For) -> None:
        self._no_await("a for target", node.target)

    def _check_With(self, node: ast.With) -> None:
        self._no_await("a with target", *(item.optional_vars for item in node.items))

    def _check_Try(self, node: ast.Try) -> None:
        for handler in node.handlers:
            self._no_await("an except type", handler.type)

    def _check_TryStar(self, node: ast.AST) -> None:
        self._no_await("a try with except*", node, remedy="use except, or await outside the try")

    def _check_Match(self, node: ast.Match) -> None:
        for case in node.cases:
            self._no_await("a case guard", case.guard, remedy="await before the match, or inside the case")

    # -- expressions ---------------------------------------------------------------------------------------

    def _inside_comprehension(self, node: Comprehension) -> None:
        first, *others = node.generators
        if any(generator.is_async for generator in node.generators):
            self.refuse("an async comprehension is not durable", "write a loop that awaits", node)
        elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        inner = [*elements, *first.ifs, *others]
        self._no_await("a comprehension, except in its first iterable", *inner, remedy="write a for loop")

    def _check_Call(self, node: ast.Call) -> None:
        spread = False
        for keyword in node.keywords:
            if spread:
                self._no_await("a call after **", keyword.value)
            spread = spread or keyword.arg is None

    def _check_Dict(self, node: ast.Dict) -> None:
        if None in node.keys:
            self._no_await("a dict display beside **", node)

    def _check_FormattedValue(self, node: ast.FormattedValue) -> None:
        self._no_await("a format specification", node.format_spec)

    def _check_TemplateStr(self, node: ast.AST) -> None:
        self._no_await("a template string", node)

    def _inside_nested(self, node: ast.AST) -> None:
        self._no_await("a nested definition's defaults, decorators or bases", *children(node))

    # -- the context ---------------------------------------------------------------------------------------

    def _keeps_context(self, node: ast.AST) -> None:
        context = self.scope.context
        if context in bound_here(node):
            self.refuse(f"{context} is the context and is not stored", "use another name here", node)


def _first_await(node: ast.AST | None) -> ast.AST | None:
    if node is None:
        return None
    return next((each for each in walk_scope(node) if isinstance(each, ast.Await)), None)
