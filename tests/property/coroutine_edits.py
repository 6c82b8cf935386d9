"""Edits of a program that do not change what it does: whoever is resumed in the edited code must not notice.

Each edit draws what it needs and changes the syntax tree in place. Some put a decoy beside an await: a place that
is never reached, and that looks like the await did before, which itself is written in another way.
"""

from __future__ import annotations

import ast
import copy
import random

Block = list[ast.stmt]
Await = tuple[Block, int, ast.Call]
"""A statement, by its block and index, and the call in it that is awaited."""

BODIES = ("body", "orelse", "finalbody")


def edited(source: str, rng: random.Random) -> str:
    """Return a program's text after one to three edits."""
    module = ast.parse(source)
    for _ in range(rng.choice((1, 1, 2, 3))):
        functions = [node for node in module.body if isinstance(node, ast.AsyncFunctionDef)]
        function = rng.choice(functions)
        edit = rng.choice(
            (insert, insert, attempt, attempt, condition, once, swap, dead, decoy, decoy, decoy)
        )
        edit(function, rng)
    return ast.unparse(ast.fix_missing_locations(module)) + "\n"


def blocks(node: ast.AST) -> list[Block]:
    """List the blocks of a function, not those of functions in it."""
    found: list[Block] = []
    for field in BODIES:
        body = getattr(node, field, None)
        if isinstance(body, list) and body:
            found.append(body)
            for statement in body:
                if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                    found += blocks(statement)
    for inner in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        found += blocks(inner)
    return found


def place(function: ast.AsyncFunctionDef, rng: random.Random) -> tuple[Block, int]:
    block = rng.choice(blocks(function))
    return block, rng.randrange(len(block))


def parsed(text: str, hole: Block | None = None) -> Block:
    """Parse statements; a statement `HOLE` in them becomes those given."""
    body = ast.parse(text).body
    for block in [body, *(each for statement in body for each in blocks(statement))]:
        for index, statement in enumerate(block):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Name) and hole is not None:
                block[index : index + 1] = hole
                return body
    return body


def insert(function: ast.AsyncFunctionDef, rng: random.Random) -> None:
    block, index = place(function, rng)
    block[index:index] = parsed(
        rng.choice(("0", "if 0: pass", "try: pass\nfinally: pass", "for _ in (): pass", "while 0: pass"))
    )


def attempt(function: ast.AsyncFunctionDef, rng: random.Random) -> None:
    """Put a try around a statement."""
    block, index = place(function, rng)
    text = rng.choice(
        (
            "try: HOLE\nfinally: 0",
            "try: HOLE\nexcept MemoryError: raise",
            "try: HOLE\nexcept MemoryError: raise\nfinally: 0",
        )
    )
    block[index : index + 1] = parsed(text, block[index : index + 1])


def condition(function: ast.AsyncFunctionDef, rng: random.Random) -> None:
    block, index = place(function, rng)
    text = rng.choice(("if 1: HOLE", "if 0: pass\nelse: HOLE"))
    block[index : index + 1] = parsed(text, block[index : index + 1])


def once(function: ast.AsyncFunctionDef, rng: random.Random) -> None:
    """Put a loop of one round around a statement that leaves no loop."""
    block, index = place(function, rng)
    if not any(isinstance(each, (ast.Break, ast.Continue)) for each in ast.walk(block[index])):
        text = rng.choice(("while True:\n    HOLE\n    break", "for _ in [0]:\n    HOLE"))
        block[index : index + 1] = parsed(text, block[index : index + 1])


def swap(function: ast.AsyncFunctionDef, rng: random.Random) -> None:
    """Turn an if round."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.If)]
    if found:
        node = rng.choice(found)
        node.test = ast.UnaryOp(ast.Not(), node.test)
        node.body, node.orelse = node.orelse or [ast.Pass()], node.body


def awaits(function: ast.AsyncFunctionDef) -> list[Await]:
    """List the simple statements with an awaited call in them."""
    return [
        (block, index, node.value)
        for block in blocks(function)
        for index, statement in enumerate(block)
        if isinstance(statement, (ast.Expr, ast.Assign, ast.AugAssign, ast.Return))
        for node in ast.walk(statement)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
    ]


NEVER = (
    "if 0: HOLE",
    "if 1: pass\nelse: HOLE",
    "while 0: HOLE",
    "for _ in (): HOLE",
    "try: pass\nexcept MemoryError: HOLE",
    "match 0:\n    case 1: HOLE",
    "if 0:\n    try: HOLE\n    finally: 0",
    "while 0:\n    HOLE\n    break",
)
"""Places that are not reached."""


def dead(function: ast.AsyncFunctionDef, rng: random.Random) -> None:
    """Repeat a statement that awaits where it is not reached."""
    found = awaits(function)
    if found:
        block, index, _ = rng.choice(found)
        hole = [copy.deepcopy(block[index])]
        at = index + rng.choice((0, 1))
        block[at:at] = parsed(rng.choice(NEVER), hole)


def decoy(function: ast.AsyncFunctionDef, rng: random.Random) -> None:
    """Write an await in another way, and put it as it was where it is not reached."""
    found = awaits(function)
    if found:
        block, index, call = rng.choice(found)
        hole = [copy.deepcopy(block[index])]
        call.args = [ast.Starred(ast.Tuple(call.args, ast.Load()), ast.Load())]
        other, at = (block, index + rng.choice((0, 1))) if rng.random() < 0.5 else place(function, rng)
        other[at:at] = parsed(rng.choice(NEVER), hole)
