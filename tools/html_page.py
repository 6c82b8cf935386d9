"""HTML pages with plots, which need nothing but themselves.

The plots are plotly's: they can be zoomed into, which a look at a kill takes, and its script goes into the page, so
that the page works offline. That is 4.8 MB of it; matplotlib's pictures would be smaller and mute, and bokeh brings
numpy, pandas and a server. The package is an extra, imported here alone.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from .output import BadInput
from .page_style import SCRIPT, STYLE

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

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


def document(title: str, body: str) -> str:
    """Return a page: `body` is HTML, with plots made by `section`."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - only for a page.

    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{escaped(title)}</title>
<style>{STYLE}</style>
<script>{get_plotlyjs()}</script>
</head>
<body>
{body}
<script>{SCRIPT}</script>
</body>
</html>
"""


def section(title: str, note: str, figure: Figure) -> str:
    """Return a plot under its title."""
    layout: Any = figure.layout
    height = f"{layout.height}px"
    plot = figure.to_html(full_html=False, include_plotlyjs=False, config=_CONFIG, default_height=height)
    return f"<section><h2>{escaped(title)}</h2><p>{escaped(note)}</p>{plot}</section>"


def tile(name: str, value: str, unit: str = "") -> str:
    """Return a figure of the row at the top of a page."""
    return f"<div><b>{escaped(value)}<small> {unit}</small></b><span>{escaped(name)}</span></div>"


def empty_figure(x_title: str, *, log: bool = False, height: int = 300) -> Figure:
    """Return a plot in which nothing is drawn yet.

    Args:
        x_title: of the horizontal axis.
        log: whether that is logarithmic.
        height: in pixels.
    """
    from plotly.graph_objects import Figure  # noqa: PLC0415 - only for a page.

    figure = Figure()
    figure.update_layout(
        template="none",
        height=height,
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


def escaped(value: object) -> str:
    """Return a value as text in HTML."""
    return html.escape(str(value))
