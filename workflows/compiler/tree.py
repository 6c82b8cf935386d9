"""Small tools for syntax trees: walking one scope, and writing trees as text with holes.

Hidden variables begin with a dot, so that no user's name can meet them; in templates they are written `d_pc`
for `.pc`, because the parser refuses the dot that `compile` accepts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Part = str | int | ast.expr | list[ast.stmt]
NodeT = TypeVar("NodeT", bound=ast.AST)


def children(node: ast.AST) -> list[ast.AST]:
    """List the children that belong to the same scope; of a nested definition only what is evaluated outside it."""
    if isinstance(node, FUNCTIONS):
        defaults = [default for default in node.args.kw_defaults if default is not None]
        return [*getattr(node, "decorator_list", ()), *node.args.defaults, *defaults]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST) and not isinstance(value, ast.expr_context):
            found.append(value)
    return found


def walk_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the node and everything below it that belongs to the same scope, in source order."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting += reversed(children(each))


def has_await(node: ast.AST | list[ast.stmt] | None) -> bool:
    """Say whether an await of this scope stands in a node or block."""
    if node is None:
        return False
    if isinstance(node, list):
        return any(map(has_await, node))
    return any(isinstance(each, ast.Await) for each in walk_scope(node))


def copied(node: NodeT) -> NodeT:
    """Copy a tree; `copy.deepcopy` takes ten times as long."""
    fields: dict[str, Any] = {}
    for name in (*node._fields, *node._attributes):
        value = getattr(node, name, None)
        if isinstance(value, list):
            value = [copied(each) if isinstance(each, ast.AST) else each for each in value]
        fields[name] = copied(value) if isinstance(value, ast.AST) else value
    return type(node)(**fields)


def dotted(node: ast.AST) -> str | None:
    """Return `a.b.c` as text where the expression is that, else None."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return base and f"{base}.{node.attr}"
    return None


def load(name: str, at: ast.AST) -> ast.Name:
    """Return a read of a variable, with the position of another node."""
    return ast.copy_location(ast.Name(name, ast.Load()), at)


def store(name: str, at: ast.AST) -> ast.Name:
    """Return a variable as the target of an assignment, with the position of another node."""
    return ast.copy_location(ast.Name(name, ast.Store()), at)


def assign(name: str, value: ast.expr) -> ast.Assign:
    """Return `name = value`, with the position of the value."""
    return ast.copy_location(ast.Assign([store(name, value)], value), value)


def exits_of(node: ast.Try | ast.TryStar) -> set[type[ast.stmt]]:
    """Return which kinds of exit lead out of a try into its finally."""
    found: set[type[ast.stmt]] = set()

    def look(statement: ast.AST, *, in_loop: bool) -> None:
        if isinstance(statement, ast.Return) or (
            isinstance(statement, (ast.Break, ast.Continue)) and not in_loop
        ):
            found.add(type(statement))
        if isinstance(statement, SCOPES):
            return
        looping = isinstance(statement, (ast.For, ast.While))
        for field, value in ast.iter_fields(statement):
            for child in value if isinstance(value, list) else ():
                if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                    look(child, in_loop=in_loop or (looping and field == "body"))

    for statement in (*node.body, *node.handlers, *node.orelse):
        look(statement, in_loop=False)
    return found


# -- templates ---------------------------------------------------------------------------------------------


def statements(template: str, at: ast.AST, **parts: Part) -> list[ast.stmt]:
    """Write statements from a template.

    Args:
        template: Python text. A name that is a key of `parts` is a hole, `d_x` is the hidden variable `.x`.
        at: where the statements stand, for tracebacks and tracing: every new node gets its position.
        parts: what the holes become: a variable's name, a number, an expression or a block.
    """
    filler = _Filler(at, parts)
    return filler.block(_parsed(template).body)


def expression(template: str, at: ast.AST, **parts: Part) -> ast.expr:
    """Write an expression from a template, as `statements` does."""
    (statement,) = statements(template, at, **parts)
    assert isinstance(statement, ast.Expr)
    return statement.value


@cache
def _parsed(template: str) -> ast.Module:
    return ast.parse(template)


class _Filler:
    def __init__(self, at: ast.AST, parts: dict[str, Part]) -> None:
        self.at = at
        self.parts = parts

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        filled: list[ast.stmt] = []
        for statement in body:
            hole = statement.value if isinstance(statement, ast.Expr) else None
            part = self.parts.get(hole.id) if isinstance(hole, ast.Name) else None
            if isinstance(part, list):
                filled.extend(part)
            else:
                filled.append(self.node(statement))
        return filled or [ast.copy_location(ast.Pass(), self.at)]

    def node(self, node: NodeT) -> NodeT:
        """Copy a node of the template, its holes filled."""
        fields: dict[str, Any] = {}
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                if value and isinstance(value[0], ast.stmt):
                    fields[name] = self.block(value)
                else:
                    fields[name] = [self.hole(each) for each in value]
            else:
                fields[name] = self.hole(value) if isinstance(value, ast.AST) else value
        filled = type(node)(**fields)
        if "lineno" in node._attributes:
            ast.copy_location(filled, self.at)
        return filled

    def hole(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.Name):
            return self.node(node)
        part = self.parts.get(node.id)
        if isinstance(part, ast.expr):
            return part
        if isinstance(part, int):
            return ast.copy_location(ast.Constant(part), self.at)
        assert not isinstance(part, list), node.id
        name = part or ("." + node.id[2:] if node.id.startswith("d_") else node.id)
        return ast.copy_location(ast.Name(name, node.ctx), self.at)
