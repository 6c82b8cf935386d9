"""Random programs run natively and transformed, uninterrupted and resumed everywhere, must not differ."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

import coroutine_runs as runs
import pytest
from coroutine_programs import program
from coroutine_workers import Workers

from deathless.workflows.errors import CompileError, NotARoutineError, UnstorableError

CHUNK = 100
REFUSED_SHARE = 0.02
LONG_RUN = 1_000
HOPPING = 4
"""Every so-many-th program of a short run hops between processes; in a long run all do. Each must compile it."""

Reference = tuple[runs.Outcome, list[bytes]]


def failure(seed: int, problem: str) -> str:
    source = "".join(f"{number:4} {line}\n" for number, line in enumerate(program(seed).splitlines(), 1))
    return (
        f"program {seed}:\n{source}\n{problem}\n\nrepeat with: "
        f"pytest tests/property/test_coroutine_fuzz.py --programs 1 --seed {seed}"
    )


def check_here(seed: int, source: str) -> Reference:
    """Run a program in this process, every take in four ways; what one take showed, for other processes."""
    native = runs.load(source, str(seed), durable=False)
    durable = runs.load(source, str(seed), durable=True)
    references = [check_take(native, durable, runs.Script(seed, take)) for take in range(len(runs.THROWING))]
    return references[seed % len(references)]


def check_take(native: runs.Loaded, durable: runs.Loaded, script: runs.Script) -> Reference:
    expected = runs.run_live(native, script)
    looked: list[bytes] = []
    runs.compare("transformed", expected, runs.run_live(durable, script, looked))
    stored: list[bytes] = []
    every = runs.run_stored(durable, script, stored)
    runs.compare("resumed at every await", expected, every)
    runs.compare_stacks("resumed at every await", looked, stored)
    some: list[bytes] = []
    runs.compare("resumed at random awaits", expected, runs.run_sometimes(durable, script, some))
    runs.compare_stacks("resumed at random awaits", looked, some)
    return every, stored


def check_elsewhere(workers: Workers, sources: dict[int, str], references: dict[int, Reference]) -> None:
    """Run programs with each segment in another process than the one before."""
    places: dict[int, list | None] = dict.fromkeys(references)
    while places:
        for seed, reached in workers.hop(
            {seed: (sources[seed], place) for seed, place in places.items()}
        ).items():
            problem = compare_elsewhere(references[seed], reached)
            if problem:
                pytest.fail(failure(seed, f"in another process: {problem}"), pytrace=False)
            if reached[0] == "place" and reached[1] < runs.BOUND:
                places[seed] = reached[1:]
            else:
                del places[seed]
    workers.forget(references)


def compare_elsewhere(reference: Reference, reached: list) -> str | None:
    outcome, stacks = reference
    how, *rest = reached
    try:
        if how == "error":
            return rest[0]
        if how == "place":
            position, _, trace, stack = rest
            runs.compare(
                "trace so far", runs.Outcome(outcome.trace[: len(trace)], "", []), runs.Outcome(trace, "", [])
            )
            runs.compare_stacks(f"suspension {position}", stacks[position - 1 : position], [stack])
        else:
            runs.compare("outcome", outcome, runs.Outcome(*rest))
    except runs.Difference as difference:
        return str(difference)
    return None


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers() as pool:
        yield pool


def test_random_programs_run_the_same_natively_and_resumed_anywhere(
    request: pytest.FixtureRequest, workers: Workers, capsys: pytest.CaptureFixture[str]
) -> None:
    first, count = request.config.getoption("--seed"), request.config.getoption("--programs")
    all_hop = count == 1 or count >= LONG_RUN
    refused: Counter[str] = Counter()
    suspensions = 0
    for start in range(first, first + count, CHUNK):
        sources, references = {}, {}
        for seed in range(start, min(start + CHUNK, first + count)):
            sources[seed] = program(seed)
            try:
                references[seed] = check_here(seed, sources[seed])
            except (CompileError, UnstorableError, NotARoutineError) as refusal:
                refused[f"{type(refusal).__name__}: {refusal}"] += 1
            except Exception as error:
                pytest.fail(failure(seed, f"{type(error).__name__}: {error}"), pytrace=False)
            else:
                suspensions += len(references[seed][1])
        hopping = {seed: each for seed, each in references.items() if all_hop or seed % HOPPING == 0}
        check_elsewhere(workers, sources, hopping)
    with capsys.disabled():
        print(
            f" [seeds {first}..{first + count - 1}: {suspensions} suspensions, {refused.total()} refused]",
            end="",
        )
    assert refused.total() <= max(1, REFUSED_SHARE * count), refused.most_common(20)


def test_the_generator_writes_an_await_in_every_place_that_the_compiler_supports() -> None:
    places: Counter[str] = Counter()
    for seed in range(1, 301):
        for node in ast.walk(ast.parse(program(seed))):
            for name, value in ast.iter_fields(node):
                children = value if isinstance(value, list) else [value]
                for child in children:
                    if isinstance(child, ast.AST) and any(
                        isinstance(one, ast.Await) for one in ast.walk(child)
                    ):
                        places[f"{type(node).__name__}.{name}"] += 1
    missing = {place for place in PLACES.split() if places[place] < 3}
    assert not missing, f"too rare among 300 programs: {sorted(missing)}"


PLACES = """
    If.test If.body If.orelse While.test While.body While.orelse For.iter For.body For.orelse Match.subject
    Match.cases match_case.body Try.body Try.handlers Try.orelse Try.finalbody With.items With.body
    Return.value Raise.exc Raise.cause Assign.value AugAssign.value AnnAssign.value Expr.value BoolOp.values
    IfExp.test IfExp.body IfExp.orelse UnaryOp.operand BinOp.left BinOp.right Compare.left
    Compare.comparators Call.func Call.args keyword.value Starred.value Subscript.value Subscript.slice
    Slice.upper Attribute.value List.elts Tuple.elts Set.elts Dict.keys Dict.values FormattedValue.value
    NamedExpr.value comprehension.iter Await.value
"""
