"""Hoisting: awaits inside expressions become statements of their own.

`f(a(), await x, b())` becomes `.t1 = a()`, `.t2 = await x`, `f(.t1, .t2, b())`. What Python evaluates before an await
goes into temporaries, left to right; what it evaluates after it stays. `and`, `or`, the ternary and chained
comparisons become ifs.

Some things need no temporary. A constant; a local variable, because nothing but a walrus in the same statement can
change it meanwhile (it is read once before the await, so that an unbound one fails where it should); a name of the
module. A callee's last attribute is looked up after the await, as bound methods cannot be stored.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from . import keys, names
from .scope import Scope, bound_names
from .sites import Draft, Hoisted
from .tree import COMPREHENSIONS, assign, dotted, has_await, load, statements

Slot = tuple[Any, Any]
"""Where an operand stands: an attribute of a node, or an index of a list."""


class ExpressionHoister:
    """Writes statements to `self.out` until what is left of an expression has no await."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.made = Hoisted()
        self.out: list[ast.stmt] = []
        self.path: tuple[str, ...] = ()
        self.around: dict[str, str] = {}
        self.temporaries: dict[str, str] = {}

    # -- awaits and temporaries ----------------------------------------------------------------------------

    def site(self, node: ast.Await) -> ast.Await:
        """Make an await a site, its operand's own awaits hoisted; return it."""
        context = self.scope.context
        label, named = keys.label_of(node, context), keys.is_named(node, context)
        signals, awaits = names.signals_of(node, self.scope), names.awaited_of(node, self.scope)
        node.value = self.value(node.value)
        draft = Draft(
            number=len(self.made.drafts) + 1,
            key="/".join((*self.path, label)),
            label=label,
            named=named,
            line=node.lineno,
            signals=signals,
            awaits=awaits,
            around=dict(self.around),
            temporaries=dict(self.temporaries),
        )
        self.made.drafts.append(draft)
        self.made.sites[node] = draft
        return node

    def first(self, node: ast.expr) -> ast.expr:
        """Hoist an expression that is the first thing its statement evaluates: a plain await may stay there."""
        return self.site(node) if isinstance(node, ast.Await) else self.value(node)

    def temporary(self, value: ast.expr, text: str) -> ast.Name:
        """Put a value aside."""
        name = self.new_temporary(text)
        self.out.append(assign(name, value))
        return load(name, value)

    def new_temporary(self, text: str) -> str:
        """Name a temporary; the names begin anew with each statement, since none outlives its own."""
        name = f".t{len(self.temporaries) + 1}"
        self.temporaries[name] = f"value {text}"
        return name

    def inside(self, write: Callable[[], None]) -> list[ast.stmt]:
        """Return what `write` appends, as a block of its own."""
        outer, self.out = self.out, []
        write()
        block, self.out = self.out, outer
        return block

    # -- expressions ---------------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> ast.expr:
        """Hoist the awaits of an expression; return what is left of it."""
        if not has_await(node):
            return node
        if isinstance(node, ast.Await):
            text = keys.text_of(node)
            return self.temporary(self.site(node), text)
        if isinstance(node, ast.NamedExpr):
            self.out.append(ast.copy_location(ast.Assign([node.target], self.first(node.value)), node))
            return load(node.target.id, node)
        if isinstance(node, (ast.BoolOp, ast.IfExp)):
            return self.branching(node)
        if isinstance(node, ast.Compare) and any(map(has_await, node.comparators[1:])):
            return self.chain(node)
        self.operands(_slots(node, self.scope))
        return node

    def branching(self, node: ast.BoolOp | ast.IfExp) -> ast.expr:
        """Turn `and`, `or` and the ternary into ifs."""
        name = self.new_temporary(keys.text_of(node))
        if isinstance(node, ast.BoolOp):
            self.alternatives(name, node.values, isinstance(node.op, ast.And))
        else:
            test = self.value(node.test)
            body = self.inside(lambda: self.put(name, node.body))
            orelse = self.inside(lambda: self.put(name, node.orelse))
            self.out.append(ast.copy_location(ast.If(test, body, orelse), node))
        return load(name, node)

    def put(self, name: str, value: ast.expr) -> None:
        """Assign an expression that may await."""
        self.out.append(assign(name, self.first(value)))

    def alternatives(self, name: str, values: list[ast.expr], conjunction: bool) -> None:
        """Evaluate the operands of `and` or `or` until one decides."""
        first, *others = values
        self.put(name, first)
        if others:
            body = self.inside(lambda: self.alternatives(name, others, conjunction))
            test = "NAME" if conjunction else "not NAME"
            self.out.extend(statements(f"if {test}: BODY", first, NAME=name, BODY=body))

    def chain(self, node: ast.Compare) -> ast.expr:
        """Turn `a < b < await c` into ifs."""
        name = self.new_temporary(keys.text_of(node))
        operands = [node.left, node.comparators[0]]
        self.operands([(operands, 0), (operands, 1)])
        self.links(name, operands[0], node, operands[1], 0)
        return load(name, node)

    def links(self, name: str, left: ast.expr, node: ast.Compare, right: ast.expr, index: int) -> None:
        """Compare two operands, and the next ones if that holds."""
        last = index == len(node.ops) - 1
        if not last and not _is_temporary(left):
            left = self.temporary(left, keys.text_of(left))
        middle = right if last or _is_temporary(right) else self.temporary(right, keys.text_of(right))
        comparison = ast.copy_location(ast.Compare(left, [node.ops[index]], [middle]), node)
        self.out.append(assign(name, comparison))
        if not last:

            def following() -> None:
                operand = self.value(node.comparators[index + 1])
                self.links(name, load(middle.id, middle), node, operand, index + 1)  # type: ignore[attr-defined] # A temporary.

            body = self.inside(following)
            self.out.extend(statements("if NAME: BODY", node, NAME=name, BODY=body))

    # -- operands ------------------------------------------------------------------------------------------

    def operands(self, slots: list[Slot]) -> None:
        """Hoist operands that Python evaluates in this order."""
        values = [_get(slot) for slot in slots]
        last = max((index for index, value in enumerate(values) if has_await(value)), default=-1)
        for index, (slot, value) in enumerate(zip(slots, values, strict=True)):
            if index < last:
                _set(slot, self.settled(value, values[index + 1 : last + 1]))
            elif index == last:
                _set(slot, self.value(value))

    def settled(self, node: ast.expr, later: list[ast.expr]) -> ast.expr:
        """Return an operand such that evaluating it after the `later` ones gives what it gives now."""
        text = keys.text_of(node)
        if isinstance(node, ast.Starred):
            value = ast.copy_location(
                ast.List(
                    [ast.copy_location(ast.Starred(self.value(node.value), ast.Load()), node)], ast.Load()
                ),
                node,
            )
            return ast.copy_location(ast.Starred(self.temporary(value, text), ast.Load()), node)
        if isinstance(node, ast.FormattedValue):
            self.operands([(node, "value")])
            formatted = self.temporary(ast.copy_location(ast.JoinedStr([node]), node), text)
            return ast.copy_location(ast.FormattedValue(formatted, -1), node)
        left = self.value(node)
        if isinstance(left, ast.Constant) or _is_temporary(left):
            return left
        if isinstance(left, ast.Lambda) and not left.args.defaults and not any(left.args.kw_defaults):
            return left
        if isinstance(left, ast.Name) and self.keeps(left.id, later):
            if left.id in self.scope.locals - self.scope.steady:
                self.out.append(ast.copy_location(ast.Expr(load(left.id, left)), left))
            return left
        return self.temporary(left, text)

    def keeps(self, name: str, later: list[ast.expr]) -> bool:
        """Say whether a name means the same after the later operands."""
        return name not in self.scope.cells and not any(name in bound_names(each) for each in later)


