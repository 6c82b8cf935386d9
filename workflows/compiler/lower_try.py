"""Lowering of try statements, and of every way of leaving them.

A finally that awaits may be put away and brought back: then its block must be left again in the way it was left
before. So each such try keeps a record of that way: None for the end of the block, or a tuple of RAISED and the
exception, RETURNED and the value, BROKEN, CONTINUED. Each try has a record of its own: a `return` within a nested
finally, itself overtaken by a `break`, must not change what the outer one has pending. On resume the protected block is
replaced by leaving it as recorded, and the native finally runs with the same pending exit.

A handler that awaits keeps its exception. On resume the protected block raises it, and the clause is forced to
match. Raising it again would change its `__context__`, which is therefore put back.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from .sites import Hoisted
from .tree import SCOPES, Part, exits_of, expression, statements, walk_scope

RAISED, RETURNED, BROKEN, CONTINUED = 1, 2, 3, 4


class TryLowering:
    """The part of lowering that deals with exits."""

    def __init__(self, hoisted: Hoisted, function: str, filename: str, *, context: str, token: int) -> None:
        self.hoisted = hoisted
        self.function = function
        self.filename = filename
        self.context = context
        self.token = token
        self.lowered: set[ast.Await] = set()
        self.flags = 0
        self._ends: dict[ast.stmt, int] = {}
        # What encloses the place being lowered, outermost first: a record's name, or None for a loop.
        self._around: list[str | None] = []

    # -- ranges --------------------------------------------------------------------------------------------

    def end(self, node: ast.stmt) -> int:
        """Return the number of the last site in a statement, 0 where there is none."""
        if node not in self._ends:
            sites = self.hoisted.sites
            found = [sites[each].number for each in walk_scope(node) if isinstance(each, ast.Await)]
            for each in walk_scope(node):
                if isinstance(each, ast.While):
                    found += [self.end(statement) for statement in self.hoisted.preludes.get(each, ())]
            self._ends[node] = max(found, default=0)
        return self._ends[node]

    def ends(self, body: list[ast.stmt]) -> int:
        """Return the number of the last site in a block, 0 where there is none."""
        return max(map(self.end, body), default=0)

    # -- exits ---------------------------------------------------------------------------------------------

    @contextmanager
    def loop(self) -> Iterator[None]:
        """Lower the body of a loop: its break and continue leave nothing outside it."""
        self._around.append(None)
        yield
        self._around.pop()

    def records(self, node: ast.stmt) -> list[str]:
        """Return the records of the try statements that an exit leaves."""
        if isinstance(node, ast.Return):
            return [name for name in self._around if name is not None]
        inner: list[str] = []
        for name in reversed(self._around):
            if name is None:
                break
            inner.append(name)
        return inner

    def leaving(self, node: ast.stmt) -> list[ast.stmt]:
        """Return an exit with what records it; any other statement as it is."""
        if not isinstance(node, (ast.Return, ast.Break, ast.Continue)):
            return [node]
        records = self.records(node)
        if not records:
            return [node]
        first, *others = records
        if isinstance(node, ast.Return):
            value = node.value or ast.copy_location(ast.Constant(None), node)
            recorded = statements("NAME = (WAY, VALUE)", node, NAME=first, WAY=RETURNED, VALUE=value)
            node.value = expression("NAME[1]", value, NAME=first)
        else:
            way = BROKEN if isinstance(node, ast.Break) else CONTINUED
            recorded = statements("NAME = (WAY,)", node, NAME=first, WAY=way)
        for other in others:
            recorded += statements("NAME = FIRST", node, NAME=other, FIRST=first)
        return [*recorded, node]

    def exits(self, node: ast.stmt) -> ast.stmt:
        """Record the exits inside a statement that does not suspend."""
        if not any(self._around):
            return node
        (done,) = [node] if not isinstance(node, (ast.Return, ast.Break, ast.Continue)) else [self._one(node)]
        looping = isinstance(node, (ast.For, ast.While))
        for holder in [node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
            for field in ("body", "orelse", "finalbody"):
                body = getattr(holder, field, None)
                if isinstance(body, list) and not isinstance(node, SCOPES):
                    if looping and field == "body":
                        with self.loop():
                            setattr(holder, field, [self.exits(each) for each in body])
                    else:
                        setattr(holder, field, [self.exits(each) for each in body])
        return done

    def _one(self, node: ast.stmt) -> ast.stmt:
        left = self.leaving(node)
        return left[0] if len(left) == 1 else statements("if True: LEFT", node, LEFT=left)[0]

    # -- try -----------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Lower a block; see `Lowering`."""
        raise NotImplementedError

    def attempt(self, node: ast.Try) -> list[ast.stmt]:
        """Lower a try statement that suspends somewhere."""
        record = self.hoisted.hidden.get(node)
        if record is None:
            return self.guarded(node, self.clauses(node))
        ways = exits_of(node)  # Looked for before lowering, which takes the tree apart.
        self._around.append(record)
        protected = self.clauses(node)
        self._around.pop()
        inner = max(
            self.ends(node.body), self.ends(node.orelse), *(self.ends(h.body) for h in node.handlers), 0
        )
        again = self.leave_again(record, ways, node)
        normal = statements(
            "if d_pc <= END: PROTECTED\nelse: AGAIN", node, END=inner, PROTECTED=protected, AGAIN=again
        )
        final = self.block(node.finalbody)
        return statements(
            """
try:
    try:
        NORMAL
        RECORD = None
    except d_h.Exit:
        d_pc = -1
        raise
    except d_h.Base:
        RECORD = (WAY, d_h.exception())
        if d_pc:
            RECORD[1].__context__ = d_x
            d_x = None
        raise
finally:
    if d_pc >= 0:
        FINAL
        RECORD = None
""",
            node,
            NORMAL=normal,
            FINAL=final,
            RECORD=record,
            WAY=RAISED,
        )

    def leave_again(self, record: str, ways: set[type[ast.stmt]], node: ast.Try) -> list[ast.stmt]:
        """Leave the protected block in the way that the record says, while skipping to the finally."""
        again: list[ast.stmt] = []
        for way, kind in ((RETURNED, ast.Return), (BROKEN, ast.Break), (CONTINUED, ast.Continue)):
            if kind in ways:
                exit_ = ast.copy_location(kind(), node)
                if isinstance(exit_, ast.Return):
                    exit_.value = expression("RECORD[1]", node, RECORD=record)
                parts: dict[str, Part] = {"RECORD": record, "WAY": way, "LEAVE": self.leaving(exit_)}
                again += statements("if RECORD[0] == WAY: LEAVE", node, **parts)
        text = "d_x = RECORD[1].__context__\nraise RECORD[1]"
        raising = statements(text, node, RECORD=record)
        return statements(
            "if RECORD is not None:\n    if RECORD[0] == WAY: RAISE\n    AGAIN",
            node,
            RECORD=record,
            WAY=RAISED,
            RAISE=raising,
            AGAIN=again,
        )

    def guarded(self, node: ast.Try, protected: list[ast.stmt]) -> list[ast.stmt]:
        """Add a finally that does not await, kept from running when the coroutine is closed."""
        if not node.finalbody:
            return protected
        final = [self.exits(statement) for statement in node.finalbody]
        return statements(
            """
try:
    try:
        PROTECTED
    except d_h.Exit:
        d_pc = -1
        raise
finally:
    if d_pc >= 0:
        FINAL
""",
            node,
            PROTECTED=protected,
            FINAL=final,
        )

    def clauses(self, node: ast.Try) -> list[ast.stmt]:
        """Lower the body, the handlers and the else clause."""
        body_end = self.ends(node.body)
        body = self.block(node.body)
        if not node.handlers:
            return body
        # Skipping to a handler raises its exception in the body; skipping to the else clause passes by the body.
        raising: list[ast.stmt] = []
        for handler in node.handlers:
            if self.ends(handler.body):
                raising += statements(
                    "if d_pc <= END:\n    d_x = NAME.__context__\n    raise NAME",
                    handler,
                    END=self.ends(handler.body),
                    NAME=self.hoisted.hidden[handler],
                )
        later = bool(raising) or bool(self.ends(node.orelse))
        if later:
            test = "d_pc <= END" if body_end else "not d_pc"
            body = statements(f"if {test}: BODY\nelse: RAISE", node, END=body_end, BODY=body, RAISE=raising)
        handlers = [self.handler(handler, node) for handler in node.handlers]
        if body_end:
            handlers.insert(0, _exit_clause(node))
        orelse = self.block(node.orelse) if node.orelse else []
        return [ast.copy_location(ast.Try(body, handlers, orelse, []), node)]

    def handler(self, handler: ast.ExceptHandler, node: ast.Try) -> ast.ExceptHandler:
        """Lower one except clause."""
        end = self.ends(handler.body)
        later = any(self.ends(each.body) for each in node.handlers)
        if handler.type is not None and later:
            forced = "d_h.Base if d_pc <= END else ()" if end else "()"
            handler.type = expression(
                f"TYPE if not d_pc else {forced}", handler.type, TYPE=handler.type, END=end
            )
        if not end:
            handler.body = [self.exits(statement) for statement in handler.body]
            return handler
        kept = self.hoisted.hidden[handler]
        user, clear = "", ""
        if handler.name is not None:
            user, clear = "NAME = ", "NAME = None\n    del NAME"
        parts: dict[str, Part] = {"NAME": handler.name or "", "KEPT": kept}
        handler.body = statements(
            f"""
if d_pc:
    KEPT.__context__ = d_x
    d_x = None
else:
    {user}KEPT = d_h.exception()
try:
    BODY
finally:
    KEPT = None
    {clear}
""",
            handler,
            BODY=self.block(handler.body),
            **parts,
        )
        handler.name = None
        return handler


def _exit_clause(at: ast.AST) -> ast.ExceptHandler:
    """Return the clause that lets the closing of the coroutine pass by the user's handlers."""
    (attempt,) = statements("try: pass\nexcept d_h.Exit: raise", at)
    assert isinstance(attempt, ast.Try)
    return attempt.handlers[0]
