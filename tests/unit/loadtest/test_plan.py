"""The plan: inputs by seed and time alone."""

import dataclasses
from collections import Counter

import pytest

from deathless.tools.loadtest.inputs import Kind
from deathless.tools.loadtest.plan import Plan
from deathless.tools.loadtest.scenario_file import read_scenario

VILLAGE = read_scenario("village", {})


def inputs_of(scenario, seconds, step, most=100_000):
    plan = Plan(scenario)
    found = []
    while batch := plan.population(most):
        found += batch
    for number in range(1, round(seconds / step) + 1):
        while batch := plan.until(number * step, most):
            found += batch
    return found


def test_the_same_seed_gives_the_same_inputs_whatever_the_pace():
    assert inputs_of(VILLAGE, 4.0, 0.01) == inputs_of(VILLAGE, 4.0, 2.0, most=7)


def test_another_seed_gives_others():
    assert inputs_of(VILLAGE, 1.0, 0.1) != inputs_of(dataclasses.replace(VILLAGE, seed=1), 1.0, 0.1)


def test_inputs_are_numbered_in_order_and_entities_are_never_started_twice():
    found = inputs_of(VILLAGE, 5.0, 0.1)
    assert [item.number for item in found] == list(range(len(found)))
    started = [item.entity for item in found if item.kind == Kind.START]
    assert len(set(started)) == len(started)
    assert {item.entity for item in found if item.kind in (Kind.SIGNAL, Kind.NOTE)} <= set(started)


def test_each_witness_gets_numbers_from_zero_up():
    numbers = {}
    for item in inputs_of(VILLAGE, 5.0, 0.1):
        if item.kind == Kind.NOTE:
            numbers.setdefault(item.values[0], []).append(item.values[1])
    assert numbers
    assert all(found == list(range(len(found))) for found in numbers.values())


def test_rates_and_counts_are_those_of_the_scenario():
    counts = Counter(item.kind for item in inputs_of(VILLAGE, 50.0, 1.0))
    first = 250 + VILLAGE.witnesses + VILLAGE.probes
    assert counts[Kind.START] == pytest.approx(first + 50 * 6, rel=0.1)
    assert counts[Kind.SIGNAL] == pytest.approx(50 * 60, rel=0.1)
    assert counts[Kind.NOTE] == pytest.approx(50 * 100, rel=0.1)


def test_a_ramp_spreads_the_first_starts_over_the_load():
    scenario = dataclasses.replace(VILLAGE, ramp_per_s=100.0)
    plan = Plan(scenario)
    assert len(plan.population(10_000)) == scenario.witnesses + scenario.probes
    starts = [item for item in plan.until(1.0, 10_000) if item.kind == Kind.START]
    assert len(starts) == pytest.approx(106, rel=0.3)
    assert starts[-1].due_s > 0.9