def _is_temporary(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id.startswith(".")


def _get(slot: Slot) -> ast.expr:
    holder, key = slot
    value: ast.expr = holder[key] if isinstance(holder, list) else getattr(holder, key)
    return value


def _set(slot: Slot, value: ast.expr) -> None:
    holder, key = slot
    if isinstance(holder, list):
        holder[key] = value
    else:
        setattr(holder, key, value)


def _slots(node: ast.AST, scope: Scope) -> list[Slot]:
    """List the operands of an expression in the order in which Python evaluates them."""
    if isinstance(node, ast.Call):
        arguments = [*_items(node.args), *((keyword, "value") for keyword in node.keywords)]
        return [*_callee(node, scope), *arguments]
    if isinstance(node, ast.Dict):
        return [slot for pair in zip(_items(node.keys), _items(node.values), strict=True) for slot in pair]
    if isinstance(node, COMPREHENSIONS):
        return [(node.generators[0], "iter")]
    if isinstance(node, ast.Compare):
        return [(node, "left"), (node.comparators, 0)]
    if isinstance(node, ast.Subscript):
        return [(node, "value"), *_index_slots(node, "slice")]
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return _items(node.elts)
    if isinstance(node, ast.JoinedStr):
        return _items(node.values)
    fields = {ast.BinOp: ("left", "right"), ast.UnaryOp: ("operand",)}.get(type(node), ("value",))
    return [(node, name) for name in fields]


def _items(items: list[Any]) -> list[Slot]:
    return [(items, index) for index in range(len(items))]


def _index_slots(holder: Any, key: Any) -> list[Slot]:
    """List the operands of a subscript: a slice object is not storable, so its ends are put aside instead."""
    index = _get((holder, key))
    if isinstance(index, ast.Slice):
        return [(index, name) for name in ("lower", "upper", "step") if getattr(index, name) is not None]
    if isinstance(index, ast.Tuple):
        return [slot for number in range(len(index.elts)) for slot in _index_slots(index.elts, number)]
    return [(holder, key)]


def _callee(call: ast.Call, scope: Scope) -> list[Slot]:
    """List what a callee evaluates before the arguments and can be put aside."""
    callee = call.func
    root = (dotted(callee) or "").split(".")[0]
    if root and (root not in scope.locals or root == scope.context or isinstance(callee, ast.Name)):
        return []
    return [(callee, "value")] if isinstance(callee, ast.Attribute) else [(call, "func")]
