"""Checking that a `match await ctx.select(...)` and its sources agree.

A source without a case would be taken from the inbox and dropped; a case without a source never happens. Both are
slips that no test of the other cases finds, so they are refused. Only what the text shows is judged: where a source
or a pattern could be anything, nothing is said that depends on it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .keys import shown
from .names import method_of
from .scope import Scope, bound_here
from .source import Source
from .tree import dotted, walk_scope

EVENTS = {"timer": "Elapsed", "every": "Beat", "spawn": "ChildDone", "run": "ActivityDone"}
"""What a source made by a method of the context gives."""
GENERAL = {"Signal", "object", "tuple"}
"""Classes in a pattern that match events of several sources."""

TimerName = str | None


@dataclass(frozen=True, slots=True)
class _Gives:
    """What a source gives: an event of this class, and for timers the name, where the text shows it."""

    event: str
    node: ast.expr
    named: bool = False
    name: TimerName = None


@dataclass(frozen=True, slots=True)
class _Takes:
    """What a pattern takes: events of this class, or any (None); of timers only those with these names."""

    event: str | None
    node: ast.pattern
    certain: bool
    names: tuple[TimerName, ...] | None = None


class SelectCheck:
    """Checks the matches of one function.

    `resolve` gives the object that a dotted name means, or None: classes are compared by their own names, so that
    a renamed import is the same class.
    """

    def __init__(self, source: Source, scope: Scope, resolve: Callable[[str], Any]) -> None:
        self.source = source
        self.scope = scope
        self.resolve = resolve

    def check(self) -> None:
        """Check every `match await ctx.select(...)`.

        Raises:
            CompileError: a source has no case, or a case has no source.
        """
        for statement in self.source.node.body:
            for node in walk_scope(statement):
                if isinstance(node, ast.Match) and isinstance(node.subject, ast.Await):
                    call = node.subject.value
                    if isinstance(call, ast.Call) and method_of(call, self.scope) == "select":
                        self._check(node, call)

    def _check(self, match: ast.Match, call: ast.Call) -> None:
        sources = [self._gives(argument) for argument in call.args]
        known = [source for source in sources if source is not None]
        takes = [
            each for case in match.cases for each in self._takes(case.pattern, certain=case.guard is None)
        ]
        for source in known:
            if not any(_covers(each, source) for each in takes):
                raise self.source.refusal(
                    f"no case takes what {shown(source.node)} gives",
                    f"add case {_example(source)}, without an if, or case _",
                    source.node,
                )
        if len(known) == len(sources):
            for each in takes:
                self._check_taken(each, known)

    def _check_taken(self, takes: _Takes, sources: list[_Gives]) -> None:
        fitting = [source for source in sources if takes.event in (None, source.event)]
        if takes.event is not None and not fitting and takes.event not in GENERAL:
            raise self.source.refusal(
                f"no source of this select gives {takes.event}", "add the source or drop the case", takes.node
            )
        for name in takes.names or ():
            if all(source.named and source.name != name for source in fitting):
                raise self.source.refusal(
                    f"no timer of this select is named {name!r}",
                    "name the timer so or drop the case",
                    takes.node,
                )

    # -- sources -------------------------------------------------------------------------------------------

    def _gives(self, node: ast.expr) -> _Gives | None:
        method = method_of(node, self.scope)
        if method is not None:
            assert isinstance(node, ast.Call)
            return self._made(method, node, node)
        name = dotted(node)
        if name is None:
            return None
        head = name.split(".")[0]
        if head not in self.scope.locals:
            known = self.resolve(name)
            return _Gives(self._class_name(name), node) if known is None or isinstance(known, type) else None
        return self._local(head, node) if head == name else None

    def _made(self, method: str, call: ast.Call, node: ast.expr) -> _Gives | None:
        event = EVENTS.get(method)
        if event != "Elapsed":
            return _Gives(event, node) if event else None
        named: list[ast.expr] = [
            *call.args[1:2],
            *(each.value for each in call.keywords if each.arg == "name"),
        ]
        if any(each.arg is None for each in call.keywords) or any(
            isinstance(each, ast.Starred) for each in call.args
        ):
            return _Gives(event, node)
        if not named:
            return _Gives(event, node, named=True)
        value = named[0].value if isinstance(named[0], ast.Constant) else ...
        if value is None or isinstance(value, str):
            return _Gives(event, node, named=True, name=value)
        return _Gives(event, node)

    def _local(self, name: str, node: ast.expr) -> _Gives | None:
        """Say what a local variable gives, if all that is ever assigned to it gives the same."""
        if name in self.scope.parameters:
            return None
        given: set[tuple[str, bool, TimerName] | None] = set()
        bindings = 0
        for statement in self.source.node.body:
            for each in walk_scope(statement):
                bindings += list(bound_here(each)).count(name)
                if isinstance(each, ast.Assign) and any(dotted(target) == name for target in each.targets):
                    bindings -= 1
                    method = method_of(each.value, self.scope)
                    made = (
                        self._made(method, each.value, node)
                        if method and isinstance(each.value, ast.Call)
                        else None
                    )
                    given.add((made.event, made.named, made.name) if made else None)
        if bindings or len(given) != 1:
            return None
        (what,) = given
        return what and _Gives(what[0], node, named=what[1], name=what[2])

    def _class_name(self, name: str) -> str:
        found = self.resolve(name)
        return found.__name__ if isinstance(found, type) else name.rpartition(".")[2]

    # -- patterns ------------------------------------------------------------------------------------------

    def _takes(self, pattern: ast.pattern, *, certain: bool) -> Iterator[_Takes]:
        if isinstance(pattern, ast.MatchOr):
            for each in pattern.patterns:
                yield from self._takes(each, certain=certain)
        elif isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
            yield from self._takes(pattern.pattern, certain=certain)
        elif isinstance(pattern, ast.MatchClass) and (name := dotted(pattern.cls)):
            event = self._class_name(name)
            names = _timer_names(pattern) if event == "Elapsed" else None
            inner = pattern.patterns + pattern.kwd_patterns
            if names is None:
                certain = certain and not any(
                    isinstance(each, (ast.MatchValue, ast.MatchSingleton)) for each in inner
                )
            yield _Takes(None if event in GENERAL else event, pattern, certain, names)
        else:
            yield _Takes(None, pattern, certain)


def _timer_names(pattern: ast.MatchClass) -> tuple[TimerName, ...] | None:
    """Return the timer names that `Elapsed("a" | "b")` takes, or None for any."""
    by_keyword = dict(zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True))
    first = pattern.patterns[0] if pattern.patterns else by_keyword.get("name")
    if first is None:
        return None
    names: list[TimerName] = []
    for each in first.patterns if isinstance(first, ast.MatchOr) else [first]:
        if isinstance(each, ast.MatchSingleton) and each.value is None:
            names.append(None)
        elif isinstance(each, ast.MatchValue) and isinstance(each.value, ast.Constant):
            names.append(str(each.value.value))
        else:
            return None
    return tuple(names)


def _covers(takes: _Takes, source: _Gives) -> bool:
    if not takes.certain or takes.event not in (None, source.event):
        return False
    return takes.names is None or not source.named or source.name in takes.names


def _example(source: _Gives) -> str:
    if source.event == "Elapsed" and source.name is not None:
        return f"Elapsed({source.name!r})"
    return f"{source.event}()"
