"""The summary of a run, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from ..output import table

_ROWS = (
    ("frame time", "frame_ms"),
    ("commit", "commit_ms"),
    ("signal to commit", "latency_ms"),
    ("timer lateness", "lateness_ms"),
    ("frame time, after a kill", "frame_across_kills_ms"),
    ("signal to commit, across a kill", "latency_across_kills_ms"),
    ("timer lateness, across a kill", "lateness_across_kills_ms"),
)


def print_summary(report: dict[str, Any]) -> None:
    """Write the summary of a report to standard output."""
    click.echo("\n".join(headline(report)))
    rows = [
        (name, f"{found['count']:,}", *(number(found[key]) for key in ("p50", "p90", "p99", "max")))
        for name, key in _ROWS
        if (found := report[key])["count"]
    ]
    table(("milliseconds", "count", "p50", "p90", "p99", "max"), rows)
    if report["kills"]:
        table(
            ("kill", "after s", "recovery s", "of that open s", "workflows", "inputs sent again"),
            [
                (
                    str(at),
                    f"{kill['at_s']:.2f}",
                    f"{kill['recovery_s']:.3f}",
                    f"{kill['open_s']:.3f}",
                    f"{kill['workflows']:,}",
                    f"{kill['sent_again']:,}",
                )
                for at, kill in enumerate(report["kills"], 1)
            ],
        )
    table(
        ("threshold", "limit", "measured", ""),
        [
            (item["name"], f"{item['limit']:g}", number(item["measured"]), "met" if item["met"] else "MISSED")
            for item in report["thresholds"]
        ],
    )
    click.echo("\n".join(ledger_lines(report)))


def headline(report: dict[str, Any]) -> Iterator[str]:
    """Give the lines about throughput, workflows and size."""
    load, started, scenario = report["load"], report["population"], report["scenario"]
    yield (
        f"{scenario['title']}: {load['seconds']:.1f} s of load"
        + (f", {load['world_seconds']:.1f} s of virtual time" if scenario["clock"] == "virtual" else "")
        + (", interrupted" if report["interrupted"] else "")
    )
    yield (
        f"  {number(load['steps_per_s'])} steps/s, {number(load['inputs_per_s'])} inputs/s, "
        f"{number(load['starts_per_s'])} starts/s, {number(load['frames_per_s'])} frames/s"
    )
    if load["carried_over_peak"]:
        yield f"  {load['carried_over_peak']:,} messages at most were left over for a later frame"
    yield f"  {started['workflows']:,} workflows started before, {number(started['starts_per_s'])} a second"
    standing = ", ".join(f"{count:,} {status}" for status, count in report["workflows"].items())
    yield f"  at the end: {standing}"
    yield (
        f"  memory {number(report['memory_mb']['peak'])} MB at most, world {number(report['world_mb']['peak'])} MB, "
        f"{len(report['kills'])} kills"
    )
    for failure in report["failures"][:3]:
        yield f"  {failure['workflows']:,} failed: {failure['error']}"
    if report["digest"]:
        note = "; kills may change it, since time goes back to the last commit" if report["kills"] else ""
        yield f"  digest {report['digest']}{note}"


def ledger_lines(report: dict[str, Any]) -> Iterator[str]:
    """Give the lines about the ledger and the verdict."""
    ledger = report["ledger"]
    tail = f"; {ledger['refused']:,} refused" if ledger["refused"] else ""
    if ledger["unknown"]:
        tail += f"; {ledger['unknown']:,} never acknowledged"
    if ledger["unnamed"]:
        tail += f"; {ledger['unnamed']:,} more had no name, and were not looked at"
    if ledger["pruned"]:
        tail += f"; {ledger['pruned']:,} pruned since, and not looked at again"
    if ledger["holds"]:
        yield (
            f"Ledger: {looked_at(ledger):,} acknowledged inputs took effect exactly once, "
            f"{ledger['witnessed']:,} of them witnessed number by number{tail}"
        )
    else:
        kinds = ("lost", "doubled", "foreign", "disordered")
        counts = ", ".join(f"{ledger[kind]['count']:,} {kind}" for kind in kinds)
        yield f"LEDGER BROKEN: {counts}, of {ledger['acknowledged']:,} acknowledged inputs{tail}"
        for kind in kinds:
            yield from (f"  {kind}: {text}" for text in ledger[kind]["first"])
    yield "PASSED" if report["passed"] else "FAILED"


def looked_at(ledger: dict[str, Any]) -> int:
    """Return of how many acknowledged inputs it was found out that they took effect."""
    count: int = ledger["acknowledged"] - ledger["pruned"] - ledger["unnamed"]
    return count


def number(value: float | None) -> str:
    """Write a figure with as many digits as it deserves; a dash for none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
