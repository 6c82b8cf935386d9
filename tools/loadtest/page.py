"""The report as one HTML page with plots."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from ..html_page import document, empty_figure, escaped, section, tile
from .summary import looked_at, number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LINES = {"steps": "#1f9e89", "inputs": "#e07b39", "p50": "#1f9e89", "p99": "#e07b39", "max": "#a05195"}
_KILL = "#d1495b"


def page_of(report: dict[str, Any]) -> str:
    """Return the page of a report."""
    plots = "\n".join(section(title, note, figure) for title, note, figure in _plots(report))
    body = f"""{_head(report)}
{_tiles(report)}
<div class="grid">
{plots}
</div>
{_details(report)}"""
    return document(f"{report['scenario']['title']}: load test", body)


# -- words -------------------------------------------------------------------------------------------------


def _head(report: dict[str, Any]) -> str:
    scenario, machine, ledger = report["scenario"], report["machine"], report["ledger"]
    verdict = "passed" if report["passed"] else "failed"
    broken = ", ".join(
        f"{ledger[kind]['count']:,} {kind}"
        for kind in ("lost", "doubled", "foreign", "disordered")
        if ledger[kind]["count"]
    )
    proof = (
        f"{looked_at(ledger):,} acknowledged inputs took effect exactly once, "
        f"{ledger['witnessed']:,} of them witnessed number by number"
        if ledger["holds"]
        else f"THE LEDGER IS BROKEN: {broken}"
    )
    parts = [
        scenario["source"],
        f"{scenario['count']:,} workflows at first",
        f"{report['load']['seconds']:.1f} s of load",
        f"{scenario['clock']} clock",
        f"{scenario['frame_rate']:g} frames a second" if scenario["frame_rate"] else "frames flat out",
        f"durability {scenario['durability']}",
        f"seed {scenario['seed']}",
    ]
    return f"""<header>
<h1>{escaped(scenario["title"])} <span class="{verdict}">{verdict}{" (interrupted)" * report["interrupted"]}</span></h1>
<p>{escaped(" · ".join(parts))}</p>
<p class="{"proof" if ledger["holds"] else "broken"}">{escaped(proof)}</p>
<p class="dim">{escaped(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in machine.items()))}</p>
</header>"""


def _tiles(report: dict[str, Any]) -> str:
    load, kills = report["load"], report["kills"]
    slowest = max((kill["recovery_s"] for kill in kills), default=None)
    tiles = [
        ("steps/s", number(load["steps_per_s"]), ""),
        ("inputs/s", number(load["inputs_per_s"]), ""),
        ("signal to commit, p99", number(report["latency_ms"]["p99"]), "ms"),
        ("timer lateness, p99", number(report["lateness_ms"]["p99"]), "ms"),
        ("frame time, p99", number(report["frame_ms"]["p99"]), "ms"),
        ("memory, peak", number(report["memory_mb"]["peak"]), "MB"),
        ("world", number(report["world_mb"]["peak"]), "MB"),
        (f"slowest recovery of {len(kills)}", number(slowest), "s") if kills else ("kills", "none", ""),
    ]
    cells = "".join(tile(name, value, unit) for name, value, unit in tiles)
    return f'<div class="tiles">{cells}</div>'


def _details(report: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr class="{"" if item["met"] else "missed"}"><td>{escaped(item["name"])}</td><td>{item["limit"]:g}</td>'
        f"<td>{number(item['measured'])}</td><td>{'met' if item['met'] else 'MISSED'}</td></tr>"
        for item in report["thresholds"]
    )
    findings = "".join(
        f"<li>{kind}: {escaped(text)}</li>"
        for kind in ("lost", "doubled", "foreign", "disordered")
        for text in report["ledger"][kind]["first"]
    )
    failures = "".join(
        f"<li>{item['workflows']:,} failed: {escaped(item['error'])}</li>" for item in report["failures"]
    )
    without_samples = {key: value for key, value in report.items() if key not in ("samples", "distributions")}
    return f"""<section class="words"><h2>Thresholds</h2>
