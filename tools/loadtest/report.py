"""The report: all that a run came to, as plain values in a documented shape."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .histogram import Histogram
from .measures import Measures
from .outcome import Outcome
from .thresholds import DISTRIBUTIONS, PERCENTILES, WITH_KILLS, Judged, judge
from .verification import SHOWN

SCHEMA = 1
"""Raised when a key changes its meaning or goes."""
BAR = 4
"""Buckets of a histogram that make one bar of the report: 8% wide."""


def make_report(outcome: Outcome, machine: dict[str, Any]) -> dict[str, Any]:
    """Return the report; docs/how-to/load-test.md says what each key means."""
    measures, verdict = outcome.measures, outcome.verdict
    figures = figures_of(outcome)
    implied = {} if outcome.scenario.kill_every_s is None else WITH_KILLS
    judged = judge({**implied, **outcome.scenario.thresholds}, figures)
    return {
        "schema": SCHEMA,
        "passed": passed(outcome, judged),
        "interrupted": outcome.interrupted,
        "scenario": _scenario(outcome),
        "machine": machine,
        "load": {
            "seconds": measures.load.seconds,
            "world_seconds": outcome.virtual_s,
            **{key: figures[key] for key in ("steps_per_s", "starts_per_s", "inputs_per_s", "frames_per_s")},
            "frames": measures.load.frames,
            "steps": measures.load.steps,
            "timers_fired": measures.load.timers,
            "carried_over_peak": measures.carried_over_peak,
        },
        "population": {
            "workflows": measures.populated,
            "seconds": measures.populate_s,
            "starts_per_s": measures.populated / measures.populate_s if measures.populate_s else None,
        },
        **{f"{name}_ms": distribution(getattr(measures, name)) for name in DISTRIBUTIONS},
        "frame_across_kills_ms": distribution(measures.frame_kills),
        "latency_across_kills_ms": distribution(measures.latency_kills),
        "lateness_across_kills_ms": distribution(measures.lateness_kills),
        "memory_mb": _size(measures.memory_b, measures.memory_peak_b),
        "world_mb": _size(measures.world_b, measures.world_peak_b),
        "workflows": {str(status).lower(): count for status, count in sorted(outcome.found.statuses.items())},
        "failures": [
            {"error": error, "workflows": count}
            for error, count in sorted(outcome.found.failures.items(), key=lambda item: -item[1])[:SHOWN]
        ],
        "kills": [asdict(kill) for kill in measures.kills],
        "ledger": {
            "holds": verdict.holds,
            "inputs": outcome.inputs,
            "acknowledged": verdict.acknowledged,
            "refused": verdict.refused,
            "unknown": verdict.unknown,
            "witnessed": verdict.witnessed,
            "unnamed": verdict.unnamed,
            "pruned": verdict.pruned,
            **{
                name: {"count": len(getattr(verdict, name)), "first": getattr(verdict, name)[:SHOWN]}
                for name in ("lost", "doubled", "foreign", "disordered")
            },
        },
        "thresholds": [asdict(item) for item in judged],
        "digest": outcome.digest,
        "distributions": {f"{name}_ms": _bars(getattr(measures, name)) for name in DISTRIBUTIONS},
        "samples": [asdict(sample) for sample in measures.samples],
    }


def passed(outcome: Outcome, judged: list[Judged]) -> bool:
    """Say whether the ledger holds and all thresholds are met."""
    return outcome.verdict.holds and all(item.met for item in judged)


def figures_of(outcome: Outcome) -> dict[str, float | None]:
    """Return the measured figure of each threshold's name, and the rates by their own."""
    measures = outcome.measures
    figures: dict[str, float | None] = {}
    for name in DISTRIBUTIONS:
        counted: Histogram = getattr(measures, name)
        for percent in PERCENTILES:
            figures[f"p{percent}_{name}_ms"] = _ms(counted.percentile(percent))
        figures[f"max_{name}_ms"] = _ms(counted.percentile(100))
    for name, count in _rates(measures).items():
        figures[name] = figures[f"min_{name}"] = (
            count / measures.load.seconds if measures.load.seconds else None
        )
    figures["max_memory_mb"] = measures.memory_peak_b / 1e6 or None
    figures["max_world_mb"] = measures.world_peak_b / 1e6 or None
    figures["max_recovery_s"] = max((kill.recovery_s for kill in measures.kills), default=None)
    figures["max_carried_over"] = measures.carried_over_peak
    figures["min_kills"] = len(measures.kills)
    figures["max_failed"] = outcome.found.statuses.get("Failed", 0)
    figures["max_refused"] = outcome.verdict.refused
    figures["max_unknown"] = outcome.verdict.unknown
    return figures


def distribution(counted: Histogram) -> dict[str, float | None]:
    """Return how many values there are, and percentiles in milliseconds."""
    return {
        "count": counted.count,
        **{f"p{percent}": _ms(counted.percentile(percent)) for percent in PERCENTILES},
        "max": _ms(counted.percentile(100)),
    }


def _bars(counted: Histogram) -> list[list[float]]:
    return [[1e3 * least_s, 1e3 * most_s, count] for least_s, most_s, count in counted.bars(BAR)]


def _rates(measures: Measures) -> dict[str, int]:
    load = measures.load
    return {
        "steps_per_s": load.steps,
        "starts_per_s": load.starts,
        "inputs_per_s": load.acknowledged,
        "frames_per_s": load.frames,
    }


def _scenario(outcome: Outcome) -> dict[str, Any]:
    scenario = outcome.scenario
    plain = asdict(scenario)
    plain["thresholds"] = dict(scenario.thresholds)
    plain["count"] = scenario.count
    return plain


def _size(last_b: int | None, peak_b: int) -> dict[str, float | None]:
    return {
        "last": None if last_b is None else last_b / 1e6,
        "peak": peak_b / 1e6 or None,
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1e3 * seconds
