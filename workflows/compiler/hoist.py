"""Hoisting, statement by statement; expressions are the matter of `hoist_expressions`.

Afterwards each await of the function is the first thing that its statement evaluates, so that a statement entered
on resume can wait at once. Blocks that suspend are given the names of the hidden variables that they keep.
"""

from __future__ import annotations

import ast

from . import keys
from .hoist_expressions import ExpressionHoister
from .keys import text_of
from .scope import Scope
from .sites import Hoisted
from .tree import exits_of, has_await, load, store


def hoist(node: ast.AsyncFunctionDef, scope: Scope) -> Hoisted:
    """Hoist a function's awaits; its tree is used up."""
    hoister = _Hoister(scope)
    hoister.made.body = hoister.block(node.body)
    return hoister.made


class _Hoister(ExpressionHoister):
    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self.counts: dict[str, int] = {}

    def hide(self, node: ast.AST, kind: str) -> str:
        """Name the hidden variable that a block keeps."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.made.hidden[node] = f".{kind}{self.counts[kind]}"
        return self.made.hidden[node]

    def block(
        self, body: list[ast.stmt], *elements: str, keeping: tuple[str, str] | None = None
    ) -> list[ast.stmt]:
        """Hoist a block.

        Args:
            body: its statements.
            elements: what leads to it from the path so far.
            keeping: the hidden variable that is kept while it runs, and what that is.
        """
        outer = self.out, self.path, self.around, self.temporaries
        self.out, self.path = [], (*self.path, *elements)
        if keeping is not None:
            self.around = {**self.around, keeping[0]: keeping[1]}
        names = keys.names_of_block(body)
        for statement in body:
            self.temporaries = {}
            self.statement(statement, names.get(statement, ""))
        done = self.out
        self.out, self.path, self.around, self.temporaries = outer
        return done

    def statement(self, node: ast.stmt, name: str) -> None:
        """Hoist one statement into `self.out`."""
        if not has_await(node):
            self.out.append(node)
        elif isinstance(node, (ast.Expr, ast.Return, ast.Assign)):
            assert node.value is not None
            node.value = self.first(node.value)
            self.out.append(node)
        elif isinstance(node, ast.AnnAssign):
            assert node.value is not None
            # Annotations of locals are never evaluated.
            self.out.append(ast.copy_location(ast.Assign([node.target], self.first(node.value)), node))
        elif isinstance(node, ast.AugAssign):
            self.augmented(node)
        elif isinstance(node, ast.Raise):
            self.operands([(node, field) for field in ("exc", "cause") if getattr(node, field) is not None])
            self.out.append(node)
        else:
            self.compound(node, name)

    def augmented(self, node: ast.AugAssign) -> None:
        """Hoist `target += value`: Python reads the target first, and assigns to it last."""
        target = node.target
        if isinstance(target, ast.Name) and target.id not in self.scope.cells:
            if target.id not in self.scope.steady:
                self.out.append(ast.copy_location(ast.Expr(load(target.id, target)), target))
            node.value = self.value(node.value)
            self.out.append(node)
            return
        text = text_of(target)
        if isinstance(target, ast.Name):
            read: ast.expr = load(target.id, target)
        elif isinstance(target, ast.Attribute):
            target.value = self.settled(target.value, [node.value])
            read = ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
        else:
            target.value = self.settled(target.value, [target.slice, node.value])
            target.slice = self.index(target.slice, node.value)
            read = ast.copy_location(ast.Subscript(target.value, target.slice, ast.Load()), target)
        old = self.temporary(read, text).id
        node.value = self.value(node.value)
        node.target = store(old, target)
        self.out.append(node)
        self.out.append(ast.copy_location(ast.Assign([target], load(old, node)), node))

    def index(self, index: ast.expr, later: ast.expr) -> ast.expr:
        """Settle a subscript; a slice is settled by its ends."""
        if isinstance(index, ast.Slice):
            for field in ("lower", "upper", "step"):
                end = getattr(index, field)
                if end is not None:
                    setattr(index, field, self.settled(end, [later]))
            return index
        if isinstance(index, ast.Tuple):
            index.elts = [self.index(each, later) for each in index.elts]
            return index
        return self.settled(index, [later])

    # -- compound statements -------------------------------------------------------------------------------

    def compound(self, node: ast.stmt, name: str) -> None:
        """Hoist what holds blocks."""
        if isinstance(node, ast.If):
            self.path_value(node, "test", name)
            node.body = self.block(node.body, name, "then")
            node.orelse = self.block(node.orelse, name, "else")
            self.out.append(node)
        elif isinstance(node, ast.While):
            self.loop_while(node, name)
        elif isinstance(node, ast.For):
            self.loop_for(node, name)
        elif isinstance(node, ast.With):
            self.manage(node, name)
        elif isinstance(node, ast.Match):
            self.match(node, name)
        else:
            assert isinstance(node, ast.Try), node
            self.attempt(node, name)

    def path_value(self, node: ast.AST, field: str, name: str) -> None:
        """Hoist the header of a compound statement, under the statement's own path."""
        outer, self.path = self.path, (*self.path, name)
        setattr(node, field, self.value(getattr(node, field)))
        self.path = outer

    def loop_while(self, node: ast.While, name: str) -> None:
        prelude = self.inside(lambda: self.path_value(node, "test", name))
        if prelude:
            self.made.preludes[node] = prelude
        node.body = self.block(node.body, name, "body")
        node.orelse = self.block(node.orelse, name, "else")
        self.out.append(node)

    def loop_for(self, node: ast.For, name: str) -> None:
        what = f"for {text_of(node.target)} in {text_of(node.iter)}"
        self.path_value(node, "iter", name)
        keeping = (self.hide(node, "it"), what) if has_await(node.body) else None
        node.body = self.block(node.body, name, "body", keeping=keeping)
        node.orelse = self.block(node.orelse, name, "else")
        self.out.append(node)

    def manage(self, node: ast.With, name: str) -> None:
        first, *others = node.items
        what = f"with {text_of(first.context_expr)}"
        body: list[ast.stmt] = node.body
        if others:
            # One manager a statement: each has its own moment to be entered.
            body = [ast.copy_location(ast.With(others, body), node)]
        self.path_value(first, "context_expr", name)
        keeping = (self.hide(node, "with"), what) if has_await(body) else None
        node.items, node.body = [first], self.block(body, name, keeping=keeping)
        self.out.append(node)

    def match(self, node: ast.Match, name: str) -> None:
        outer, self.path = self.path, (*self.path, name)
        waits = any(has_await(case.body) for case in node.cases)
        node.subject = self.value(node.subject) if waits else self.first(node.subject)
        self.path = outer
        for case in node.cases:
            case.body = self.block(case.body, name, keys.case_name(case))
        self.out.append(node)

    def attempt(self, node: ast.Try, name: str) -> None:
        # Code that lacks a way out cannot leave by it what is put away on that way: the ways are part of the state.
        ways = sorted(way.__name__.lower() for way in exits_of(node))
        node.body = self.block(node.body, name, "body")
        for handler in node.handlers:
            keeping = None
            element = keys.handler_name(handler)
            if has_await(handler.body):
                keeping = (self.hide(handler, "exc"), element)
            handler.body = self.block(handler.body, name, element, keeping=keeping)
        node.orelse = self.block(node.orelse, name, "else")
        if has_await(node.finalbody):
            keeping = (self.hide(node, "left"), " ".join(["finally", *ways]))
            node.finalbody = self.block(node.finalbody, name, "finally", keeping=keeping)
        self.out.append(node)