<table><tr><th>threshold</th><th>limit</th><th>measured</th><th></th></tr>{rows}</table>
{f"<ul>{findings}{failures}</ul>" if findings or failures else ""}
<details><summary>Everything, as JSON</summary><pre>{escaped(json.dumps(without_samples, indent=2))}</pre></details>
</section>"""


# -- plots -------------------------------------------------------------------------------------------------


def _plots(report: dict[str, Any]) -> list[tuple[str, str, Figure]]:
    frame_s = 1.0 / report["scenario"]["frame_rate"] if report["scenario"]["frame_rate"] else None
    limit_ms = None if frame_s is None else 1e3 * frame_s
    plots = [
        (
            "Throughput",
            "a second, over the run; inputs are those that became durable",
            _over_time(report, {"steps_per_s": "steps", "inputs_per_s": "inputs"}, ""),
        ),
        (
            "Signal to commit",
            "from when an input is due until it is durable, ms",
            _over_time(report, {"latency_p50_ms": "p50", "latency_p99_ms": "p99"}, " ms"),
        ),
        (
            "Frame time",
            "of each second's frames, commit included, ms"
            + (f"; dotted: {limit_ms:.1f} ms, a whole frame" if limit_ms else ""),
            _over_time(
                report, {"frame_max_ms": "max", "frame_p99_ms": "p99", "frame_p50_ms": "p50"}, " ms", limit_ms
            ),
        ),
        (
            "Frame time, distribution",
            "frames by what they took, ms; those that catch up after a kill left out",
            _distribution(report, "frame_ms", "p50"),
        ),
        (
            "Signal to commit, distribution",
            "inputs by their latency, ms; those that a kill came between left out",
            _distribution(report, "latency_ms", "p99"),
        ),
        (
            "Timer lateness, distribution",
            "steps of the probes by how late they ran, ms; timers due during a kill left out",
            _distribution(report, "lateness_ms", "max"),
        ),
        (
            "Memory and world",
            "anonymous memory of the world's process, and the file, MB",
            _over_time(report, {"memory_mb": "memory", "world_mb": "world"}, " MB"),
        ),
    ]
    if report["kills"]:
        plots.append(
            ("Recovery", "seconds from each kill to the first committed frame after it", _recovery(report))
        )
    else:
        lines = {"live": "live", "failed": "failed"}
        plots.append(("Workflows", "live ones, and those that failed", _over_time(report, lines, "")))
    return plots


def _over_time(
    report: dict[str, Any], lines: dict[str, str], unit: str, limit: float | None = None
) -> Figure:
    samples = [sample for sample in report["samples"] if sample["load"]]
    figure = empty_figure("seconds since the run began")
    colours = list(_LINES.values())
    for at, (key, name) in enumerate(lines.items()):
        figure.add_scatter(
            x=[sample["at_s"] for sample in samples],
            y=[sample[key] for sample in samples],
            name=name,
            mode="lines+markers" if len(samples) < 80 else "lines",
            marker={"size": 4},
            line={"color": _LINES.get(name, colours[at]), "width": 2},
            hovertemplate="%{y:.4~g}" + unit,
        )
    for kill in report["kills"]:
        end_s = kill["at_s"] + kill["recovery_s"]
        figure.add_vrect(x0=kill["at_s"], x1=end_s, fillcolor=_KILL, opacity=0.22, line_width=0)
    if report["kills"]:
        # A line that has no points, for the legend.
        figure.add_scatter(
            x=[None], y=[None], name="killed", mode="markers", marker={"color": _KILL, "symbol": "square"}
        )
    if limit is not None:
        figure.add_hline(y=limit, line={"color": "#888888", "width": 1, "dash": "dot"})
    return figure


def _distribution(report: dict[str, Any], key: str, colour: str) -> Figure:
    bars = report["distributions"][key]
    figure = empty_figure("milliseconds", log=True)
    figure.add_bar(
        x=[(least * most) ** 0.5 for least, most, _ in bars],
        y=[count for _, _, count in bars],
        width=[most - least for least, most, _ in bars],
        marker={"color": _LINES[colour]},
        hovertemplate="about %{x:.3~g} ms: %{y:,}<extra></extra>",
        showlegend=False,
    )
    for name in ("p50", "p99"):
        value = report[key][name]
        if value:
            line = {"color": "#888888", "width": 1, "dash": "dot"}
            figure.add_shape(type="line", x0=value, x1=value, y0=0, y1=1, yref="paper", line=line)
            # Unlike a shape, an annotation has its place on a logarithmic axis as a logarithm.
            figure.add_annotation(
                x=math.log10(value),
                y=1,
                yref="paper",
                yanchor="bottom",
                text=f"{name} {number(value)}",
                showarrow=False,
            )
    if bars:
        figure.update_xaxes(range=[math.log10(bars[0][0]) - 0.1, math.log10(bars[-1][1]) + 0.1])
        figure.update_layout(margin={"t": 24})
    return figure


def _recovery(report: dict[str, Any]) -> Figure:
    kills = report["kills"]
    figure = empty_figure("kill")
    figure.update_layout(barmode="stack")
    parts = (
        ("opening the world", [kill["open_s"] for kill in kills], _LINES["inputs"]),
        ("the rest", [kill["recovery_s"] - kill["open_s"] for kill in kills], _LINES["steps"]),
    )
    for name, values, colour in parts:
        figure.add_bar(
            x=list(range(1, len(kills) + 1)),
            y=values,
            name=name,
            marker={"color": colour},
            hovertemplate="%{y:.3f} s",
        )
    figure.update_xaxes(dtick=1 if len(kills) <= 20 else None)
    return figure
