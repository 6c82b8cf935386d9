"""The crash search: run a scenario once for each of its steps, with a crash right after that step.

Whatever a game does with its workflows, a crash at any moment must leave the same outcome. `stepped_world` says how a
crash comes to fall after one step, and `outcome` what is compared.
"""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from structlog.testing import capture_logs

from ..workflows.registry import Registered
from .outcome import Outcome, difference, differences
from .process_memory import ProcessMemory
from .stepped_world import SteppedWorld
from .testing import TestWorld

Scenario: TypeAlias = Callable[[TestWorld], Any]
Progress: TypeAlias = Callable[[int, int, str], None]
"""Called before each crash run with its number from 1, how many there will be, and the step it crashes after."""

ADVICE = (
    "What a workflow keeps across an await is its local variables. Global variables, objects outside of it and\n"
    "futures are lost in a crash; so are changes that it made to them."
)


class OutcomeDiffers(AssertionError):  # noqa: N818 - what an assertion says, not a fault of Deathless.
    """A scenario came to another end after a crash.

    Attributes:
        step: after which the crash was; 0 where the two runs differ without any.
        differences: what is different, each as text of one or more lines.
    """

    def __init__(self, step: int, headline: str, differences: list[str], advice: str) -> None:
        super().__init__("\n".join([headline, *differences, advice]))
        self.step = step
        self.differences = differences


@dataclass(frozen=True, slots=True)
class CrashReport:
    """A search that found nothing.

    Attributes:
        steps: how many steps the scenario makes.
        crashes: after how many of them it was crashed.
        outcome: what the scenario returned, each time.
    """

    steps: int
    crashes: int
    outcome: Any


class _Run(NamedTuple):
    outcome: Outcome
    places: list[str]


def crash_everywhere(
    scenario: Scenario,
    workflows: Iterable[Registered],
    *,
    directory: Path,
    every: int = 1,
    at: int | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> CrashReport:
    """Require that a scenario comes to the same end whichever of its steps a crash follows.

    A step is a message that changed a workflow. The end is what the scenario returns, and the status, result, error
    and local variables of every workflow, and the rows of every table.

    Args:
        scenario: `scenario(world)` starts workflows in a new world, sends signals and lets time go by. It is run once
            without a crash and once for each crash, and must do the same each time.
        workflows: what its world may run; see `TestWorld`.
        directory: for the worlds, which are removed again.
        every: crash after each so many steps only, from the first on, where a scenario is long.
        at: crash after this step only, and let its logs be seen: to look into a crash that was found.
        progress: told of each run.
        **options: of the worlds; see `TestWorld`.

    Raises:
        OutcomeDiffers: it comes to another end.
        TypeError, ValueError: `scenario`, `every`, `at` or an option is not what it should be.
        Exception: what the scenario raises, with a note that says after which step the crash was.
    """
    __tracebackhide__ = True
    if not callable(scenario) or inspect.iscoroutinefunction(scenario):
        raise TypeError(f"the scenario is an ordinary function of a world, not {scenario!r}")
    if every < 1:
        raise ValueError(f"every is at least 1, not {every!r}")
    search = _Search(scenario, tuple(workflows), directory, options)
    with _noted("in the run without a crash"):
        plain = search.run()
    steps = len(plain.places)
    if not steps:
        raise ValueError(
            "the scenario made no step: let it start a workflow, and then advance the world, as in\n"
            "    def scenario(world):\n        world.start(...)\n        world.advance(30)"
        )
    if at is not None and not 1 <= at <= steps:
        raise ValueError(f"at is one of the scenario's steps, 1 to {steps}, not {at!r}")
    chosen = range(1, steps + 1, every) if at is None else [at]
    for number, step in enumerate(chosen, 1):
        place = f"step {step} of {steps}: {plain.places[step - 1]}"
        if progress is not None:
            progress(number, len(chosen), place)
        with nullcontext() if at is not None else capture_logs():
            search.require_same(plain, step, place)
    return CrashReport(steps, len(chosen), plain.outcome.returned)


class _Search:
    """Runs one scenario again and again, each time in a new world, and leaves the process as it was."""

    def __init__(
        self,
        scenario: Scenario,
        workflows: tuple[Registered, ...],
        directory: Path,
        options: dict[str, Any],
    ) -> None:
        self._scenario = scenario
        self._workflows = workflows
        self._directory = directory
        self._options = options
        self._memory = ProcessMemory(workflows)

    def run(self, crash_after: int = 0) -> _Run:
        """Run it once."""
        __tracebackhide__ = True
        path = self._directory / "crash_search.deathless"
        shutil.rmtree(path, ignore_errors=True)
        world = SteppedWorld(path, self._workflows, crash_after, **self._options)
        try:
            returned = self._scenario(world)
            return _Run(Outcome.of(world, returned), world.places)
        finally:
            world.close()
            self._memory.restore()
            shutil.rmtree(path, ignore_errors=True)

    def require_same(self, plain: _Run, step: int, place: str) -> None:
        """Run it with a crash after a step, and compare it with the run without."""
        __tracebackhide__ = True
        with _noted(f"after a crash that followed {place}"):
            crashed = self.run(crash_after=step)
        for then, again in zip_longest(plain.places[:step], crashed.places[:step], fillvalue="none"):
            if then != again:
                raise _unrepeatable([difference("a step before any crash", then, again, "first", "again")])
        if not (found := differences(plain.outcome, crashed.outcome, "without", "with it")):
            return
        # A scenario that is never the same twice must not be blamed on a crash.
        with capture_logs():
            repeated = self.run()
        if others := differences(plain.outcome, repeated.outcome, "first", "again"):
            raise _unrepeatable(others)
        raise OutcomeDiffers(
            step,
            f"the outcome is another after a crash that followed {place}",
            found,
            f"{ADVICE}\nThis crash alone: crash_everywhere(..., at={step})",
        )


def _unrepeatable(found: list[str]) -> OutcomeDiffers:
    return OutcomeDiffers(
        0,
        "the scenario is another each time, without any crash",
        found,
        "It must do the same each time: no wall clock, ctx.random for random, nothing left from the run before.",
    )


@contextmanager
def _noted(note: str) -> Iterator[None]:
    """Say in an exception of the scenario in which run it was."""
    __tracebackhide__ = True
    try:
        yield
    except BaseException as error:
        error.add_note(f"raised in a crash search, {note}")
        raise
