"""Which variables a snapshot must hold: backward liveness over the hoisted statements.

A variable is live at an await if some path from there reads it before it is bound anew. Loops are followed until
nothing is added; all ways through a `finally` are taken together. Where anything may raise, what
the handlers need is live too. Hidden temporaries take part like any other variable; the hidden variables of loops,
managers, handlers and finally blocks are live in the whole block they serve and are not computed here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .scope import Scope, bound_names, read_names
from .sites import Hoisted
from .tree import exits_of

Names = frozenset[str]
NOTHING: Names = frozenset()


def mark_live(hoisted: Hoisted, scope: Scope) -> None:
    """Fill in `live` of each site: user variables, cells always, and temporaries; never the context."""
    for draft in hoisted.drafts:
        draft.live = set()
    entry = _Liveness(hoisted).block(hoisted.body, NOTHING, _Ways())
    # A way from an await to a read, and one from the entry to that await on which nothing binds the name, together
    # make it live at the entry. Cells are kept unseen, what is unbound on purpose may be so anywhere, and what a
    # nested function rebinds may change in the awaited call itself.
    maybe_unbound = {*entry, *scope.cells}.difference(scope.parameters) | scope.unbinding
    hoisted.doubtful = maybe_unbound | scope.rebound
    for draft in hoisted.drafts:
        draft.live = (
            draft.live & scope.locals | scope.cells | {name for name in draft.live if name[0] == "."}
        ) - {scope.context}


@dataclass(frozen=True, slots=True)
class _Ways:
    """What is live where control goes when it does not go on: on an exception, return, break, continue."""

    raised: Names = NOTHING
    returned: Names = NOTHING
    broken: Names = NOTHING
    continued: Names = NOTHING

    def without(self, name: str) -> _Ways:
        """Return the ways out of a block that unbinds a name when it is left."""
        gone = {name}
        return _Ways(self.raised - gone, self.returned - gone, self.broken - gone, self.continued - gone)


class _Liveness:
    """Each method takes what is live after a statement and the other ways out, and returns what is live before."""

    def __init__(self, hoisted: Hoisted) -> None:
        self.hoisted = hoisted

    def block(self, body: list[ast.stmt], after: Names, ways: _Ways) -> Names:
        for statement in reversed(body):
            after = self.statement(statement, after, ways)
        return after

    def statement(self, node: ast.stmt, after: Names, ways: _Ways) -> Names:
        if isinstance(node, ast.Return):
            return self.simple(node, ways.returned, ways)
        if isinstance(node, ast.Raise):
            return self.simple(node, ways.raised, ways)
        if isinstance(node, ast.Break):
            return ways.broken
        if isinstance(node, ast.Continue):
            return ways.continued
        if isinstance(node, ast.If):
            branches = self.block(node.body, after, ways) | self.block(node.orelse, after, ways)
            return branches | ways.raised | read_names(node.test)
        if isinstance(node, ast.While):
            return self.loop_while(node, after, ways)
        if isinstance(node, ast.For):
            return self.loop_for(node, after, ways)
        if isinstance(node, ast.With):
            return self.manage(node, after, ways)
        if isinstance(node, ast.Match):
            return self.match(node, after, ways)
        if isinstance(node, (ast.Try, ast.TryStar)):
            return self.attempt(node, after, ways)
        return self.simple(node, after, ways)

    def simple(self, node: ast.stmt, after: Names, ways: _Ways) -> Names:
        """A statement without blocks: what it binds is dead before it, what it reads is live."""
        if isinstance(node, ast.Pass):
            return after
        bound = set(_surely_bound(node))
        value = getattr(node, "value", None)
        if isinstance(value, ast.Await):
            live = self.wait(value, (after - bound) | _target_reads(node) | ways.raised)
            return live | ways.raised
        reads = read_names(node)
        if isinstance(node, ast.AugAssign):
            reads |= set(bound_names(node.target))
        return (after - bound) | reads | ways.raised

    def wait(self, node: ast.Await, live: Iterable[str]) -> Names:
        """Note what is live while an await waits; return what is live before its operand is evaluated."""
        self.hoisted.sites[node].live.update(live)
        return frozenset(live) | read_names(node.value)

    # -- loops ---------------------------------------------------------------------------------------------

    def loop_while(self, node: ast.While, after: Names, ways: _Ways) -> Names:
        prelude = self.hoisted.preludes.get(node, [])
        orelse = self.block(node.orelse, after, ways)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        head: Names = NOTHING
        while True:
            body = self.block(node.body, head, replace(ways, broken=after, continued=head))
            tested = read_names(node.test) | body | ways.raised | (NOTHING if endless else orelse)
            before = self.block(prelude, frozenset(tested), ways)
            if before <= head:
                return head
            head |= before

    def loop_for(self, node: ast.For, after: Names, ways: _Ways) -> Names:
        orelse = self.block(node.orelse, after, ways)
        targets = set(bound_names(node.target))
        head: Names = NOTHING
        while True:
            body = self.block(node.body, head, replace(ways, broken=after, continued=head))
            before = (body - targets) | read_names(node.target) | orelse | ways.raised
            if before <= head:
                return head | read_names(node.iter)
            head |= before

    # -- the other blocks ----------------------------------------------------------------------------------

    def manage(self, node: ast.With, after: Names, ways: _Ways) -> Names:
        inside = replace(ways, raised=ways.raised | after)  # A manager may swallow what is raised.
        live = self.block(node.body, after, inside)
        for item in reversed(node.items):
            if item.optional_vars is not None:
                live = (live - set(bound_names(item.optional_vars))) | read_names(item.optional_vars)
            live |= read_names(item.context_expr) | ways.raised
        return live

    def match(self, node: ast.Match, after: Names, ways: _Ways) -> Names:
        live = after  # No case may match.
        for case in reversed(node.cases):
            body = self.block(case.body, after, ways)
            certain = (
                isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
            )
            matched = ((body | read_names(case.guard)) - set(bound_names(case.pattern))) | read_names(
                case.pattern
            )
            # A pattern that fails, and a guard that fails after it, may still have bound its names or not.
            live = matched if certain else matched | live
        live |= ways.raised
        if isinstance(node.subject, ast.Await):
            return self.wait(node.subject, live)
        return live | read_names(node.subject)

    def attempt(self, node: ast.Try | ast.TryStar, after: Names, ways: _Ways) -> Names:
        if node.finalbody:
            after, ways = self.final(node, after, ways)
        bare = any(handler.type is None for handler in node.handlers)
        live = NOTHING if bare else ways.raised
        for handler in node.handlers:
            gone = {handler.name}
            inside = ways.without(handler.name) if handler.name else ways
            live |= (self.block(handler.body, after - gone, inside) - gone) | read_names(handler.type)
        orelse = self.block(node.orelse, after, ways)
        return self.block(node.body, orelse, replace(ways, raised=live)) | live

    def final(self, node: ast.Try | ast.TryStar, after: Names, ways: _Ways) -> tuple[Names, _Ways]:
        """Return what is live after the block that a finally protects, and the ways out through the finally.

        All ways are followed as one: a variable that only one of them needs is needed by all. Else a snapshot taken
        in the finally would hold its old value or not, depending on whether there was a resume before.
        """
        used = exits_of(node)
        beyond = after | ways.raised
        beyond |= ways.returned if ast.Return in used else NOTHING
        beyond |= ways.broken if ast.Break in used else NOTHING
        beyond |= ways.continued if ast.Continue in used else NOTHING
        live = self.block(node.finalbody, beyond, ways)
        return live, _Ways(live, live, live, live)


def _surely_bound(node: ast.stmt) -> Iterable[str]:
    """List the names that a statement binds whenever it completes; a walrus may stand in a branch."""
    if isinstance(node, ast.Assign):
        return [name for target in node.targets for name in bound_names(target)]
    if isinstance(node, ast.AnnAssign):
        return bound_names(node.target) if node.value is not None else ()
    if isinstance(node, ast.Delete):
        return ()
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return (node.name,)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return bound_names(node)
    return ()


def _target_reads(node: ast.stmt) -> set[str]:
    """Return what the targets of an assignment read: `a` and `i` of `a[i] = ...`."""
    reads: set[str] = set()
    for target in getattr(node, "targets", ()):
        reads |= read_names(target)
    return reads
