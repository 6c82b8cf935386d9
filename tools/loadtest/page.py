"""The report as one HTML page with plots, which needs nothing but itself.

The plots are plotly's: they can be zoomed into, which a look at a kill takes, and its script goes into the page, so
that the page works offline. That is 4.8 MB of it; matplotlib's pictures would be smaller and mute, and bokeh brings
numpy, pandas and a server. The package is an extra, imported here alone.
"""

from __future__ import annotations

import html
import json
import math
from typing import TYPE_CHECKING, Any

from ..output import BadInput
from .page_style import SCRIPT, STYLE
from .summary import looked_at, number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LINES = {"steps": "#1f9e89", "inputs": "#e07b39", "p50": "#1f9e89", "p99": "#e07b39", "max": "#a05195"}
_KILL = "#d1495b"
_CONFIG = {"displayModeBar": False, "responsive": True}
"""Dragging zooms in and a double click out, without a bar of buttons that say so."""


def require_plotly() -> None:
    """Find out whether a page can be made.

    Raises:
        BadInput: plotly is not installed.
    """
    try:
        import plotly  # noqa: F401, PLC0415 - it is there, or it is not.
    except ImportError:
        raise BadInput("--html needs plotly: pip install 'deathless[loadtest]'") from None


def page_of(report: dict[str, Any]) -> str:
    """Return the page of a report."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - only for a page.

    scenario = report["scenario"]
    plots = "\n".join(_section(title, note, figure) for title, note, figure in _plots(report))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{_text(scenario["title"])}: load test</title>
<style>{STYLE}</style>
<script>{get_plotlyjs()}</script>
</head>
<body>
{_head(report)}
{_tiles(report)}
<div class="grid">
{plots}
</div>
{_details(report)}
<script>{SCRIPT}</script>
</body>
</html>
"""


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
<h1>{_text(scenario["title"])} <span class="{verdict}">{verdict}{" (interrupted)" * report["interrupted"]}</span></h1>
<p>{_text(" · ".join(parts))}</p>
<p class="{"proof" if ledger["holds"] else "broken"}">{_text(proof)}</p>
<p class="dim">{_text(", ".join(f"{key.replace('_', ' ')} {value}" for key, value in machine.items()))}</p>
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
    cells = "".join(
        f"<div><b>{_text(value)}<small> {unit}</small></b><span>{_text(name)}</span></div>"
        for name, value, unit in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _details(report: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr class="{"" if item["met"] else "missed"}"><td>{_text(item["name"])}</td><td>{item["limit"]:g}</td>'
        f"<td>{number(item['measured'])}</td><td>{'met' if item['met'] else 'MISSED'}</td></tr>"
        for item in report["thresholds"]
    )
    findings = "".join(
        f"<li>{kind}: {_text(text)}</li>"
        for kind in ("lost", "doubled", "foreign", "disordered")
        for text in report["ledger"][kind]["first"]
    )
    failures = "".join(
        f"<li>{item['workflows']:,} failed: {_text(item['error'])}</li>" for item in report["failures"]
    )
    without_samples = {key: value for key, value in report.items() if key not in ("samples", "distributions")}
    return f"""<section class="words"><h2>Thresholds</h2>
<table><tr><th>threshold</th><th>limit</th><th>measured</th><th></th></tr>{rows}</table>
{f"<ul>{findings}{failures}</ul>" if findings or failures else ""}
<details><summary>Everything, as JSON</summary><pre>{_text(json.dumps(without_samples, indent=2))}</pre></details>
</section>"""


def _text(value: object) -> str:
    return html.escape(str(value))


# -- plots -------------------------------------------------------------------------------------------------


def _section(title: str, note: str, figure: Figure) -> str:
    plot = figure.to_html(full_html=False, include_plotlyjs=False, config=_CONFIG, default_height="300px")
    return f"<section><h2>{_text(title)}</h2><p>{_text(note)}</p>{plot}</section>"


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


def _figure(x_title: str, *, log: bool = False) -> Figure:
    from plotly.graph_objects import Figure  # noqa: PLC0415 - only for a page.

    figure = Figure()
    figure.update_layout(
        template="none",
        height=300,
        margin={"l": 56, "r": 16, "t": 8, "b": 44},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.14, "x": 0},
        hovermode="closest" if log else "x unified",
        bargap=0.04,
    )
    figure.update_xaxes(title=x_title, type="log" if log else "linear", zeroline=False)
    figure.update_yaxes(rangemode="tozero", zeroline=False)
    return figure


def _over_time(
    report: dict[str, Any], lines: dict[str, str], unit: str, limit: float | None = None
) -> Figure:
    samples = [sample for sample in report["samples"] if sample["load"]]
    figure = _figure("seconds since the run began")
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
    figure = _figure("milliseconds", log=True)
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
    figure = _figure("kill")
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
