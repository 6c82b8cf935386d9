"""`RowPane`: rows of text that are scrolled by themselves, so that new ones need no new layout of the screen."""

from __future__ import annotations

from itertools import zip_longest
from typing import ClassVar

from rich.console import Console
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class RowPane(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows rows that fit its width. Subclasses make them in `make_rows`, which is called for each new width."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - textual's name.
        super().__init__(id=id)
        self._rows: list[Strip] = []

    def make_rows(self, width: int) -> list[Strip]:
        """Return the rows for a width."""
        raise NotImplementedError

    def lay_out(self) -> None:
        """Make the rows anew, and draw those that have become others."""
        region = self.scrollable_content_region
        before, self._rows = self._rows, self.make_rows(max(20, region.width))
        # Its changes cost a layout of the screen: rows that fit count as so many as fit.
        self.virtual_size = Size(region.width, max(len(self._rows), region.height))
        for at, (old, new) in enumerate(zip_longest(before, self._rows)):
            if old != new:
                self.refresh_line(at)

    def on_resize(self) -> None:
        """Take the new width."""
        self.lay_out()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen."""
        at, width = y + self.scroll_offset.y, self.size.width
        row = self._rows[at] if at < len(self._rows) else Strip.blank(width)
        return row.adjust_cell_length(width).apply_style(self.rich_style)


def strips_of(text: Text, width: int) -> list[Strip]:
    """Return a text as rows of at most this width."""
    console = Console(width=width)
    rows = []
    for line in text.wrap(console, width):
        line.end = ""
        rows.append(Strip(line.render(console)))
    return rows
