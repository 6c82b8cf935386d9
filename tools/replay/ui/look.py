"""How it looks: colours, and the marks of each standing."""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

from ..population import Standing
from ..value_tree import Change

AMBER = "#f2b544"
BLUE = "#78a9ff"
DIM = "#737c8c"
FAINT = "#464d5a"
GREEN = "#7ec47e"
INK = "#d5dae3"
RED = "#ff7a70"
VIOLET = "#c49bff"
PANEL = "#1d2129"
HERE = "#3b3115"
CURSOR = "#262c36"

THEME = Theme(
    name="deathless",
    primary=AMBER,
    secondary=BLUE,
    accent=AMBER,
    success=GREEN,
    warning=AMBER,
    error=RED,
    foreground=INK,
    background="#14171c",
    surface="#14171c",
    panel=PANEL,
    dark=True,
    variables={
        "border": FAINT,
        "border-blurred": FAINT,
        "footer-background": PANEL,
        "footer-key-foreground": AMBER,
        "footer-description-foreground": "#a8b0bd",
        "scrollbar": "#2c323d",
        "scrollbar-hover": "#3a4250",
        "scrollbar-active": AMBER,
        "scrollbar-background": "#14171c",
        "scrollbar-corner-color": "#14171c",
        "input-selection-background": "#f2b544 35%",
    },
)

SYMBOL = {
    Standing.SUSPENDED: ("●", GREEN),
    Standing.COMPLETED: ("✓", BLUE),
    Standing.FAILED: ("✗", RED),
    Standing.CANCELLED: ("■", VIOLET),
    Standing.NOT_YET: ("·", FAINT),
    Standing.DELETED: ("·", FAINT),
}
"""A mark and its colour for each standing; the marks differ, for those who do not see the colours."""

CHANGE = {
    Change.NONE: (" ", Style(color=INK)),
    Change.INSIDE: (">", Style(color=INK)),
    Change.CHANGED: ("~", Style(color=AMBER)),
    Change.NEW: ("+", Style(color=GREEN)),
    Change.GONE: ("-", Style(color=RED, strike=True)),
}
"""A mark and a style for what the last step did to a variable."""
