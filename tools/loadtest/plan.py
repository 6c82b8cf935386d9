"""The plan: which inputs a load test sends when, decided by the scenario, its seed and time alone.

Nothing that the world answers changes it. So the same scenario and seed make the same inputs, however fast the world
is and however often it is killed; what it cannot take in time stays due, and its wait counts as latency.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, islice
from random import Random

from .draws import Draw, compiled
from .inputs import Input, Kind
from .instruments import PROBE, WITNESS
from .scenario import Scenario, SignalEntry, WorkflowEntry

RECENT_S = 10.0
"""Signals to workflows of which more are started all the time go to the newest: `count` and these seconds' starts."""


class Plan:
    """Makes the inputs.

    Attributes:
        entries: the scenario's workflows, then witnesses and probes.
        made: how many inputs so far; they are numbered from 0 up.
        first: how many of them are started before the load.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.entries = (*scenario.workflows, *instrument_entries(scenario))
        self.made = 0
        counted = self.entries if scenario.ramp_per_s is None else instrument_entries(scenario)
        self.first = sum(entry.count for entry in counted)
        self._random = Random(f"load test {scenario.seed}")  # noqa: S311 - a load test's dice.
        self._arguments: list[Draw] = [compiled(entry.arguments) for entry in self.entries]
        # Of each entry, the entities that were started, in order.
        self._entities = [array("Q") for _ in self.entries]
        self._next_entity = 1
        self._witness = len(scenario.workflows)
        self._numbers = [0] * scenario.witnesses
        self._due: list[tuple[float, int, Callable[[float], Input | None], float]] = []
        self._first = self._first_starts()
        self._add_streams()

    def population(self, most: int) -> list[Input]:
        """Return the next of what is started before the load begins, at most so many."""
        return [self._start(entry, 0.0) for entry in islice(self._first, most)]

    def until(self, now_s: float, most: int) -> list[Input]:
        """Return the next inputs that are due by `now_s` seconds of load, at most so many."""
        inputs: list[Input] = []
        while len(inputs) < most and self._due[0][0] <= now_s:
            due_s, order, make, per_second = self._due[0]
            # At random intervals: regular ones would come at the same place of each frame, or of every second one.
            following_s = due_s + self._random.expovariate(per_second)
            heapq.heapreplace(self._due, (following_s, order, make, per_second))
            made = make(due_s)
            if made is not None:
                inputs.append(made)
        return inputs

    def _first_starts(self) -> Iterator[int]:
        """Give the entry of each start before the load: instruments, then, without a ramp, all others in turn."""
        for entry in range(self._witness, len(self.entries)):
            yield from (entry for _ in range(self.entries[entry].count))
        if self._scenario.ramp_per_s is None:
            yield from self._shuffled()

    def _shuffled(self) -> Iterator[int]:
        """Give the scenario's first starts in an order of the seed's, as they come in a game."""
        order = bytearray().join(
            bytes([entry]) * what.count for entry, what in enumerate(self._scenario.workflows)
        )
        Random(f"order {self._scenario.seed}").shuffle(order)  # noqa: S311 - as above.
        return iter(order)

    def _add_streams(self) -> None:
        scenario = self._scenario
        if scenario.ramp_per_s is not None:
            ramp = self._shuffled()
            self._add(scenario.ramp_per_s, partial(self._next_of_ramp, ramp))
        for number, entry in enumerate(scenario.workflows):
            self._add(entry.starts_per_second, partial(self._start, number))
        self._add(scenario.signals_per_s, self._sender(scenario.signals))
        self._add(scenario.publishes_per_s, self._sender(scenario.publishes))
        self._add(scenario.notes_per_s, self._note)

    def _add(self, per_second: float, make: Callable[[float], Input | None]) -> None:
        if per_second:
            first_s = self._random.expovariate(per_second)
            heapq.heappush(self._due, (first_s, len(self._due), make, per_second))

    def _next_of_ramp(self, ramp: Iterator[int], due_s: float) -> Input | None:
        entry = next(ramp, None)
        return None if entry is None else self._start(entry, due_s)

    def _start(self, entry: int, due_s: float) -> Input:
        entity, self._next_entity = self._next_entity, self._next_entity + 1
        self._entities[entry].append(entity)
        values = self._arguments[entry](self._random)
        what = self.entries[entry]
        if what.type == WITNESS:
            values = [len(self._entities[entry]) - 1]
        elif what.type == PROBE:
            # Spread over the period, so that no two of them are due together.
            values = [
                self._scenario.probe_period_s * len(self._entities[entry]) / what.count,
                self._scenario.probe_period_s,
            ]
        return self._input(Kind.START, entry, entity, values, due_s)

    def _sender(self, mix: tuple[SignalEntry, ...]) -> Callable[[float], Input | None]:
        """Return what makes the next signal or publish of a mix."""
        weights = list(accumulate(entry.weight for entry in mix))
        draws = [compiled(entry.fields) for entry in mix]
        names = [entry.name for entry in self.entries]
        targets = [None if entry.to is None else names.index(entry.to) for entry in mix]
        numbers = range(len(mix))
        choose = self._random

        def make(due_s: float) -> Input | None:
            number = choose.choices(numbers, cum_weights=weights)[0]
            target = targets[number]
            if target is None:
                return self._input(Kind.PUBLISH, number, 0, draws[number](choose), due_s)
            entities = self._entities[target]
            if not entities:
                return None
            recent = min(len(entities), self._window(self.entries[target]))
            entity = entities[-1 - choose.randrange(recent)]
            return self._input(Kind.SIGNAL, number, entity, draws[number](choose), due_s)

        return make

    @staticmethod
    def _window(entry: WorkflowEntry) -> int:
        return max(1, entry.count + round(RECENT_S * entry.starts_per_second))

    def _note(self, due_s: float) -> Input:
        witness = self._random.randrange(self._scenario.witnesses)
        number, self._numbers[witness] = self._numbers[witness], self._numbers[witness] + 1
        entity = self._entities[self._witness][witness]
        return self._input(Kind.NOTE, 0, entity, [witness, number], due_s)

    def _input(self, kind: Kind, entry: int, entity: int, values: object, due_s: float) -> Input:
        number, self.made = self.made, self.made + 1
        return Input(number, int(kind), entry, entity, values, due_s)


def instrument_entries(scenario: Scenario) -> tuple[WorkflowEntry, WorkflowEntry]:
    """Return the entries of witnesses and probes, which follow those of the scenario."""
    return (
        WorkflowEntry(WITNESS, WITNESS, scenario.witnesses, 0.0, []),
        WorkflowEntry(PROBE, PROBE, scenario.probes, 0.0, []),
    )
