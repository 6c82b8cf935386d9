"""The fingerprint: what a function does, as a hash.

It covers the syntax tree without positions, docstrings, annotations and decorators, so that edits of comments and
layout leave stored snapshots as they are. `ast.dump` would not do: its text differs between Pythons.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from typing import Any

from .tree import SCOPES

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
    """Return the fingerprint of a function; its own name does not count."""
    digest = hashlib.sha256(FORMAT.encode())
    for part in (node.args, _without_docstring(node.body)):
        for text in _tokens(part):
            digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:32]


def _tokens(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        yield "["
        for item in node:
            yield from _tokens(item)
        yield "]"
    elif isinstance(node, ast.Constant):
        yield f"{type(node.value).__name__} {node.value!r}"
    elif isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield from _tokens(ast.Assign([node.target], node.value))
    elif isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in sorted(ast.iter_fields(node)):
            if name not in SKIPPED and value is not None and value != []:
                yield name
                yield from _tokens(_normal(node, name, value))
        yield "."
    else:
        yield repr(node)


def _normal(node: ast.AST, name: str, value: Any) -> Any:
    """Bring a field of a node into the one form that all Pythons and all authors share."""
    if isinstance(node, ast.JoinedStr):
        return _merged(node.values)
    if isinstance(node, SCOPES) and name == "body":
        return _without_docstring(value)
    return value


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    constant = first.value if isinstance(first, ast.Expr) else None
    return body[1:] if isinstance(constant, ast.Constant) and isinstance(constant.value, str) else body


def _merged(values: list[ast.expr]) -> list[ast.expr]:
    """Merge the adjacent texts of an f-string: Pythons cut them differently."""
    merged: list[ast.expr] = []
    for value in values:
        text = value.value if isinstance(value, ast.Constant) else None
        last = merged[-1] if merged else None
        if isinstance(text, str) and isinstance(last, ast.Constant):
            merged[-1] = ast.Constant(str(last.value) + text)
        elif text != "":
            merged.append(value)
    return merged
