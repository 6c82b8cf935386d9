"""Random programs for the coroutine fuzz, as source text: `program(seed)` is the same text in every process.

A program is some `@routine` functions and one `@workflow` function `main`. Loops are bounded by counters of their
own; the driver bounds the rest. What the compiler documents as refused or as different is not generated: a dict
or a view that changes while a loop goes over it, a `with` without manager, an await in a comprehension's body.
"""

from __future__ import annotations

import random

from coroutine_expressions import Expressions, Routine, Scope

SHADOWS = (
    "iter", "next", "type", "set", "GeneratorExit", "object", "slice", "repr", "exc", "self", "e", "RuntimeError",
)  # fmt: skip
CATCHES = (
    "Boom", "Dire", "(Boom, KeyError)", "Exception", "Exception", "BaseException", "(KeyError, IndexError)",
    "ArithmeticError", "Odd", "Halt", "pick(Boom, 'clause')", "(ZeroDivisionError, LookupError)", "OSError",
)  # fmt: skip


class Program(Expressions):
    """Writes statements; `block` and what it calls append to `lines` at an indent."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.lines: list[str] = []
        self.loops = 0
        self.handlers: list[str] = []
        self.fresh = 0
        self.result = "n"
        self.left = 0
        self.maybe: list[str] = []

    def put(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def new(self, stem: str) -> str:
        self.fresh += 1
        return f"{stem}_{self.fresh}"

    # -- functions -----------------------------------------------------------------------------------------

    def function(self, name: str, *, routine: Routine | None, size: int) -> None:
        rng = self.rng
        known = self.scope.routines
        self.scope = Scope(context=rng.choice(("ctx",) * 9 + ("world",)), routines=list(known))
        self.scope.cells = self.chance(0.5)
        self.scope.await_bound = 14 if routine is None else 6
        self.loops, self.handlers, self.left = 0, [], size
        self.maybe = ["z0", "z1"]
        self.result = routine.result if routine else "?"
        parameters = [self.scope.context]
        if routine:
            parameters += self.parameters(routine)
            self.put(0, "@routine")
        else:
            parameters += ["n0", "l0", "u0"]
            self.scope.names = {"n": ["n0"], "l": ["l0"], "u": ["u0"]}
            self.put(0, "@workflow")
        self.put(0, f"async def {name}({', '.join(parameters)}):")
        if self.chance(0.2):
            self.put(1, '"""A docstring."""')
        self.first_lines(routine)
        if routine and routine.recursive:
            self.put(1, f"if n0 > 0 and deep > 0: {self.recursion(routine)}")
        if self.scope.awaits == 0 or self.chance(0.5):
            self.statement_await(1, 2)
        self.block(1, 3 if routine is None else 2)
        while self.left > 0:
            if routine is None and self.chance(0.4):
                self.guarded_block(1, 2)
            else:
                self.statement(1, 3 if routine is None else 2)
        if routine is None or self.scope.awaits == 0:
            self.statement_await(1, 1)
        self.leave_return(1, 1)
        self.put(0, "")

    def parameters(self, routine: Routine) -> list[str]:
        texts = []
        counts: dict[str, int] = {}
        names: dict[str, list[str]] = {}
        for kind in routine.positional:
            text = f"{kind}{counts.get(kind, 0)}"
            counts[kind] = counts.get(kind, 0) + 1
            names.setdefault(kind, []).append(text)
            texts.append(text)
        if routine.variadic:
            texts.append("*rest")
        elif routine.keywords or routine.recursive:
            texts.append("*")
        for keyword, kind in routine.keywords:
            texts.append(f"{keyword}={'7' if kind == 'n' else repr('kw')}")
            names.setdefault(kind, []).append(keyword)
        if routine.recursive:
            texts.append("deep=2")
        if self.chance(0.2) and routine.keywords:
            texts.append("**more")
        self.scope.names = names
        return texts

    def recursion(self, routine: Routine) -> str:
        self.scope.awaits += 1
        arguments = [
            self.scope.context,
            "n0 - 1",
            *[self.name(kind) or "1" for kind in routine.positional[1:]],
        ]
        return f"n0 = len(str(await {routine.name}({', '.join(arguments)}, deep=deep - 1)))"

    def first_lines(self, routine: Routine | None) -> None:
        """Bind a few names of each kind; the rest of the function takes its values from them."""
        names = self.scope.names
        wanted = {"n": 3, "s": 1, "l": 2, "d": 1, "u": 2, "t": 1, "p": 1, "q": 1}
        for kind, count in wanted.items():
            for index in range(len(names.get(kind, ())), count):
                if self.chance(0.35 if routine is None else 0.6):
                    continue
                self.plain += self.chance(0.8)
                plain = self.plain
                text = self.pool() if kind == "q" else self.of(kind, 1)
                self.plain = 0
                assert plain in (0, 1)
                name = self.rng.choice(SHADOWS) if kind == "n" and self.chance(0.1) else f"{kind}{index}"
                if name in [each for known in names.values() for each in known]:
                    continue
                self.put(1, f"{name} = {text}")
                names.setdefault(kind, []).append(name)
        names.setdefault("n", [])
        if not names["n"]:
            self.put(1, "n0 = 1")
            names["n"].append("n0")
        if self.chance(0.5):
            self.put(1, "x0 = None")
            names["x"] = ["x0"]

    def guarded_block(self, indent: int, depth: int) -> None:
        """A block whose failures do not end the program, so that the rest of it is reached."""
        self.put(indent, "try:")
        self.guards += 1
        self.block(indent + 1, depth)
        self.block(indent + 1, depth)
        self.guards -= 1
        self.put(indent, "except (Exception, Halt) as e:" if self.chance(0.5) else "except BaseException:")
        self.put(indent + 1, f"{self.scope.context}.note('guarded', handled())")

    # -- blocks and statements -----------------------------------------------------------------------------

    def block(self, indent: int, depth: int) -> None:
        before = len(self.lines)
        for _ in range(self.rng.choice((1, 1, 2, 2, 3))):
            self.statement(indent, depth)
        if len(self.lines) == before:
            self.put(indent, "pass")

    def statement(self, indent: int, depth: int) -> None:
        self.left -= 1
        simple = [
            (6, self.statement_await), (4, self.statement_assign), (3, self.statement_note), (3, self.statement_augmented),
            (2, self.statement_unpack), (3, self.statement_alias), (3, self.statement_mutate), (1, self.statement_delete),
            (2, self.statement_unbound), (1, self.statement_closure), (3 if self.guards or self.loops else 1, self.statement_leave), (1, self.statement_annotated),
            (1, self.statement_line), (1, self.statement_cursor), (1, self.statement_exception_local),
        ]  # fmt: skip
        compound = [
            (4, self.statement_if), (3, self.statement_while), (4, self.statement_for), (3, self.statement_match),
            (6, self.statement_try), (3, self.statement_with),
        ]  # fmt: skip
        choices = simple + (compound if depth > 0 and self.left > 0 else [])
        if depth > 0 and self.left > 0:
            choices = [(weight, each) for weight, each in simple] + [
                (2 * weight, each) for weight, each in compound
            ]
        weights, writers = zip(*choices, strict=True)
        self.rng.choices(writers, weights)[0](indent, depth)

    def target(self, kind: str) -> str:
        return self.name(kind) or self.new(kind)

    def statement_await(self, indent: int, depth: int) -> None:
        kind = self.rng.choice("nnnbslldu")
        if self.scope.routines and self.chance(0.3):
            kind = self.rng.choice(self.scope.routines).result
        if self.scope.routines and self.chance(0.08):
            self.statement_job(indent, depth)
            return
        text = self.awaiting(kind, 2)
        if text.startswith("(") and self.chance(0.7) and "\n" not in text:
            text = text[1:-1]
        name = self.name(kind)
        if name and self.chance(0.6):
            text = f"{name} = {text}"
        elif self.chance(0.1):
            text = f"_ = {text}"
        self.put(indent, text)

    def statement_job(self, indent: int, depth: int) -> None:
        """Await a coroutine that was made before."""
        job = self.new("job")
        routine, other = self.rng.choice(self.scope.routines), self.rng.choice(self.scope.routines)
        self.scope.awaits += 1
        if self.chance(0.5):
            self.put(indent, f"{job} = {self.call(routine, 1)}")
            self.put(indent, f"{self.scope.context}.note(await {job})")
        else:
            first, second = self.call(routine, 0), self.call(other, 0)
            self.put(indent, f"await ({first} if {self.expr_b(1)} else {second})")

    def statement_cursor(self, indent: int, depth: int) -> None:
        """An iterator in a local variable, used on both sides of an await."""
        cursor, items = self.new("cursor"), self.name("l")
        if items is None or "iter" in self.scope.names["n"] or "next" in self.scope.names["n"]:
            return self.statement_note(indent, depth)
        self.put(indent, f"{cursor} = iter({self.rng.choice((items, f'tuple({items})', 'range(5)'))})")
        if self.chance(0.6):
            self.put(indent, f"{self.scope.context}.note(next({cursor}, -1))")
        self.statement_await(indent, depth)
        if self.chance(0.3):
            self.put(indent, f"grow({items}, {self.expr_n(1)})")
        self.put(indent, f"{self.scope.context}.note([next({cursor}, -1), next({cursor}, -1)])")
        if self.chance(0.3):
            self.put(indent, f"for each in {cursor}:")
            self.put(indent + 1, f"{self.scope.context}.note(each, {self.awaiting('n', 1)})")
        return None

    def statement_assign(self, indent: int, depth: int) -> None:
        kind = self.rng.choice("nnsllduutpq")
        name = self.name(kind)
        if name is None or kind == "q":
            if kind == "q" and name:
                self.put(indent, f"{name} = {self.pool()}")
            else:
                self.statement_note(indent, depth)
            return
        value = self.of(kind, 2)
        value = f"small({value})" if kind == "n" else value
        value = f"{value}[:{8}]" if kind == "l" and self.chance(0.4) else value
        other = self.name(kind)
        if other and other != name and self.chance(0.2):
            self.put(indent, f"{name} = {other} = {value}")
        else:
            self.put(indent, f"{name} = {value}")

    def statement_note(self, indent: int, depth: int) -> None:
        values = [self.display(1 + self.chance(0.5)) for _ in range(self.rng.choice((1, 1, 2)))]
        known = [name for names in self.scope.names.values() for name in names]
        values += self.rng.sample(known, min(len(known), self.rng.choice((0, 1, 2, 3))))
        self.put(indent, f"{self.scope.context}.note({', '.join(values)})")

    def statement_augmented(self, indent: int, depth: int) -> None:
        self.no_walrus += 1
        try:
            self.put(indent, self.augmented())
        finally:
            self.no_walrus -= 1

    def augmented(self) -> str:
        unit, items, table = self.name("u"), self.name("l"), self.name("d")
        forms = [
            lambda: f"{self.target_known('n')} {self.rng.choice(('+=', '-=', '^=', '|='))} {self.expr_n(2)}"
        ]
        if unit:
            forms.append(lambda: f"{unit}.hp {self.rng.choice(('+=', '-='))} {self.expr_n(2)}")
            forms.append(lambda: f"pick({unit}, 'target').hp += {self.expr_n(2)}")
            forms.append(lambda: f"{unit}.tags += [{self.expr_n(1)}][len({unit}.tags) // 8:]")
        if items:
            forms.append(lambda: f"{items} += {self.expr_l(1)}[:1 if len({items}) < 8 else 0]")
            forms.append(
                lambda: f"if {items}: {items}[{self.sync('n', 1)} % len({items})] += {self.expr_n(2)}"
            )
            forms.append(lambda: f"{items}[{self.rng.randint(-1, 1)}:1] = {self.expr_l(1)}[:2]")
        if table:
            forms.append(lambda: f"{table}[{self.word()}] = {self.expr_n(2)}")
            forms.append(lambda: f"{table}[pick({self.word()}, 'key')] = {self.expr_n(2)}")
            forms.append(lambda: f"{table} |= {self.expr_d(1)}")
        return self.rng.choice(forms)()

    def target_known(self, kind: str) -> str:
        return self.name(kind) or self.scope.names["n"][0]

    def statement_unpack(self, indent: int, depth: int) -> None:
        a, b = self.target("n"), self.target("n")
        items, unit = self.name("l"), self.name("u")
        forms = [
            lambda: f"{a}, {b} = {self.expr_n(2)}, {self.expr_n(2)}",
            lambda: (
                f"({a}, *{items or '_'}), {b} = ({self.expr_n(1)}, *{self.expr_l(1)}[:3]), {self.expr_n(1)}"
            ),
            lambda: f"{a}, *{items or '_'} = [{self.expr_n(1)}, *{self.expr_l(2)}]",
            lambda: (
                f"[{a}, {b}] = {self.expr_l(2)}"
                if self.guards
                else f"[{a}, {b}] = (*{self.expr_l(2)}, 1, 2)[:2]"
            ),
        ]
        if unit:
            forms.append(lambda: f"{unit}.hp, {a} = {a}, {self.expr_n(2)}")
            forms.append(lambda: f"{a}, pick({unit}, 'owner').hp = {self.expr_n(2)}, {self.expr_n(1)}")
        if items:
            forms.append(lambda: f"{items}[0:1], {a} = [{self.expr_n(1)}], {self.expr_n(1)}")
        self.put(indent, self.rng.choice(forms)())

    def statement_alias(self, indent: int, depth: int) -> None:
        """Make two names mean one mutable thing, so that a copy in between would be seen."""
        unit, other, party = self.name("u"), self.name("u"), self.name("t")
        items, more = self.name("l"), self.name("l")
        forms = [lambda: f"{self.scope.context}.note('same', {items} is {more}, {unit} is {other})"]
        if party and unit:
            forms.append(lambda: f"{unit} = {party}[0]")
            forms.append(lambda: f"{party}[-1] = {unit}")
            forms.append(lambda: f"{party} = [{unit}, {other}, {unit}]")
            forms.append(lambda: f"{self.scope.context}.note([one is {unit} for one in {party}], {party})")
        if unit and items:
            forms.append(lambda: f"{unit}.tags = {items}")
            forms.append(lambda: f"{items} = {unit}.tags")
            forms.append(lambda: f"{self.scope.context}.note({unit}.tags is {items}, {unit})")
            forms.append(
                lambda: (
                    f"{unit}.mate = Crate({items})"
                    if self.chance(0.5)
                    else f"{unit}.mate = Pair({items}, {items})"
                )
            )
        if unit and other and unit != other:
            forms.append(lambda: f"{unit} = {other}")
            forms.append(lambda: f"{unit}.mate = {other} if {other}.mate is None else None")
        if items and more and items != more:
            forms.append(lambda: f"{items} = {more}")
        self.put(indent, self.rng.choice(forms)())

    def statement_mutate(self, indent: int, depth: int) -> None:
        unit, items, table, pool = self.name("u"), self.name("l"), self.name("d"), self.name("q")
        forms = [lambda: f"{self.scope.context}.note({self.expr_n(2)})"]
        if unit:
            forms.append(lambda: f"{unit}.hurt({self.expr_n(2)})")
            forms.append(lambda: f"{unit}.hp = {self.expr_n(2)}")
            forms.append(lambda: f"grow({unit}.tags, {self.expr_n(1)})")
            forms.append(lambda: f"if {unit}.mate is not None: {self.scope.context}.note({unit}.mate)")
        if items:
            forms.append(lambda: f"if len({items}) < 6: {items}.append({self.expr_n(2)})")
            forms.append(lambda: f"grow(pick({items}, 'grown'), {self.expr_n(2)})")
            forms.append(lambda: f"if {items}: {items}.pop()")
            forms.append(lambda: f"{items}.sort(key=lambda v: -v)")
        if table:
            forms.append(lambda: f"{table}.update(k={self.expr_n(2)})")
            forms.append(lambda: f"if len({table}) > 4: {table}.clear()")
        if pool:
            forms.append(lambda: f"{pool} = {pool}.copy()")
            forms.append(lambda: f"{pool}.discard({self.word()})")
            forms.append(lambda: f"{self.scope.context}.note({pool}, len({pool}))")
        self.put(indent, self.rng.choice(forms)())

    def statement_delete(self, indent: int, depth: int) -> None:
        name = self.new("gone")
        self.put(indent, f"{name} = {self.display(1)}")
        if self.chance(0.5):
            self.statement_await(indent, depth)
        if self.chance(0.4):
            self.put(indent, f"{self.scope.context}.note({name})")
        self.put(indent, f"del {name}")
        if self.chance(0.3):
            self.guarded_read(indent, name)

    def statement_unbound(self, indent: int, depth: int) -> None:
        name = self.rng.choice(self.maybe)
        form = self.rng.randrange(5)
        if form <= 1:
            self.put(indent, f"if {self.expr_b(2)}: {name} = {self.expr_n(1)}")
        elif form == 2:
            self.guarded_read(indent, name)
        elif form == 3:
            self.put(indent, "try:")
            self.put(indent + 1, f"del {name}")
            self.put(indent, "except NameError:")
            self.put(indent + 1, f"{name} = {self.expr_n(1)}")
        else:
            self.put(indent, f"for {name} in {self.expr_l(1)}[:2]:")
            self.put(indent + 1, self.awaiting("n", 1) if self.chance(0.7) else "pass")

    def guarded_read(self, indent: int, name: str) -> None:
        context = self.scope.context
        self.put(indent, "try:")
        self.put(indent + 1, f"{context}.note({name}{', ' + self.expr_n(1) if self.chance(0.4) else ''})")
        self.put(indent, f"except NameError as {self.rng.choice(('error', 'e'))}:")
        self.put(indent + 1, f"{context}.note('unbound', handled())")
        if self.chance(0.4):
            self.statement_await(indent + 1, 0)

    def statement_closure(self, indent: int, depth: int) -> None:
        """A function over locals, made and used between two awaits; its cells live on."""
        name, items = self.new("inner"), self.name("l")
        context = self.scope.context
        if not self.scope.cells:
            self.put(indent, f"{context}.note((lambda *v: v)({self.display(1)}))")
            return
        if self.chance(0.5):
            self.put(indent, f"{name} = lambda v, w={self.leaf_n()}: v + w + {self.captured()}")
        else:
            self.put(indent, f"def {name}(v, w=1):")
            if items:
                self.put(indent + 1, f"grow({items}, v)")
            self.put(indent + 1, f"return [v, w, {self.captured()}, {self.name('s') or 0}]")
        call = f"{name}({self.expr_n(0)})"
        self.put(indent, f"{context}.note({call})")

    def statement_annotated(self, indent: int, depth: int) -> None:
        name = self.new("typed")
        self.put(indent, f"{name}: int = {self.expr_n(2)}")
        if self.chance(0.5):
            self.statement_await(indent, depth)
        self.put(indent, f"{self.scope.context}.note({name})")

    def statement_line(self, indent: int, depth: int) -> None:
        """Two statements, two awaits, one line."""
        self.put(indent, f"{self.awaiting('n', 1)}; {self.target_known('n')} = {self.awaiting('n', 1)}")

    def statement_exception_local(self, indent: int, depth: int) -> None:
        name = self.name("x")
        if name is None:
            return self.statement_note(indent, depth)
        self.put(indent, f"if {name} is not None: {self.scope.context}.note({name}, {name} is handled())")
        if self.chance(0.4 if self.guards else 0.1):
            self.put(indent, f"if {name} is not None: raise {name}")
        return None

    # -- leaving -------------------------------------------------------------------------------------------

    def statement_leave(self, indent: int, depth: int) -> None:
        forms = [self.leave_raise] * (3 if self.guards else 1 if self.handlers or self.chance(0.3) else 0)
        if self.loops:
            forms += [self.leave_break, self.leave_continue] * 2
        if indent > 1 or not forms:
            forms.append(self.leave_return)
        leave = self.rng.choice(forms)
        if self.chance(0.85):
            self.put(indent, f"if {self.expr_b(2)}:")
            leave(indent + 1, depth)
        elif indent > 1:
            leave(indent, depth)
        else:
            self.statement_note(indent, depth)

    def leave_break(self, indent: int, depth: int) -> None:
        self.put(indent, "break")

    def leave_continue(self, indent: int, depth: int) -> None:
        self.put(indent, "continue")

    def leave_return(self, indent: int, depth: int) -> None:
        if self.result == "?":
            value = self.display(2)
            known = [name for names in self.scope.names.values() for name in names]
            more = self.rng.sample(known, self.rng.randint(0, len(known)))
            self.put(indent, f"return ({value}, {', '.join(more)})" if more else f"return {value}")
        elif self.chance(0.01):
            self.put(indent, "return")
        else:
            self.put(indent, f"return {self.of(self.result, 2)}")

    def error(self) -> str:
        return self.rng.choice((
            lambda: f"Boom({self.expr_n(1)})",
            lambda: f"Boom({self.word()}, {self.expr_n(1)})",
            lambda: "Dire()",
            lambda: f"Dire({self.expr_l(1)})",
            lambda: f"Boom({self.expr_n(2)}, {self.expr_s(2)})",
            lambda: f"pick(Boom({self.expr_n(1)}), 'raising')",
            lambda: f"Odd({self.word()}, level={self.expr_n(1)})",
            lambda: f"Halt({self.word()})",
            lambda: f"KeyError({self.word()})",
            lambda: f"OSError(2, {self.word()})",
            lambda: "StopIteration(3)",
            lambda: f"ExceptionGroup('many', [Boom({self.number()}), Dire()])",
            lambda: "Boom",
        ))()  # fmt: skip

    def leave_raise(self, indent: int, depth: int) -> None:
        if self.handlers and self.chance(0.5):
            caught = self.handlers[-1]
            form = self.rng.randrange(4)
            if form == 0 or not caught:
                self.put(indent, "raise")
            elif form == 1:
                self.put(indent, f"raise {self.error()} from {caught}")
            elif form == 2:
                self.put(indent, f"raise {self.error()} from None")
            else:
                self.put(indent, f"raise {caught}")
        elif self.chance(0.15):
            self.put(indent, f"raise {self.error()} from Dire({self.expr_n(2)})")
        else:
            self.put(indent, f"raise {self.error()}")

    # -- compound statements -------------------------------------------------------------------------------

    def statement_if(self, indent: int, depth: int) -> None:
        self.put(indent, f"if {self.expr_b(2)}:")
        self.block(indent + 1, depth - 1)
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            self.put(indent, f"elif {self.expr_b(2)}:")
            self.block(indent + 1, depth - 1)
        if self.chance(0.5):
            self.put(indent, "else:")
            self.block(indent + 1, depth - 1)

    def loop_body(self, indent: int, depth: int) -> None:
        self.loops += 1
        self.block(indent, depth - 1)
        self.loops -= 1

    def loop_else(self, indent: int, depth: int) -> None:
        if self.chance(0.35):
            self.put(indent, "else:")
            self.block(indent + 1, depth - 1)

    def statement_while(self, indent: int, depth: int) -> None:
        fuel = self.new("fuel")
        self.put(indent, f"{fuel} = {self.rng.randint(1, 3)}")
        if self.chance(0.3):
            self.put(indent, "while True:")
            self.put(indent + 1, f"{fuel} -= 1")
            self.put(indent + 1, f"if {fuel} < 0: break")
        elif self.chance(0.3):
            self.put(indent, f"while ({fuel} := {fuel} - 1) >= 0 and {self.expr_b(2)}:")
        else:
            tests = [f"{fuel} > 0", self.expr_b(2)]
            self.put(indent, f"while {' and '.join(tests)}:")
            self.put(indent + 1, f"{fuel} -= 1")
        self.loop_body(indent + 1, depth)
        self.loop_else(indent, depth)

    def statement_for(self, indent: int, depth: int) -> None:
        rng = self.rng
        a = self.target("n") if self.chance(0.4) else self.new("each")
        b = self.new("other")
        items, table, unit = self.name("l"), self.name("d"), self.name("u")
        forms = [
            lambda: (a, f"range({rng.randint(0, 3)})"),
            lambda: (a, f"range({self.expr_n(1)} % 4)"),
            lambda: (a, f"range(3, {rng.randint(-1, 1)}, -{rng.randint(1, 2)})"),
            lambda: (a, self.expr_l(2) + "[:3]"),
            lambda: (a, f"({self.expr_n(1)}, {self.expr_n(1)})"),
            lambda: (f"{a}, {b}", f"enumerate({self.expr_l(1)}[:3], {rng.randint(0, 2)})"),
            lambda: (f"{a}, {b}", f"zip({self.expr_l(1)}[:3], {self.expr_s(1)})"),
            lambda: (f"{a}, {b}", f"zip(range(5), [{self.expr_u(1)}, {self.expr_u(0)}])"),
            lambda: (a, f"reversed({self.expr_l(1)}[:3])"),
            lambda: (b, f"dict({self.expr_d(1)})"),
            lambda: (f"{b}, {a}", f"dict({self.expr_d(1)}).items()"),
            lambda: (a, f"list({self.expr_d(1)}.values())"),
            lambda: (b, f"dict({self.expr_d(1)}).keys()"),
            lambda: (a, f"dict({self.expr_d(1)}).values()"),
            lambda: (b, f"{self.expr_s(1)}[:3]"),
            lambda: (b, self.pool()),
            lambda: (b, self.pool()),
            lambda: (f"{a}, *{b}", f"[({self.expr_n(0)}, 1, 2), {self.expr_l(0)}]"),
            lambda: (a, f"[v + {self.captured()} for v in {self.iterable(1)}[:3]]"),
            lambda: (b, f"pick({self.expr_l(1)}[:2], 'iterable')"),
            lambda: (b, f"iter({self.expr_l(1)}[:3])" if "iter" not in self.scope.names["n"] else "()"),
            lambda: (
                b,
                f"map(str, {self.expr_l(1)}[:2])" if self.chance(0.03) else f"'{rng.choice(WORDS_TEXT)}'",
            ),
        ]
        if items:
            forms += [lambda: (a, items)] * 3
            forms.append(lambda: (f"{items}[0:1]", f"[{self.expr_l(0)}, [4], [5]]"))
        if self.name("t"):
            forms += [lambda: (self.name("u") or b, self.name("t"))] * 2
        if self.name("q"):
            pool = self.name("q")
            forms += [lambda: (b, f"{pool}.copy()")] * 2
        if unit:
            forms.append(lambda: (f"{unit}.hp", f"[{self.expr_n(0)}, {self.expr_n(1)}]"))
            forms.append(lambda: (a, f"{unit}.tags"))
        if table:
            forms.append(lambda: (b, f"{table}.copy()"))
        target, iterable = rng.choice(forms)()
        self.put(indent, f"for {target} in {iterable}:")
        if "pool" in iterable or ".copy" in iterable or target == b or self.chance(0.4):
            # A set's order is only promised for loops that suspend, so the body must.
            self.put(indent + 1, self.awaiting("n", 1))
        if b in target and self.chance(0.7):
            self.put(indent + 1, f"{self.scope.context}.note({b})")
        self.loop_body(indent + 1, depth)
        self.loop_else(indent, depth)
        if items and self.chance(0.2):
            self.put(indent, f"{items} = {items}[:6]")

    def statement_match(self, indent: int, depth: int) -> None:
        rng = self.rng
        a, b = self.target("n"), self.new("got")
        unit, items = self.name("u"), self.name("l")
        kind = rng.choice("nlduspm")
        subject = self.display(2) if kind == "m" else self.of(kind, 2)
        patterns = {
            "n": ["0", "1 | 2 | 3", f"int({b})" if self.chance(0.5) else "int()", "-1", "None", "bool()"],
            "l": [
                "[]",
                f"[{a}]",
                f"[{a}, {b}]",
                f"[{a}, *{items or '_'}]",
                "[0, *_, 1]",
                f"[*{b}, 1 | 2 as {a}]",
            ],
            "d": [f"{{'ale': {a}}}", f"{{'k': int() as {a}, **{b}}}", f"{{'cat': 1 | 2, 'bow': {b}}}", "{}"],
            "u": [
                f"Unit(hp={a})",
                "Unit(name='ale' | 'bow')",
                f"Unit(tags=[{a}, *{b}])",
                f"Unit({b}, 1 | 2 | 3)",
            ],
            "s": ["'ale'", f"'bow' | 'cat' as {b}", f"str({b})"],
            "p": [f"Point({a}, {b})", f"Point(x=0, y={a})", "Point(1 | 2 | 3, _)"],
        }
        patterns["m"] = [each for some in patterns.values() for each in some if f"[*{b}" not in each] + [
            "Mood.WILD"
        ]
        self.put(indent, f"match {subject}:")
        for pattern in rng.sample(patterns[kind], rng.randint(1, min(3, len(patterns[kind])))):
            guard = f" if {self.sync('b', 2)}" if self.chance(0.35) else ""
            self.put(indent + 1, f"case {pattern}{guard}:")
            if b in pattern and self.chance(0.6):
                if self.chance(0.5):
                    self.statement_await(indent + 2, 1)
                self.put(indent + 2, f"{self.scope.context}.note({b})")
            self.block(indent + 2, depth - 1)
        if self.chance(0.5):
            self.put(indent + 1, f"case {'_' if self.chance(0.6) else self.new('whole')}:")
            self.block(indent + 2, depth - 1)
        if unit and self.chance(0.1):
            self.put(indent, f"{self.scope.context}.note({unit})")

    def statement_try(self, indent: int, depth: int) -> None:
        handlers = self.rng.choice((0, 0, 1, 1, 1, 2, 3))
        self.put(indent, "try:")
        self.guards += handlers > 0
        self.block(indent + 1, depth - 1)
        if self.chance(0.5 if self.guards else 0.1):
            self.leave_raise_if(indent + 1, depth)
        self.guards -= handlers > 0
        for index in range(handlers):
            self.clause(indent, depth, last=index == handlers - 1)
        if handlers and self.chance(0.3):
            self.put(indent, "else:")
            self.block(indent + 1, depth - 1)
        if not handlers or self.chance(0.35):
            self.put(indent, "finally:")
            if self.chance(0.6):
                self.statement_await(indent + 1, 1)
            self.block(indent + 1, depth - 1)

    def leave_raise_if(self, indent: int, depth: int) -> None:
        if self.chance(0.6):
            self.put(indent, f"if {self.expr_b(1)}: raise {self.error()}")
        else:
            self.put(indent, f"raise {self.error()}")

    def clause(self, indent: int, depth: int, *, last: bool) -> None:
        shadowed = {name for name in self.scope.names["n"] if name in SHADOWS}
        catches = [each for each in CATCHES if each not in shadowed]
        context = self.scope.context
        if last and self.chance(0.12):
            name = ""
            self.put(indent, "except:")
        elif self.chance(0.7):
            name = (
                self.rng.choice(("e", "e", "e", "caught", "z1"))
                if "e" not in shadowed
                else self.new("caught")
            )
            self.put(indent, f"except {self.rng.choice(catches)} as {name}:")
        else:
            name = ""
            self.put(indent, f"except {self.rng.choice(catches)}:")
        self.handlers.append(name)
        if self.chance(0.4):
            self.put(indent + 1, f"{context}.note({name or 'handled()'})")
        if name and self.name("x") and self.chance(0.4):
            self.put(indent + 1, f"{self.name('x')} = {name}")
        if name and self.chance(0.1):
            self.put(indent + 1, f"{name}.add_note('seen')")
        if self.chance(0.5):
            self.statement_await(indent + 1, 1)
            if self.chance(0.5):
                self.put(indent + 1, f"{context}.note(handled(){', ' + name if name else ''})")
        self.block(indent + 1, depth - 1)
        self.handlers.pop()

    def statement_with(self, indent: int, depth: int) -> None:
        items = [self.manager() for _ in range(self.rng.choice((1, 1, 1, 2)))]
        if len(items) > 1 and self.chance(0.3):
            self.put(indent, f"with ({', '.join(items)}):")
        else:
            self.put(indent, f"with {', '.join(items)}:")
        self.block(indent + 1, depth - 1)
        if self.chance(0.25 if self.guards else 0.05):
            self.leave_raise_if(indent + 1, depth)

    def manager(self) -> str:
        swallows = self.rng.choice(
            ("", "Boom", "Boom Dire KeyError", "ZeroDivisionError", "Halt Boom", "Odd")
        )
        fails = self.rng.choice(("",) * 8 + ("enter", "exit"))
        text = f"Gate({self.expr_s(1)}, {swallows!r}{', ' + repr(fails) if fails else ''})"
        name = self.new("gate")
        if self.chance(0.15):
            return f"Loan({self.expr_l(1)}) as {self.name('l') or name}"
        if self.name("u") and self.chance(0.06):
            return f"{text} as {self.name('u')}.mate"
        return f"{text} as {name}" if self.chance(0.5) else text


WORDS_TEXT = ("ox", "a", "bcd")
RESULTS = "nnlus"


def program(seed: int) -> str:
    """The source text of one program."""
    rng = random.Random(seed)
    writer = Program(rng)
    made: list[Routine] = []
    for index in range(rng.choice((0, 1, 1, 2, 2, 3))):
        recursive = rng.random() < 0.15
        positional = tuple(
            ["n", *rng.sample("lust", rng.randint(0, 2))]
            if recursive
            else rng.sample("nlustn", rng.randint(0, 3))
        )
        keywords = (("amount", "n"),) if rng.random() < 0.3 else ()
        routine = Routine(
            f"r{index}", rng.choice(RESULTS), positional, keywords, rng.random() < 0.2, recursive
        )
        writer.scope.routines = list(made)
        writer.function(routine.name, routine=routine, size=rng.choice((2, 4, 6)))
        made.append(routine)
    writer.scope.routines = list(made)
    writer.function("main", routine=None, size=rng.choice((4, 8, 12, 18)))
    return "\n".join(writer.lines) + "\n"
