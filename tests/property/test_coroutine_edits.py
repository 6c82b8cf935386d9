"""A program that is suspended goes on in an edited one as if nothing had been edited, or is held."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import coroutine_kit as kit
import coroutine_runs as runs
import pytest
from coroutine_edits import edited
from coroutine_programs import program

from deathless.workflows.compiler import UNBOUND, Program, resume_stack
from deathless.workflows.definition import ROUTINES, WorkflowType, routine_name
from deathless.workflows.errors import CompileError, NotARoutineError, UnstorableError
from deathless.workflows.versions import CodeBook, HeldError

EVERY = 3
"""Every so-many-th program of the other fuzz is edited."""


class Code:
    """A version of a program as a world keeps it: its functions, and the book of their descriptions."""

    def __init__(self, source: str, name: str, stored: dict[int, dict[str, Any]]) -> None:
        self.loaded = runs.load(source, name, durable=True)
        self.programs = self.loaded.programs
        kind = WorkflowType(self.programs["main"], name="main", version=1, signals=())
        self.book = CodeBook({"main": kind}, stored)

    def routines(self) -> dict[str, Program]:
        """Its routines by their stored names."""
        return {routine_name(each): each for each in self.programs.values() if each.kind == "routine"}


def check(native: runs.Loaded, old: Code, new: Code, script: runs.Script) -> Counter[str]:
    """Resume every suspension of the old code in the new one."""
    expected = runs.run_live(native, script)
    seen: Counter[str] = Counter()
    place: runs.Place | None = None
    while place is None or place.position < runs.BOUND:
        reached = runs.segment(old.loaded, script, place)
        if isinstance(reached, runs.Outcome):
            break
        place = reached
        try:
            frames = fitting(old, new, place.stack)
        except HeldError:
            seen["held"] += 1
            continue
        found = finish(new.loaded, frames, script, place)
        runs.compare(f"edited at suspension {place.position}", expected, found)
        seen["went on"] += 1
    return seen


def fitting(old: Code, new: Code, stack: bytes) -> list[Any]:
    frames = []
    for name, number, unbound, stored in runs.CODEC.unpack(stack):
        fit = new.book.fit(old.book.number_of(old.programs[name]), number)
        values = [UNBOUND if index in unbound else value for index, value in enumerate(stored)]
        frames.append((fit.program, fit.site, values if fit.arrange is None else fit.arrange(values)))
    return frames


def finish(loaded: runs.Loaded, frames: list[Any], script: runs.Script, place: runs.Place) -> runs.Outcome:
    """Run a resumed program to its end; lines do not count, as they have changed."""
    kit.TRACE[:] = place.trace
    coroutine = resume_stack(frames, kit.Context())
    label = place.label
    for position in range(place.position, runs.BOUND):
        try:
            label = runs.proceed(coroutine, script.answer(position, label))
        except BaseException as error:
            outcome = runs.ended(loaded, error, set())
            return runs.Outcome(outcome.trace, outcome.result, ["?"] * len(outcome.lines))
    return runs.endless(coroutine)


def test_edits_that_change_nothing_are_not_noticed(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, count = request.config.getoption("--seed"), request.config.getoption("--programs")
    seen: Counter[str] = Counter()
    for seed in range(first, first + count, EVERY if count > 1 else 1):
        before = program(seed)
        after = edited(before, random.Random(seed))
        try:
            old = Code(before, f"{seed}", {})
            for each in old.programs.values():
                old.book.number_of(each)
            new = Code(after, f"{seed}", old.book.fresh)
            for name, routine in new.routines().items():
                monkeypatch.setitem(ROUTINES, name, routine)
            native = runs.load(before, f"{seed}", durable=False)
            seen += check(native, old, new, runs.Script(seed, seed % len(runs.THROWING)))
        except (CompileError, UnstorableError, NotARoutineError):
            seen["refused"] += 1
        except Exception as error:
            again = f"pytest tests/property/test_coroutine_edits.py --programs 1 --seed {seed}"
            texts = f"{before}\n# edited:\n\n{after}"
            pytest.fail(f"{texts}\n{type(error).__name__}: {error}\n\nrepeat with: {again}", pytrace=False)
    with capsys.disabled():
        print(f" [seeds {first}..{first + count - 1}: {dict(seen)}]", end="")
    if count >= 100:
        assert seen["went on"] > count / 2, seen
        assert seen["held"] > count / 10, seen
