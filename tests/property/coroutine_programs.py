"""Random programs for the coroutine fuzz, as source text: `program(seed)` is the same text in every process.

A program is some `@routine` functions and one `@workflow` function `main`. Loops are bounded by counters of
their own; the driver bounds the rest. What the compiler documents as refused or as different is not
generated: a dict or an enumerated list that changes while a loop goes over it, an await in a
comprehension's body, and so on.
"""

from __future__ import annotations

import random
import re

import coroutine_statements as forms
from coroutine_expressions import STIRRING, Expressions, Routine, Scope

# Ordinary local variables, which compiled code must not take for the builtins that it needs itself.
SHADOWS = (
    "iter", "next", "type", "set", "GeneratorExit", "object", "slice", "repr", "exc", "self", "e",
    "RuntimeError",
)  # fmt: skip
RESULTS = "nnlus"
INDENT = "    "


class Program(Expressions):
    """Writes statements; everything appends to `lines` at an indent. `depth` bounds the nesting."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.lines: list[str] = []
        self.loops = 0
        self.handlers: list[str] = []
        self.left = 0
        self.result = ""
        self.small = False

    def put(self, indent: int, text: str) -> None:
        self.lines.extend(INDENT * indent + line for line in text.split("\n"))

    # -- functions -----------------------------------------------------------------------------------------

    def function(self, name: str, routine: Routine | None, size: int) -> None:
        self.scope = Scope(
            context=self.rng.choice(("ctx",) * 9 + ("world",)),
            routines=self.scope.routines,
            await_bound=6 if routine else 14,
            cells=self.chance(0.5),
        )
        self.loops, self.handlers, self.left = 0, [], size
        self.result = routine.result if routine else "v"
        depth = 2 if routine else 3
        self.head(name, routine)
        self.first_lines(0.85 if self.small else 0.6 if routine else 0.35)
        if routine and routine.recursive:
            self.recursion(routine)
        if self.scope.awaits == 0 or self.chance(0.5):
            self.statement_await(1, 2)
        while self.left > 0:
            if routine is None and self.chance(0.4):
                self.statement_guarded(1, 2)
            else:
                self.statement(1, depth)
        if routine is None:
            self.statement_await(1, 1)
        if self.chance(0.3) and not self.small:
            self.statement_everything(1)
        self.leave_return(1)
        self.put(0, "")

    def head(self, name: str, routine: Routine | None) -> None:
        names: dict[str, list[str]] = {}
        parameters = [self.scope.context]
        for kind in routine.positional if routine else "nlu":
            names.setdefault(kind, []).append(f"{kind}{len(names.get(kind, ()))}")
            parameters.append(names[kind][-1])
        if routine:
            if routine.variadic:
                parameters.append("*rest")
            elif routine.keywords or routine.recursive:
                parameters.append("*")
            for keyword, kind in routine.keywords:
                names.setdefault(kind, []).append(keyword)
                parameters.append(f"{keyword}=7")
            if routine.recursive:
                parameters.append("deep=2")
            if self.chance(0.2):
                parameters.append("**more")
        if self.small and not routine:
            del names[self.rng.choice("lu")]
        self.scope.names = names | {"z": ["z0", "z1"]}
        self.put(0, "@routine" if routine else "@workflow")
        self.put(0, f"async def {name}({', '.join(parameters)}):")
        if self.chance(0.2):
            self.put(1, '"""A docstring."""')

    def first_lines(self, missing: float) -> None:
        """Bind a few names of each kind; the rest of the function takes its values from them."""
        names = self.scope.names
        taken = {name for known in names.values() for name in known}
        for kind, count in {"n": 3, "s": 1, "l": 2, "d": 1, "u": 2, "t": 1, "p": 1, "q": 1}.items():
            for index in range(len(names.get(kind, ())), count):
                name = self.rng.choice(SHADOWS) if kind == "n" and self.chance(0.1) else f"{kind}{index}"
                needed = kind == "n" and "n" not in names
                if name in taken or (self.chance(missing) and not needed):
                    continue
                first = (
                    f"[Unit(~), Unit(~, {index})]"
                    if kind == "t"
                    else f"<{kind}1{'!' if self.chance(0.7) else ''}>"
                )
                self.put(1, f"{name} = {self.expand(first, 1)}")
                names.setdefault(kind, []).append(name)
                taken.add(name)
        if self.chance(0.5):
            self.put(1, "x0 = x1 = None")
            names["x"] = ["x0", "x1"]

    def recursion(self, routine: Routine) -> None:
        self.scope.awaits += 1
        arguments = ["@", "n0 - 1", *[f"<{kind}1>" for kind in routine.positional[1:]], "deep=deep - 1"]
        call = self.expand(f"{routine.name}({', '.join(arguments)})", 1)
        self.put(1, f"if n0 > 0 and deep > 0: n0 = len(str(await {call}))")

    # -- statements ----------------------------------------------------------------------------------------

    def block(self, indent: int, depth: int) -> None:
        for _ in range(self.rng.choice((1, 1, 2, 2, 3))):
            self.statement(indent, depth)

    def statement(self, indent: int, depth: int) -> None:
        self.left -= 1
        weights = SIMPLE | (COMPOUND if depth > 0 and self.left > 0 else {})
        writer = self.rng.choices(list(weights), list(weights.values()))[0]
        if isinstance(writer, str):
            self.write(self.choose(getattr(forms, writer)), indent, depth)
        else:
            writer(self, indent, depth)

    def write(self, template: str, indent: int, depth: int) -> None:
        """Expand a statement template: first its tokens, over all lines, then its words."""
        text = re.sub("GATE", lambda _: self.choose(forms.MANAGERS), template)
        lines = self.expand(text, 2).split("\n")
        for line in lines:
            word = line.strip()
            deeper = indent + (len(line) - len(line.lstrip())) // len(INDENT)
            if word in WORDS:
                WORDS[word](self, deeper, depth - 1)
            else:
                self.lines.append(INDENT * indent + line)

    def statement_await(self, indent: int, depth: int) -> None:
        routines = self.scope.routines
        if routines and self.chance(0.1):
            return self.statement_job(indent)
        kind = (
            self.rng.choice(routines).result
            if routines and self.chance(0.3)
            else self.rng.choice("nnnbslldu")
        )
        text = self.awaiting(kind, 2)
        if "\n" not in text and self.chance(0.7):
            text = text[1:-1]
        name = self.name(kind)
        if name and self.chance(0.6):
            text = f"{name} = {text}"
        elif self.chance(0.1):
            text = f"{text}; {self.name('n') or '_'} = {self.awaiting('n', 1)}"
        return self.put(indent, text)

    def statement_job(self, indent: int) -> None:
        """Await a coroutine that was made before, or one of two."""
        self.scope.awaits += 1
        calls = [self.call(self.rng.choice(self.scope.routines), 0) for _ in range(2)]
        if self.chance(0.5):
            job = self.new("job")
            self.put(indent, f"{job} = {calls[0]}\n{self.scope.context}.note(await {job})")
        else:
            self.put(indent, f"await ({calls[0]} if {self.of('b', 1)} else {calls[1]})")

    def statement_note(self, indent: int, depth: int) -> None:
        values = [self.of("v", 2) for _ in range(self.rng.choice((1, 1, 2)))]
        values += ["handled()"] * self.chance(0.15)
        self.put(indent, f"{self.scope.context}.note({', '.join(values + self.some_names())})")

    def statement_everything(self, indent: int) -> None:
        self.put(indent, f"{self.scope.context}.note('end', {', '.join(self.known_names())})")

    def known_names(self) -> list[str]:
        return [name for kind, names in self.scope.names.items() if kind != "z" for name in names]

    def some_names(self) -> list[str]:
        known = self.known_names()
        return self.rng.sample(known, self.rng.randint(0, min(3, len(known))))

    def statement_guarded(self, indent: int, depth: int) -> None:
        """Statements whose failure does not end the program, so that the rest of it is reached."""
        self.put(indent, "try:")
        self.block_try(indent + 1, depth)
        self.block_try(indent + 1, depth)
        self.put(
            indent, "except (Exception, Halt) as error:" if self.chance(0.5) else "except BaseException:"
        )
        self.put(indent + 1, f"{self.scope.context}.note('guarded', handled())")

    # -- leaving -------------------------------------------------------------------------------------------

    def statement_leave(self, indent: int, depth: int) -> None:
        ways = [self.leave_raise] * (3 if self.guards else int(bool(self.handlers) or self.chance(0.3)))
        ways += [self.leave_break, self.leave_continue] * (2 * (self.loops > 0))
        if indent > 1 or not ways:
            ways.append(self.leave_return)
        if indent == 1 or self.chance(0.85):
            self.put(indent, f"if {self.of('b', 2)}:")
            indent += 1
        self.rng.choice(ways)(indent)

    def leave_break(self, indent: int) -> None:
        self.put(indent, "break")

    def leave_continue(self, indent: int) -> None:
        self.put(indent, "continue")

    def leave_return(self, indent: int) -> None:
        value = self.of(self.result, 2)
        names = self.some_names() if self.result == "v" else []
        self.put(indent, f"return ({', '.join([value, *names])})")

    def leave_raise(self, indent: int) -> None:
        caught = self.handlers[-1] if self.handlers else None
        ways = ["raise <error>"] * 4 + ["raise <error> from Dire(<n2>)"]
        if caught is not None:
            ways += ["raise"] * 2 + ["raise <error> from None"]
        if caught:
            ways += [f"raise <error> from {caught}"] * 2 + [f"raise {caught}"]
        way = self.rng.choice(ways).replace("<error>", self.choose(forms.ERRORS))
        self.put(indent, self.expand(way, 2))

    # -- compound statements -------------------------------------------------------------------------------

    def block_loop(self, indent: int, depth: int) -> None:
        self.loops += 1
        self.block(indent, depth)
        self.loops -= 1

    def block_try(self, indent: int, depth: int) -> None:
        self.guards += 1
        self.block(indent, depth)
        self.guards -= 1

    def block_else(self, indent: int, depth: int, share: float) -> None:
        if self.chance(share):
            self.put(indent, "else:")
            self.block(indent + 1, depth)

    def statement_for(self, indent: int, depth: int) -> None:
        if self.chance(0.15):
            return self.write(self.choose(forms.FOR_SETS), indent, depth)
        head = self.expand(self.choose(forms.FOR_HEADS), 2)
        self.put(indent, head)
        if self.chance(0.4):
            self.statement_await(indent + 1, 1)
        target = head[4:].split(" in ")[0]
        if target.isidentifier() and self.chance(0.7):
            self.put(indent + 1, f"{self.scope.context}.note({target})")
        self.block_loop(indent + 1, depth - 1)
        return self.block_else(indent, depth - 1, 0.35)

    def statement_match(self, indent: int, depth: int) -> None:
        kind = self.rng.choice("nlduspvv")
        self.put(indent, f"match {self.of(kind, 2)}:")
        fitting = [each for each in forms.PATTERNS[kind] if self.fits(each)]
        for pattern in self.rng.sample(fitting, self.rng.randint(1, min(3, len(fitting)))):
            guard = " if <b2!>" if self.chance(0.35) else ""
            case = self.expand(f"case {pattern}{guard}:", 2)
            self.put(indent + 1, case)
            captured = re.search(r"got_\d+", case)
            if self.chance(0.4):
                self.statement_await(indent + 2, 1)
            if captured:
                self.put(indent + 2, f"{self.scope.context}.note({captured[0]})")
            self.block(indent + 2, depth - 1)
        if self.chance(0.5):
            self.put(indent + 1, f"case {'_' if self.chance(0.6) else self.new('whole')}:")
            self.block(indent + 2, depth - 1)

    def statement_try(self, indent: int, depth: int) -> None:
        clauses = self.rng.choice((0, 0, 1, 1, 1, 2, 3))
        self.put(indent, "try:")
        self.guards += clauses > 0
        self.block(indent + 1, depth - 1)
        if self.chance(0.5 if self.guards else 0.1):
            if self.chance(0.6):
                self.put(indent + 1, f"if {self.of('b', 1)}:")
            self.leave_raise(indent + 1 + self.lines[-1].endswith(":"))
        self.guards -= clauses > 0
        for index in range(clauses):
            self.clause(indent, depth, last=index == clauses - 1)
        if clauses:
            self.block_else(indent, depth - 1, 0.3)
        if not clauses or self.chance(0.35):
            self.put(indent, "finally:")
            if self.chance(0.6):
                self.statement_await(indent + 1, 1)
            self.block(indent + 1, depth - 1)

    def clause(self, indent: int, depth: int, *, last: bool) -> None:
        name = self.rng.choice(("e_", "e_", "caught", "z1", "", ""))
        if last and self.chance(0.12):
            name, head = "", "except:"
        else:
            head = f"except {self.rng.choice(forms.CATCHES)}{' as ' + name if name else ''}:"
        self.put(indent, head)
        note = f"{self.scope.context}.note(handled(), {name or None})"
        self.handlers.append(name)
        if self.chance(0.4):
            self.put(indent + 1, note)
        if name and self.name("x") and self.chance(0.4):
            self.put(indent + 1, f"{self.name('x')} = {name}")
        if name and self.chance(0.1):
            self.put(indent + 1, f"{name}.add_note('seen')")
        if self.chance(0.5):
            self.statement_await(indent + 1, 1)
            if self.chance(0.5):
                self.put(indent + 1, note)
        self.block(indent + 1, depth - 1)
        if name and self.chance(0.08):
            self.put(indent + 1, self.rng.choice((f"del {name}", f"{name} = 1", f"{name} = 1\nraise")))
        self.handlers.pop()


SIMPLE = {
    Program.statement_await: 6, Program.statement_note: 3, Program.statement_leave: 2, "ASSIGN": 6,
    "AUGMENTED": 3, "ALIAS": 3, "MUTATE": 3, "STORE": 2, "UNBOUND": 2, "CLOSURE": 1,
}  # fmt: skip
COMPOUND = {
    "IF": 6, "WHILE": 6, "WITH": 6, Program.statement_for: 8, Program.statement_match: 6,
    Program.statement_try: 14,
}  # fmt: skip
WORDS = {
    "AWAIT": Program.statement_await, "NOTE": Program.statement_note, "BLOCK": Program.block,
    "LOOP": Program.block_loop, "TRY": Program.block_try,
}  # fmt: skip


def program(seed: int) -> str:
    """The source text of one program."""
    rng = random.Random(seed)
    writer = Program(rng)
    # Small programs keep few variables alive at once, so that a variable kept or lost by mistake is noticed.
    writer.small = rng.random() < 0.6
    writer.stirring = rng.random() < 0.4
    if writer.stirring:
        writer.put(0, STIRRING)
    for index in range(rng.choice((0, 0, 0, 1)) if writer.small else rng.choice((0, 1, 1, 2, 2, 3))):
        routine = random_routine(rng, index)
        writer.function(routine.name, routine, rng.choice((2, 4, 6)))
        writer.scope.routines = [*writer.scope.routines, routine]
    writer.function("main", None, rng.choice((2, 3, 4, 6) if writer.small else (4, 8, 12, 18)))
    return "\n".join(writer.lines) + "\n"


def random_routine(rng: random.Random, index: int) -> Routine:
    recursive = rng.random() < 0.15
    positional = rng.sample("nlustn", rng.randint(0, 3))
    return Routine(
        f"r{index}",
        rng.choice(RESULTS),
        ("n", *[kind for kind in positional if kind != "n"]) if recursive else tuple(positional),
        (("amount", "n"),) if rng.random() < 0.3 else (),
        variadic=rng.random() < 0.2,
        recursive=recursive,
    )
