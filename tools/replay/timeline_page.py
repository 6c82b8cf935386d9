"""A workflow's timeline as one HTML page: where it stood over time, its numbers, and its steps."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..html_page import document, empty_figure, escaped, section, tile
from .saved_world import SavedWorld
from .timeline import Moved, told
from .world_times import WALL, WorldTimes

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_COLOURS = {
    "made": "#66727f",
    "start": "#66727f",
    "signal": "#e07b39",
    "ask": "#d4a72c",
    "timer": "#1f9e89",
    "child": "#a05195",
    "activity": "#2f6db5",
    "cancel": "#d1495b",
    "retry": "#7a4b2a",
    "deleted": "#d1495b",
}
_LINES = ("#1f9e89", "#e07b39", "#a05195", "#2f6db5", "#d4a72c", "#d1495b")
MOST_ROWS = 2000
"""Steps in the table of a page; the pictures have them all."""


def page_of(saved: SavedWorld, workflow_id: int, steps: list[Moved]) -> str:
    """Return the page of a workflow's steps, of which there is one at least."""
    state = saved.state
    times, wall = WorldTimes(state), state.clock == WALL
    numbers = _numbers(steps)
    active = steps[-1].view is not None and steps[-1].view.status.active
    axis = _Axis(steps[0].time, state.now_us / 1e6 if active else steps[-1].time, wall=wall)
    plots = [
        section(
            "Where it stood",
            "each await, and how it ended, over time; a dot is a step, by what caused it",
            _states(steps, axis),
        )
    ]
    if numbers:
        plots.append(section("Numbers", "local variables that are numbers and change", _lines(numbers, axis)))
    kind = next((moved.view.type for moved in steps if moved.view is not None), "workflow")
    body = f"""<header>
<h1>{escaped(kind)} {workflow_id}</h1>
<p class="dim">{escaped(saved.reader.path)} · turn {state.turn}, {escaped(times.show_us(state.now_us))}</p>
</header>
{_tiles(steps, times)}
<div class="grid" style="grid-template-columns: minmax(0, 1fr)">
{"".join(plots)}
</div>
{_table(steps, times)}"""
    return document(f"{kind} {workflow_id}: timeline", body)


def _tiles(steps: list[Moved], times: WorldTimes) -> str:
    last = steps[-1].view
    tiles = [
        tile("steps", f"{len(steps):,}"),
        tile("turns", f"{steps[0].step.record.turn:,} to {steps[-1].step.record.turn:,}"),
        tile("first", times.show(steps[0].time)),
        tile("last", times.show(steps[-1].time)),
        tile("places", f"{len({moved.stands_at for moved in steps}):,}"),
        tile("status", "deleted" if last is None else str(last.status)),
    ]
    return f'<div class="tiles">{"".join(tiles)}</div>'


class _Axis:
    """The axis of time, alike in all pictures of a page."""

    def __init__(self, first_s: float, last_s: float, *, wall: bool) -> None:
        self.last_s = last_s
        self._wall = wall
        margin_s = 0.02 * (last_s - first_s) or 1.0
        self._range = [self.at(first_s - margin_s), self.at(last_s + margin_s)]

    def figure(self, height: int) -> Figure:
        """Return an empty plot over this axis."""
        figure = empty_figure("world time, UTC" if self._wall else "seconds of world time", height=height)
        figure.update_xaxes(range=self._range)
        return figure

    def at(self, seconds: float) -> float | str:
        """Return a time as plotly has it."""
        return datetime.fromtimestamp(seconds, UTC).isoformat() if self._wall else seconds


def _states(steps: list[Moved], axis: _Axis) -> Figure:
    places = list(dict.fromkeys(moved.stands_at for moved in steps))
    figure = axis.figure(max(240, 110 + 34 * len(places)))
    figure.add_scatter(
        x=[*(axis.at(moved.time) for moved in steps), axis.at(axis.last_s)],
        y=[*(moved.stands_at for moved in steps), steps[-1].stands_at],
        mode="lines",
        line={"color": "#888888", "width": 1.5, "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )
    for kind, colour in _COLOURS.items():
        some = [moved for moved in steps if moved.cause.kind == kind]
        if some:
            figure.add_scatter(
                x=[axis.at(moved.time) for moved in some],
                y=[moved.stands_at for moved in some],
                name=kind,
                mode="markers",
                marker={"color": colour, "size": 9},
                text=[_hover(moved) for moved in some],
                hovertemplate="%{text}<extra></extra>",
            )
    figure.update_layout(
        hovermode="closest", legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    )
    figure.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=places[::-1],
        automargin=True,
        rangemode="normal",
    )
    figure.update_layout(margin={"t": 36})
    return figure


def _hover(moved: Moved) -> str:
    head = f"step {moved.step.number}, turn {moved.step.record.turn}"
    return "<br>".join(map(escaped, (head, moved.cause.text, *moved.cause.answers, *told(moved)[:8])))


def _numbers(steps: list[Moved]) -> dict[str, list[tuple[float, float]]]:
    """Return local variables that are numbers and change, those that change most first, over time."""
    found: dict[str, list[tuple[float, float]]] = {}
    for moved in steps:
        values = {} if moved.view is None or moved.cause.kind == "made" else moved.view.locals
        for name, value in values.items():
            if type(value) in (int, float):
                found.setdefault(name, []).append((moved.time, value))
    changes = {name: sum(a[1] != b[1] for a, b in pairwise(held)) for name, held in found.items()}
    names = sorted((name for name in found if changes[name]), key=lambda name: -changes[name])
    return {name: found[name] for name in names[: len(_LINES)]}


def _lines(numbers: dict[str, list[tuple[float, float]]], axis: _Axis) -> Figure:
    figure = axis.figure(300)
    for colour, (name, points) in zip(_LINES, numbers.items(), strict=False):
        figure.add_scatter(
            x=[axis.at(second) for second, _ in points],
            y=[value for _, value in points],
            name=name,
            mode="lines",
            line={"color": colour, "width": 2, "shape": "hv"},
        )
    figure.update_layout(showlegend=True)
    return figure


def _table(steps: list[Moved], times: WorldTimes) -> str:
    rows = "".join(
        f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in _cells(moved, times))}</tr>"
        for moved in steps[-MOST_ROWS:]
    )
    left_out = f"<p>The last {MOST_ROWS:,} of {len(steps):,}.</p>" if len(steps) > MOST_ROWS else ""
    heads = "".join(f"<th>{name}</th>" for name in ("step", "turn", "time", "cause", "stands at", "changes"))
    return f'<section class="words"><h2>Steps</h2>{left_out}<table><tr>{heads}</tr>{rows}</table></section>'


def _cells(moved: Moved, times: WorldTimes) -> tuple[Any, ...]:
    cause = "; ".join((moved.cause.text, *moved.cause.answers))
    record = moved.step.record
    time = times.show_us(record.now_us)
    return (
        moved.step.number,
        record.turn,
        time.replace(" ", "\N{NO-BREAK SPACE}"),
        cause,
        moved.stands_at,
        ", ".join(told(moved)),
    )
