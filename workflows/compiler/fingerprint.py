"""The fingerprint: what a function does, as a hash.

It covers the syntax tree without positions, docstrings, annotations and decorators, so that edits of comments and
layout leave stored snapshots as they are. `ast.dump` would not do: its text differs between Pythons.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from typing import Any

FORMAT = "1"
"""Part of the hash: changed when the compiler lays out snapshots in another way."""

SKIPPED = {
    "annotation",
    "returns",
    "type_comment",
    "type_params",
    "kind",
    "decorator_list",
    "type_ignores",
    "ctx",
}


def fingerprint_of(node: ast.AsyncFunctionDef) -> str:
    """Return the fingerprint of a function."""
    digest = hashlib.sha256(FORMAT.encode())
    for text in _tokens(_Normal().visit(node), top=True):
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:32]


def _tokens(node: Any, *, top: bool = False) -> Iterator[str]:
    if isinstance(node, list):
        yield "["
        for item in node:
            yield from _tokens(item)
        yield "]"
    elif isinstance(node, ast.Constant):
        yield f"{type(node.value).__name__} {node.value!r}"
    elif isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in sorted(ast.iter_fields(node)):
            empty = value is None or value == []
            if name not in SKIPPED and not empty and not (top and name == "name"):
                yield name
                yield from _tokens(value)
        yield "."
    else:
        yield repr(node)


class _Normal(ast.NodeTransformer):
    """Drops what does nothing, and brings what Pythons write differently into one form."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        body = getattr(node, "body", None)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(
            node, clean=False
        ):
            assert isinstance(body, list)
            node.body = body[1:]
        return super().generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Merge adjacent texts: Pythons cut them differently."""
        merged: list[ast.expr] = []
        for value in node.values:
            last = merged[-1] if merged else None
            if isinstance(value, ast.Constant) and isinstance(last, ast.Constant):
                merged[-1] = ast.Constant(last.value + value.value)  # type: ignore[operator] # Both are texts here.
            elif not (isinstance(value, ast.Constant) and value.value == ""):
                merged.append(value)
        node.values = merged
        return self.generic_visit(node)
