"""Finding the syntax tree of a function.

The whole file is parsed, not the function's own text, so that every node keeps its line and column and
tracebacks, pdb and coverage of the compiled function show the user's file.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import re
import types
import warnings
from collections.abc import Callable
from typing import Any

from ..errors import CompileError
from .tree import copied

_parsed: tuple[str, list[str], ast.Module] | None = None
"""The file parsed last: a module's workflows are decorated one after the other."""


class Source:
    """A function's definition in its file.

    Attributes:
        node: its `async def`, a tree of its own that may be changed.
        filename, lines: the file.
    """

    __slots__ = ("filename", "lines", "node")

    def __init__(self, filename: str, lines: list[str], node: ast.AsyncFunctionDef) -> None:
        self.filename = filename
        self.lines = lines
        self.node = node

    def refusal(self, problem: str, remedy: str, at: ast.AST) -> CompileError:
        """Return the error for a place in the function."""
        line, column = getattr(at, "lineno", self.node.lineno), getattr(at, "col_offset", 0)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        # The tree counts bytes, a SyntaxError characters from 1.
        column = len(text.encode()[:column].decode(errors="replace")) + 1
        return CompileError(
            problem, remedy=remedy, filename=self.filename, line=line, column=column, source=text
        )


def find_source(function: Callable[..., Any], kind: str) -> Source:
    """Find the definition of an async function; `kind` is the decorator's name.

    Raises:
        CompileError: it is not a plain `async def`, is wrapped by a decorator, is defined in a class, does not take
            the context first, or has no source.
    """
    if not isinstance(function, types.FunctionType):
        raise CompileError(f"{function!r} is not a function", remedy="decorate an async def")
    code = function.__code__
    filename, first = code.co_filename, code.co_firstlineno
    linecache.checkcache(filename)
    lines = linecache.getlines(filename, function.__globals__)
    text = lines[first - 1] if 0 < first <= len(lines) else None
    name = function.__qualname__

    def refuse(problem: str, remedy: str) -> CompileError:
        return CompileError(problem, remedy=remedy, filename=filename, line=first, column=1, source=text)

    if code.co_name != function.__name__ or hasattr(function, "__wrapped__"):
        what = function.__name__
        raise refuse(
            f"a decorator below @{kind} wraps {what}", f"write @{kind} directly above the async def of {what}"
        )
    if inspect.isasyncgenfunction(function):
        raise refuse(f"{name} is an async generator", "use await instead of yield")
    if not inspect.iscoroutinefunction(function):
        raise refuse(f"{name} is not an async function", "write it as async def")
    if not lines:
        raise refuse(f"the source of {name} cannot be found", "keep its .py file beside the program")
    owner = name.rpartition(".")[0]
    if owner and not owner.endswith("<locals>"):
        raise refuse(f"{name} is defined in a class", "write it as a function of the module")
    node = _find(filename, lines, function.__name__, first)
    if node is None:
        raise refuse(f"{name} is not in its source", f"load it again: {filename} may have changed since")
    parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    if parameters != list(code.co_varnames[: code.co_argcount]):
        raise refuse(f"{name} differs from its source", f"load it again: {filename} may have changed since")
    if not parameters:
        raise refuse(f"{name} takes no context", f"write async def {function.__name__}(ctx, ...)")
    if parameters[0] in ("self", "cls"):
        raise refuse(f"{name} is a method", "write it as a function of the module, with ctx first")
    _check_context(node, refuse)
    return Source(filename, lines, node)


def _check_context(node: ast.AsyncFunctionDef, refuse: Callable[[str, str], CompileError]) -> None:
    """Refuse a function whose first parameter cannot be the context."""
    arguments = node.args
    first, *others = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if _is_context(first):
        return
    for each in others:
        if _is_context(each):
            remedy = f"write async def {node.name}({each.arg}, ...)"
            raise refuse(f"{each.arg} is not the first parameter of {node.name}", remedy)
    kind = first.annotation
    if isinstance(kind, ast.Name) and isinstance(getattr(builtins, kind.id, None), type):
        problem = f"the first parameter of {node.name} is the context, and {first.arg} is annotated {kind.id}"
        raise refuse(problem, f"write async def {node.name}(ctx, ...)")


def _is_context(parameter: ast.arg) -> bool:
    if parameter.arg == "ctx":
        return True
    annotation = parameter.annotation
    text = (
        annotation.value if isinstance(annotation, ast.Constant) else annotation and ast.unparse(annotation)
    )
    return isinstance(text, str) and "Context" in re.findall(r"\w+", text)


def _find(filename: str, lines: list[str], name: str, first: int) -> ast.AsyncFunctionDef | None:
    global _parsed  # noqa: PLW0603 - a cache of one entry.
    if _parsed is None or _parsed[0] != filename or _parsed[1] is not lines:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The import has given them already.
            _parsed = (filename, lines, ast.parse("".join(lines), filename))
    for node in ast.walk(_parsed[2]):
        if isinstance(node, ast.AsyncFunctionDef) and node.name == name:
            start = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            if start == first:
                return copied(node)  # The file's tree is kept for its other functions.
    return None
