"""The driver: sends a plan's inputs to a world, kills it, and keeps the ledger.

It is the client of the world. What was sent and not acknowledged when the world was killed is sent again, under the
same names and in the same order, and some of what it acknowledged just before, or long ago. So the ledger knows what
must be in the world, and nobody in the world's process has a say in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from .catalog import find_type
from .findings import look_at
from .frames import Frame, Task
from .inputs import Input, Kind
from .instruments import INSTRUMENTS
from .ledger import Ledger, read_ledger
from .local_world import LocalWorld, World
from .measures import Kill, Measures
from .outcome import Outcome, Phase, Progress
from .plan import Plan
from .repeats import EARLIER, Repeats
from .run_directory import RunDirectory
from .scenario import Scenario
from .verification import verify
from .world_client import WorldClient, WorldProcessError

MOST_UNACKNOWLEDGED = 20_000
"""Inputs on their way: more are not sent before some of these are durable; they stay due meanwhile."""
BATCH = 2_000
"""Inputs that are sent together, so that the world works on some while the next are made."""
SAMPLE_S = 1.0
DRAIN_WITHIN_S = 60.0
"""What is not acknowledged so long after the load is called unknown; a world that begins so, dead."""
LEAST_LIFE = 0.25
"""Of the time between two kills: so long the world lives after each recovery."""
CATCH_UP_S = 1.0
"""After a recovery frames count as catching up, until one is within its time and no longer than this."""
FEWEST_FRAMES_S = 1 / 120
"""A kill falls up to two frames later than it is decided, so that no part of a frame is safe from it."""


class Driver:
    """Runs one load test."""

    def __init__(
        self,
        scenario: Scenario,
        place: RunDirectory,
        *,
        watch: Callable[[Progress, Measures], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Prepare it.

        Args:
            scenario: what to run.
            place: where the world and the ledger lie.
            watch: called some times a second with how far it is.
            stopped: says whether to end early.
        """
        self._scenario = scenario
        self._place = place
        self._watch = watch
        self._stopped = stopped
        self._plan = Plan(scenario)
        self._task = task_of(scenario, place.world)
        self._world: World = (
            LocalWorld(self._task) if scenario.kill_every_s is None else WorldClient(self._task, place.log)
        )
        self._measures = Measures()
        self._random = Random(f"kills {scenario.seed}")  # noqa: S311 - when to kill.
        forgets = scenario.kill_every_s is None or scenario.prune_after_s is not None
        repeats = Random(f"repeats {scenario.seed}")  # noqa: S311 - what comes again.
        self._repeats = Repeats(repeats, most=0 if forgets else EARLIER)
        self._waiting: dict[int, tuple[Input, float]] = {}
        # Until when what is due counts as due across a kill.
        self._up_since_s = self._catch_up_until_s = 0.0
        self._catching_up = False
        self._in_time = False
        self._began_s = time.perf_counter()
        self._sample_at_s = SAMPLE_S
        self._kill_at_s = float("inf")
        self._kill_planned_s = 0.0
        self._load_at_s = self._heard_at_s = 0.0
        self._load_from_s: float | None = None
        self._now_s = 0.0
        self._idle = False

    def run(self) -> Outcome:
        """Run it to the end, or until it is stopped.

        Raises:
            DeathlessError, OSError: the world or the ledger cannot be written, or the world's process failed.
        """
        with Ledger(self._place.ledger) as self._ledger:
            try:
                self._open()
                self._populate()
                elapsed_s = self._load()
                virtual_s = self._now_s - (self._load_from_s or self._now_s)
                self._drain()
                interrupted = self._stopped()
                settled_s = self._now_s if self._idle and not self._waiting else None
                ended = self._world.end(digest=self._scenario.virtual)
            finally:
                self._world.kill()
        self._show(Phase.CHECKING, None)
        found = look_at(self._place.world, virtual=self._scenario.virtual, settled_s=settled_s)
        verdict = verify(
            read_ledger(self._place.ledger),
            found,
            self._task.entries,
            {kind: self._task.named or kind == Kind.NOTE for kind in Kind},
            prunes=self._scenario.prune_after_s is not None,
        )
        return Outcome(
            self._scenario,
            self._measures,
            verdict,
            found,
            ended.digest,
            interrupted,
            elapsed_s,
            virtual_s,
            self._plan.made,
        )

    # -- phases --------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._show(Phase.OPENING, None)
        self._now_s = self._world.open().now_s
        self._plan_kill()

    def _populate(self) -> None:
        began_s = self._elapsed()
        while not self._stopped() and (self._plan.made < self._plan.first or self._waiting):
            self._turn(self._plan.population(self._room()))
            self._show(Phase.STARTING, self._plan.made / max(1, self._plan.first))
            if self._waiting and self._elapsed() > max(began_s, self._heard_at_s) + DRAIN_WITHIN_S:
                raise WorldProcessError(
                    f"the world acknowledged none of {len(self._waiting)} inputs for {DRAIN_WITHIN_S:.0f} seconds"
                )
        self._settle()
        self._measures.populated = self._plan.made
        self._measures.populate_s = self._elapsed() - began_s
        self._measures.end_sample(self._elapsed())

    def _settle(self) -> None:
        """Let frames go by until one is within its time: the backlog of the starts is not the load's.

        Not in virtual time, where the load would begin in another frame on each machine, and end in another world.
        """
        if self._scenario.virtual:
            return
        until_s = self._elapsed() + CATCH_UP_S
        while not self._in_time and self._elapsed() < until_s and not self._stopped():
            self._world.pace()
            self._turn([])

    def _load(self) -> float:
        """Run the load; return how long it took."""
        scenario = self._scenario
        self._measures.loading(on=True)
        self._load_at_s, self._load_from_s = self._elapsed(), self._now_s
        while not self._stopped() and self._load_time() < scenario.seconds:
            self._world.pace()
            now_s = self._load_time()
            self._turn(self._plan.until(now_s, self._room()))
            self._show(Phase.LOAD, now_s / scenario.seconds)
        self._measures.end_sample(self._elapsed())
        self._measures.loading(on=False)
        return self._elapsed() - self._load_at_s

    def _drain(self) -> None:
        """Wait until all is acknowledged and no message is left over."""
        self._kill_at_s = float("inf")
        until_s = self._elapsed() + DRAIN_WITHIN_S
        while self._elapsed() < until_s and (self._waiting or not self._idle):
            self._world.pace()
            self._turn([])
            self._show(Phase.DRAINING, None)

    # -- steps of them -------------------------------------------------------------------------------------

    def _turn(self, inputs: list[Input]) -> None:
        """Send inputs, hear what is over, and kill the world if it is time to."""
        self._hear(self._send(inputs))
        if self._elapsed() >= self._kill_at_s:
            self._kill()
        if self._elapsed() >= self._sample_at_s:
            self._measures.end_sample(self._elapsed())
            self._sample_at_s = self._elapsed() + SAMPLE_S * self._measures.period_s

    def _send(self, inputs: list[Input]) -> list[Frame]:
        """Enter new inputs into the ledger, and send them."""
        self._ledger.sent(inputs)
        now_s = self._elapsed()
        for item in inputs:
            self._waiting[item.number] = item, now_s
        return self._world.step(inputs)

    def _hear(self, frames: list[Frame], *, killed: bool = False) -> None:
        """Enter what frames say into measures and ledger; `killed`: they were heard after the world's end."""
        now_s = self._elapsed()
        for frame in frames:
            self._now_s = frame.now_s
            self._measures.take_frame(frame, killed=self._catching_up)
            self._in_time = frame.elapsed_s <= self._scenario.frame_s or not self._scenario.frame_s
            if self._catching_up:
                # A frame within its time ends what a kill has a part in.
                self._up_since_s = now_s
                self._catching_up = not self._in_time and now_s < self._catch_up_until_s
            if frame.acknowledged:
                self._heard_at_s = now_s
            for known in frame.acknowledged:
                if known.number not in self._waiting:
                    continue  # It was sent again though the last life had acknowledged it.
                item, sent_s = self._waiting.pop(known.number)
                self._repeats.remember(item)
                # Counted from when it was due, so that a world that lags behind does not look fast.
                real = self._load_from_s is not None and not self._scenario.virtual
                since_s = min(sent_s, self._load_at_s + item.due_s) if real else sent_s
                self._measures.take_acknowledged(
                    now_s - since_s,
                    start=item.kind == Kind.START,
                    killed=killed or since_s < self._up_since_s,
                )
            self._ledger.known(frame.acknowledged)
            for number in frame.refused:
                self._waiting.pop(number, None)
            self._ledger.refused(frame.refused)
            self._idle = not frame.carried_over

    def _kill(self) -> None:
        """Kill the world at any instant of a frame, open it again, and send again what it did not acknowledge."""
        waiting = [item for item, _ in self._waiting.values()]
        frame_s = max(self._scenario.frame_s, FEWEST_FRAMES_S)
        time.sleep(self._random.uniform(0.0, 2.0 * frame_s))
        at_s = self._elapsed()
        last = self._world.kill()
        self._hear(last, killed=True)
        self._ledger.killed(at_s)
        again = self._repeats.of(waiting, self._waiting, last)
        opened = self._world.open()
        frames = self._world.step([*self._repeats.earlier, *again])
        if self._load_from_s is not None:
            # What came due meanwhile, too, so that the first frames show all that there is to catch up with.
            frames += self._send(self._plan.until(self._load_time(), max(0, self._room())))
        while not frames:
            frames = self._world.step([])
        self._measures.take_kill(
            Kill(at_s, self._elapsed() - at_s, opened.open_s, opened.workflows, len(again))
        )
        self._catching_up, self._catch_up_until_s = True, self._elapsed() + CATCH_UP_S
        self._hear(frames)
        self._plan_kill()

    def _room(self) -> int:
        """Return how many inputs may be sent now."""
        return min(BATCH, MOST_UNACKNOWLEDGED - len(self._waiting))

    def _plan_kill(self) -> None:
        if self._scenario.kill_every_s is not None:
            every_s = self._scenario.kill_every_s
            self._kill_planned_s += every_s
            # Not at once after a recovery that took long: then it would be killed for ever and do nothing.
            earliest_s = self._elapsed() + every_s * LEAST_LIFE
            self._kill_at_s = max(
                earliest_s, self._kill_planned_s + every_s * self._random.uniform(-0.25, 0.25)
            )

    def _elapsed(self) -> float:
        return time.perf_counter() - self._began_s

    def _load_time(self) -> float:
        """Return the seconds of load that have gone by, of the world's time or of real time."""
        if self._scenario.virtual:
            assert self._load_from_s is not None
            return self._now_s - self._load_from_s
        return self._elapsed() - self._load_at_s

    def _show(self, phase: Phase, done: float | None) -> None:
        self._watch(Progress(phase, done, self._elapsed()), self._measures)


def task_of(scenario: Scenario, world: Path) -> Task:
    """Return what a world has to be told of a scenario."""
    kinds = {entry.name: find_type(entry.type).name for entry in scenario.workflows}
    return Task(
        world=str(world),
        types=sorted({entry.type for entry in scenario.workflows}),
        entries=[*kinds.values(), *(kind.name for kind in INSTRUMENTS)],
        signals=[[kinds[entry.to or ""], entry.signal] for entry in scenario.signals],
        publishes=[entry.signal for entry in scenario.publishes],
        virtual=scenario.virtual,
        named=scenario.kill_every_s is not None,
        frame_s=scenario.frame_s,
        budget_s=None if scenario.frame_budget_ms is None else scenario.frame_budget_ms / 1e3,
        durability=scenario.durability,
        history=scenario.history,
        max_resident=scenario.max_resident,
        prune_after=scenario.prune_after_s,
        seed=scenario.seed,
    )
