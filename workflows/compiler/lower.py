"""Lowering: make a function enterable at any of its awaits.

One function serves normal running and resume. `.pc` is 0 in normal running and the number of the await to reach
while skipping; sites are numbered in order, so each statement owns a range of them. Statements before the target
are skipped by a guard, blocks on the way are entered by force, and the await itself waits for `.r`, the awaitable
given on resume, in place of evaluating its operand. `.pc` is cleared before the await, or an exception thrown in
would find it set. `.at` says at which await the function is suspended, and the context's `live` holds
the values that a snapshot needs, since a look into the frame would cost more memory than all the rest.

Closing a coroutine (eviction, garbage collection, the interpreter's end) throws GeneratorExit into it. No code of the
user's may run then: it is caught first in every try that suspends, and `.pc` becomes -1, which the finally blocks see.
"""

from __future__ import annotations

import ast

from .lower_try import TryLowering
from .sites import Draft
from .tree import expression, load, statements, walk_scope


class Lowering(TryLowering):
    """Lowers hoisted statements; `block` is the entry."""

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Lower a block, in normal running or entered with `.pc` among its sites."""
        if not self.ends(body):
            return [self.exits(statement) for statement in body]
        last = max(index for index, statement in enumerate(body) if self.end(statement))
        lowered: list[ast.stmt] = []
        plain: list[ast.stmt] = []
        for index, statement in enumerate(body):
            if not self.end(statement):
                (plain if index < last else lowered).append(self.exits(statement))
                continue
            if plain:
                lowered += statements("if not d_pc: PLAIN", plain[0], PLAIN=plain)
                plain = []
            inner = self.statement(statement)
            if index < last:
                inner = statements("if d_pc <= END: BODY", statement, END=self.end(statement), BODY=inner)
            lowered += inner
        return lowered

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """Lower one statement that suspends."""
        if isinstance(node, ast.If):
            node.test = self.forced(node.test, node.body, node.orelse)
            node.body, node.orelse = self.block(node.body), self.orelse(node.orelse)
            return [node]
        if isinstance(node, ast.While):
            return self.loop_while(node)
        if isinstance(node, ast.For):
            return self.loop_for(node)
        if isinstance(node, ast.With):
            return self.manage(node)
        if isinstance(node, ast.Match):
            return self.match(node)
        if isinstance(node, ast.Try):
            return self.attempt(node)
        waiting = self.wait(getattr(node, "value"))  # noqa: B009 - the type checkers know no common base.
        return [*waiting, *self.leaving(node)]

    def wait(self, node: ast.Await) -> list[ast.stmt]:
        """Make an await enterable; return what goes before its statement."""
        draft = self.hoisted.sites[node]
        live = self.live_list(draft, node)
        node.value = expression(
            "OPERAND if not d_pc else (d_r, d_pc := 0, d_r := None)[0]", node.value, OPERAND=node.value
        )
        self.lowered.add(node)
        return statements(
            "d_at = NUMBER\nCONTEXT.live = LIVE", node, NUMBER=draft.number, CONTEXT=self.context, LIVE=live
        )

    def live_list(self, draft: Draft, node: ast.Await) -> ast.expr:
        """Return `[token, number, *values]`, which spares whoever takes the snapshot a look into the frame.

        None where a name may be unbound, or where the operand binds one.
        """
        names = [*draft.variables, *draft.hidden]
        binding = any(isinstance(each, ast.NamedExpr) for each in walk_scope(node.value))
        if binding or not self.hoisted.doubtful.isdisjoint(names):
            return ast.copy_location(ast.Constant(None), node)
        head = [ast.copy_location(ast.Constant(number), node) for number in (self.token, draft.number)]
        return ast.copy_location(ast.List([*head, *(load(name, node) for name in names)], ast.Load()), node)

    def forced(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], end: int = 0) -> ast.expr:
        """Return a test that while skipping is decided by which branch holds the target."""
        end = self.ends(body) or end
        if not end:
            return expression("not d_pc and TEST", test, TEST=test)
        if not self.ends(orelse):
            return expression("d_pc or TEST", test, TEST=test)
        return expression("TEST if not d_pc else d_pc <= END", test, TEST=test, END=end)

    def orelse(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Lower a block that may be missing."""
        return self.block(body) if body else []

    # -- loops ---------------------------------------------------------------------------------------------

    def loop_while(self, node: ast.While) -> list[ast.stmt]:
        """Lower a while loop; statements that its test needs move into it."""
        prelude = self.hoisted.preludes.get(node)
        before: list[ast.stmt] = []
        test, body = node.test, node.body
        if prelude:
            # This flag is true in the loop; a failed test clears it and goes round, so that the else clause is native.
            self.flags += 1
            flag = f".while{self.flags}"
            before = statements("FLAG = True", node, FLAG=flag)
            failed = statements("FLAG = not not TEST\nif not FLAG: continue", test, TEST=test, FLAG=flag)
            body = [*prelude, *failed, *body]
            test = expression("FLAG", test, FLAG=flag)
        node.test = self.forced(test, body, node.orelse)
        with self.loop():
            node.body = self.block(body)
        node.orelse = self.orelse(node.orelse)
        return [*before, node]

    def loop_for(self, node: ast.For) -> list[ast.stmt]:
        """Lower a for loop; its iterator is kept, and a resumed one gives a first item that is ignored."""
        name = self.hoisted.hidden.get(node)
        if name is None:  # Only its else clause waits.
            node.iter = expression("() if d_pc else ITER", node.iter, ITER=node.iter)
            with self.loop():
                node.body = self.block(node.body)
            node.orelse = self.block(node.orelse)
            return [node]
        start = statements(
            "if not d_pc: NAME = d_h.iterate(ITER, FUNCTION, FILE, LINE)",
            node.iter,
            NAME=name,
            ITER=node.iter,
            FUNCTION=ast.copy_location(ast.Constant(self.function), node),
            FILE=ast.copy_location(ast.Constant(self.filename), node),
            LINE=node.iter.lineno,
        )
        end = self.ends(node.body)
        resumed = "d_h.again(NAME) if d_pc <= END else ()" if self.ends(node.orelse) else "d_h.again(NAME)"
        again = expression(f"NAME if not d_pc else {resumed}", node.iter, NAME=name, END=end)
        target = ast.copy_location(ast.Assign([node.target], expression("d_x", node.target)), node.target)
        with self.loop():
            body = self.block(node.body)
        node.body = [*statements("if not d_pc: TARGET", node.target, TARGET=[target]), *body]
        node.target = ast.copy_location(ast.Name(".x", ast.Store()), node.target)
        node.iter = again
        node.orelse = self.orelse(node.orelse)
        return [*start, node]

    # -- with and match ------------------------------------------------------------------------------------

    def manage(self, node: ast.With) -> list[ast.stmt]:
        """Lower a with statement of one manager, which is kept and not entered again."""
        (item,) = node.items
        name = self.hoisted.hidden[node]
        start = statements(
            "if not d_pc: NAME = MANAGER", item.context_expr, NAME=name, MANAGER=item.context_expr
        )
        body = self.block(node.body)
        target: list[ast.stmt] = []
        if item.optional_vars is not None:
            value = expression("d_x", item.optional_vars)
            assignment = ast.copy_location(ast.Assign([item.optional_vars], value), item.optional_vars)
            target = statements("if not d_pc: TARGET", item.optional_vars, TARGET=[assignment])
            item.optional_vars = ast.copy_location(ast.Name(".x", ast.Store()), item.optional_vars)
        item.context_expr = expression("d_h.Manager(NAME, d_pc)", item.context_expr, NAME=name)
        node.body = [*target, *body]
        return [*start, node]

    def match(self, node: ast.Match) -> list[ast.stmt]:
        """A native match finds the case; its body is chosen by an if, which can be entered on resume."""
        if isinstance(node.subject, ast.Await):
            waiting = self.wait(node.subject)
            for case in node.cases:
                case.body = self.block(case.body)
            return [*waiting, node]
        bodies = [case.body for case in node.cases]
        chain: list[ast.stmt] = []
        for number, (case, body) in reversed(list(enumerate(zip(node.cases, bodies, strict=True), 1))):
            case.body = statements("d_c = NUMBER", case.pattern, NUMBER=number)
            rest = "\nelse: REST" if chain else ""
            block = self.block(body)
            chain = statements(
                f"if d_c == NUMBER: BODY{rest}", body[0], NUMBER=number, BODY=block, REST=chain
            )
        choice = expression("0", node)
        for number, body in reversed(list(enumerate(bodies, 1))):
            if self.ends(body):
                choice = expression(
                    "NUMBER if d_pc <= END else REST", node, NUMBER=number, END=self.ends(body), REST=choice
                )
        found = "if d_pc: d_c = CHOICE\nelse:\n    d_c = 0\n    MATCH"
        return [*statements(found, node, CHOICE=choice, MATCH=[node]), *chain]


def awaits_of(body: list[ast.stmt]) -> list[ast.Await]:
    """List the awaits of a function's own scope."""
    return [node for statement in body for node in walk_scope(statement) if isinstance(node, ast.Await)]
