"""The source of the function in which a workflow stands, with its await lit up."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from typing import ClassVar, NamedTuple

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax
from rich.text import Span
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..await_lines import await_lines
from ..source_lines import FrameSource
from .look import AMBER, DIM, FAINT, HERE

_GUTTER = 8
"""Columns before the code: the number, and the arrow."""


class _Row(NamedTuple):
    """A line of the screen: what is drawn, the number of its line of source, and whether that goes on from above."""

    strip: Strip
    number: int
    goes_on: bool


class SourcePane(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a function, or a text where there is none to show. Long lines are folded."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="source")
        self._source: FrameSource | None = None
        self._text: tuple[str, ...] = ()
        self._marked = range(0)
        self._rows: list[_Row] = []

    def show(self, source: FrameSource) -> None:
        """Show a function, and scroll to its await."""
        known, self._source = self._source, source
        if known == source:
            return
        self._marked = await_lines(source)
        if known is None or (known.lines, known.first_line) != (source.lines, source.first_line):
            self._lay_out()
        self._follow()
        self.refresh()

    def show_text(self, lines: list[str]) -> None:
        """Show a text instead."""
        text = tuple(lines)
        if self._source is not None or text != self._text:
            self._source, self._text, self._marked = None, text, range(0)
            self._lay_out()
            self.scroll_to(y=0, animate=False)
            self.refresh()

    def on_resize(self) -> None:
        """Take the new width."""
        self._lay_out()
        self._follow()

    def _lay_out(self) -> None:
        """Fold the lines for the width that there is."""
        width, source = self.scrollable_content_region.width, self._source
        if source is None:
            lines = [piece for line in self._text for piece in textwrap.wrap(line, max(20, width - 2)) or [""]]
            self._rows = [_Row(Strip([Segment(f" {line}", Style(color=DIM))]), 0, True) for line in lines]
        else:
            room = max(20, width - _GUTTER)
            self._rows = [
                _Row(strip, number, at > 0)
                for number, (line, text) in enumerate(
                    zip(_highlighted(source.lines), source.lines, strict=True), source.first_line
                )
                for at, strip in enumerate(_folded(line, text, room))
            ]
        self.virtual_size = Size(width, len(self._rows))

    def _follow(self) -> None:
        """Scroll until the marked lines are in the middle, unless they are well on the screen."""
        height = self.scrollable_content_region.height
        marked = [at for at, row in enumerate(self._rows) if row.number in self._marked]
        if not marked:
            self.scroll_to(y=0, animate=False)
        elif not 2 <= marked[0] - self.scroll_offset.y < height - 2:
            self.scroll_to(y=max(0, marked[0] - height // 2), animate=False)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen."""
        at, width, base = y + self.scroll_offset.y, self.size.width, self.rich_style
        if at >= len(self._rows):
            return Strip.blank(width, base)
        strip, number, goes_on = self._rows[at]
        if self._source is not None:
            here = number in self._marked
            shown = "" if goes_on else f"{number}"
            arrow = "▶" if here and number == self._marked.start and not goes_on else " "
            gutter = Segment(f"{shown:>5} ", Style(color=AMBER if here else FAINT, bold=here))
            strip = Strip([gutter, Segment(f"{arrow} ", Style(color=AMBER, bold=True)), *strip])
            base = base + Style(bgcolor=HERE) if here else base
        return strip.adjust_cell_length(width).apply_style(base)


@lru_cache(maxsize=64)
def _highlighted(lines: tuple[str, ...]) -> tuple[Strip, ...]:
    """Return the lines of a function in colours."""
    text = Syntax("", "python", theme="one-dark").highlight("\n".join(lines))
    # Without the theme's background: there is one under the marked line.
    text.spans = [
        Span(span.start, span.end, Style(color=span.style.color, italic=span.style.italic))
        for span in text.spans
        if isinstance(span.style, Style)
    ]
    console = Console()
    strips = []
    for line in text.split("\n", allow_blank=True)[: len(lines)]:
        line.end = ""
        strips.append(Strip(line.render(console)))
    return tuple(strips)


def _folded(line: Strip, text: str, width: int) -> list[Strip]:
    """Fold a line where it is longer than the width, at a blank if there is one; what follows is indented more."""
    if line.cell_length <= width:
        return [line]
    indent = min(len(text) - len(text.lstrip()) + 4, width // 2)
    pieces, begin, room = [], 0, width
    while len(text) - begin > room:
        blank = text.rfind(" ", begin + room // 2, begin + room)
        end = begin + room if blank < 0 else blank + 1
        pieces.append(line.crop(begin, end))
        begin, room = end, width - indent
    pieces.append(line.crop(begin))
    space = Segment(" " * indent)
    return [pieces[0], *(Strip([space, *piece]) for piece in pieces[1:])]
