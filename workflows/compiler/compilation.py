"""`compile_coroutine`: the passes in their order, and the building of the function."""

from __future__ import annotations
import __future__ as features

import ast
import inspect
import itertools
import types
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from . import support
from .fingerprint import fingerprint_of
from .hoist import hoist
from .liveness import mark_live
from .lower import Lowering, awaits_of
from .names import meaning_of, subscriptions_of
from .ordering import order_sets
from .program import Program, Site, register
from .refusals import Refusals
from .scope import Scope
from .selects import SelectCheck
from .sites import Draft, Hoisted
from .slips import Slips
from .source import Source, find_source
from .tree import load, statements, store

_tokens = itertools.count()
_FUTURE = 0
for _name in features.all_feature_names:
    _FUTURE |= getattr(features, _name).compiler_flag


def compile_coroutine(function: Callable[..., Any], *, kind: Literal["workflow", "routine"]) -> Program:
    """Compile an async function so that it can be entered again at any of its awaits.

    Raises:
        CompileError: it uses something that cannot be made durable.
    """
    source = find_source(function, kind)
    node = source.node
    scope = Scope(node)
    Refusals(source, scope).check()
    resolve = partial(meaning_of, function)
    Slips(source, scope, resolve).check()
    SelectCheck(source, scope, resolve).check()
    fingerprint = fingerprint_of(node)
    subscriptions = subscriptions_of(node, scope)
    hoisted = hoist(node, scope)
    mark_live(hoisted, scope)
    order_sets(hoisted, node, resolve)
    sites = tuple(_site(draft) for draft in hoisted.drafts)
    token = next(_tokens)
    lowering = Lowering(hoisted, node.name, source.filename, context=scope.context, token=token)
    node.body = [*_prologue(sites, scope, node), *lowering.block(hoisted.body)]
    _verify(source, lowering.lowered, hoisted)
    program = Program(
        function,
        _build(function, source),
        kind=kind,
        fingerprint=fingerprint,
        sites=sites,
        subscriptions=subscriptions,
        token=token,
    )
    register(program)
    return program


def _site(draft: Draft) -> Site:
    hidden = draft.hidden
    return Site(
        number=draft.number,
        key=draft.key,
        label=draft.label,
        named=draft.named,
        line=draft.line,
        variables=draft.variables,
        hidden=tuple(hidden),
        hidden_state=tuple(hidden.values()),
        signals=draft.signals,
        awaits=draft.awaits,
    )


def _prologue(sites: tuple[Site, ...], scope: Scope, at: ast.AST) -> list[ast.stmt]:
    """Write what binds the variables on resume."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for site in sites:
        groups.setdefault((*site.variables, *site.hidden), []).append(site.number)
    restoring: list[ast.stmt] = []
    for names, numbers in groups.items():
        targets = ast.Tuple([store(name, at) for name in names], ast.Store())
        both = ast.Tuple([store(".r", at), ast.copy_location(targets, at)], ast.Store())
        body: list[ast.stmt] = [
            ast.copy_location(ast.Assign([ast.copy_location(both, at)], load(".r", at)), at)
        ]
        for name in names:
            if not name.startswith(".") and name not in scope.steady:
                body += statements("if NAME is d_h.UNBOUND: del NAME", at, NAME=name)
        test = " or ".join(f"d_pc == {number}" for number in numbers)
        restoring += statements(f"if {test}: RESTORE", at, RESTORE=body)
    return statements("if d_pc: RESTORE", at, RESTORE=restoring) if restoring else []


def _verify(source: Source, lowered: set[ast.Await], hoisted: Hoisted) -> None:
    """Make sure that no await slipped through."""
    found = awaits_of(source.node.body)
    for node in found:
        if node not in lowered:
            raise source.refusal("an await cannot stand here", "await it into a variable before", node)
    assert len(found) == len(hoisted.drafts), "an await was lost"


def _build(function: Callable[..., Any], source: Source) -> types.FunctionType:
    """Compile the lowered tree and make the function, with the original's globals, cells and defaults."""
    assert isinstance(function, types.FunctionType)
    code = _compiled(function, source)
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in code.co_freevars)
    built = types.FunctionType(code, function.__globals__, function.__name__, function.__defaults__, closure)
    built.__kwdefaults__ = {**(function.__kwdefaults__ or {}), ".pc": 0, ".r": None, ".h": support}
    built.__qualname__ = function.__qualname__
    built.__module__ = function.__module__
    built.__doc__ = function.__doc__
    built.__annotations__ = function.__annotations__
    built.__dict__.update(function.__dict__)
    built.__signature__ = inspect.signature(function)  # type: ignore[attr-defined] # What inspect looks for.
    return built


def _compiled(function: types.FunctionType, source: Source) -> types.CodeType:
    node = source.node
    _bare(node)
    body: list[ast.stmt] = [node]
    if function.__code__.co_freevars:
        # Free variables must be free again: the function is compiled within one that has them as parameters.
        parameters = ", ".join(function.__code__.co_freevars)
        (outer,) = ast.parse(f"def outer({parameters}): pass").body
        assert isinstance(outer, ast.FunctionDef)
        outer.body = body
        body = [ast.copy_location(outer, node)]
        ast.fix_missing_locations(outer)
    flags = function.__code__.co_flags & _FUTURE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The import has given them already.
        module = compile(ast.Module(body, []), source.filename, "exec", flags=flags, dont_inherit=True)
    return _code_named(module, node.name)


def _bare(node: ast.AsyncFunctionDef) -> None:
    """Leave off what was evaluated at the definition (decorators, annotations, defaults); add our parameters."""
    node.decorator_list = []
    node.returns = None
    arguments = node.args
    every = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    for argument in every:
        if argument is not None:
            argument.annotation = None
    arguments.defaults = [ast.copy_location(ast.Constant(None), each) for each in arguments.defaults]
    for name in (".pc", ".r", ".h"):
        arguments.kwonlyargs.append(ast.copy_location(ast.arg(name), node))
        arguments.kw_defaults.append(None)
    arguments.kw_defaults = [None for _ in arguments.kw_defaults]


def _code_named(code: types.CodeType, name: str) -> types.CodeType:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if constant.co_name == name and constant.co_flags & inspect.CO_COROUTINE:
                return constant
            return _code_named(constant, name)
    raise AssertionError(f"no code was made for {name}")
