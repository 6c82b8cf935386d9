"""Keys: names of awaits that stay the same while the code around them is edited.

A key is the path of blocks down to the await and its label: `while0/body/match0/ctx.select(expire,Stack)`. A block
is named by its kind and its header's text, `if0(hp < 3)`, so that an `if` inserted before it changes nothing.
The `0` says that it is the only one of that name in its block; where there are several they get `+` in its place and
so have equal paths. Counting them would be wrong: insert one before, and each inherits another's number.

Equal keys are therefore left equal: such awaits resume under the same code, and are held after an edit. Two
plain `await ctx.sleep(1)` in one block need no name for that.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter

from .tree import dotted, has_await

TEXT_LIMIT = 60


def text_of(node: ast.AST) -> str:
    """Return an expression's text; where it is long, its beginning and a hash of the whole."""
    text = ast.unparse(node)
    if len(text) <= TEXT_LIMIT:
        return text
    rest = "...#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return text[: TEXT_LIMIT - len(rest)] + rest


def shown(node: ast.AST) -> str:
    """Return an expression's text for a person, cut where it is long."""
    text = ast.unparse(node)
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 3] + "..."


def label_of(node: ast.Await, context: str) -> str:
    """Return what an await waits for: the callee and its arguments, without the context."""
    call = node.value
    if not isinstance(call, ast.Call):
        return text_of(call)
    callee = dotted(call.func) or text_of(call.func)
    head, dot, rest = callee.partition(".")
    if head == context:
        callee = "ctx" + dot + rest
    return f"{callee}({','.join(_arguments(call, context))})"


def _arguments(call: ast.Call, context: str) -> list[str]:
    texts = [
        _argument(each, context)
        for each in call.args
        if not (isinstance(each, ast.Name) and each.id == context)
    ]
    return texts + [f"{each.arg or '**'}={_argument(each.value, context)}" for each in call.keywords]


def _argument(node: ast.expr, context: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Call):
        name = next((each.value for each in node.keywords if each.arg == "name"), None)
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return name.value
        callee = (dotted(node.func) or text_of(node.func)).removeprefix(f"{context}.")
        return f"{callee}({','.join(_arguments(node, context))})"
    return text_of(node)


def is_named(node: ast.Await, context: str) -> bool:
    """Say whether a timer that is made in an await has a name written out: the user's own name for the place."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and dotted(call.func) == f"{context}.timer":
            names = [*call.args[1:2], *(each.value for each in call.keywords if each.arg == "name")]
            if any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in names):
                return True
    return False


def names_of_block(block: list[ast.stmt]) -> dict[ast.stmt, str]:
    """Return the path elements of the compound statements of a block."""
    plain = {statement: element for statement in block if (element := _element(statement)) is not None}
    counts = Counter(plain.values())
    return {
        statement: f"{element[0]}{'0' if counts[element] == 1 else '+'}{element[1]}"
        for statement, element in plain.items()
    }


def _element(statement: ast.stmt) -> tuple[str, str] | None:
    if isinstance(statement, (ast.If, ast.While)):
        kind = "if" if isinstance(statement, ast.If) else "while"
        endless = isinstance(statement.test, ast.Constant)
        return kind, "" if endless else f"({text_of(statement.test)})"
    if isinstance(statement, ast.For):
        return "for", f"({text_of(statement.target)} in {text_of(statement.iter)})"
    if isinstance(statement, ast.Match):
        return "match", "" if has_await(statement.subject) else f"({text_of(statement.subject)})"
    if isinstance(statement, ast.With):
        return "with", f"({', '.join(text_of(item.context_expr) for item in statement.items)})"
    return ("try", "") if isinstance(statement, ast.Try) else None


def case_name(case: ast.match_case) -> str:
    """Return the path element of a case."""
    guard = f" if {text_of(case.guard)}" if case.guard else ""
    return f"case {text_of(case.pattern)}{guard}"


def handler_name(handler: ast.ExceptHandler) -> str:
    """Return the path element of an except clause."""
    return f"except {text_of(handler.type)}" if handler.type else "except"
