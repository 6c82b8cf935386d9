"""The source of the function in which a workflow stands, with its await lit up."""

from __future__ import annotations

from functools import lru_cache

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax
from rich.text import Span, Text
from textual.strip import Strip

from ..await_lines import await_lines
from ..source_lines import FrameSource
from .look import AMBER, DIM, FAINT, HERE
from .row_pane import RowPane, strips_of

_GUTTER = 8
"""Columns before the code: the number, and the arrow."""


class SourcePane(RowPane):
    """Shows a function, or a text where there is none to show. Long lines are folded."""

    def __init__(self) -> None:
        super().__init__(id="source")
        self._source: FrameSource | None = None
        self._text: list[str] = []
        self._marked_row: int | None = None

    def show(self, source: FrameSource) -> None:
        """Show a function, and scroll to its await."""
        if source != self._source:
            self._source = source
            self.lay_out()
            self._follow()

    def show_text(self, lines: list[str]) -> None:
        """Show a text instead."""
        if self._source is not None or lines != self._text:
            self._source, self._text = None, lines
            self.lay_out()
            self._follow()

    def on_resize(self) -> None:
        """Take the new width."""
        super().on_resize()
        self._follow()

    def _follow(self) -> None:
        """Scroll until the await is in the middle, unless it is well on the screen."""
        height, row = self.scrollable_content_region.height, self._marked_row
        if row is None:
            self.scroll_to(y=0, animate=False)
        elif not 2 <= row - self.scroll_offset.y < height - 3:
            self.scroll_to(y=max(0, row - height // 2), animate=False)

    def make_rows(self, width: int) -> list[Strip]:
        """Fold the lines, number them, and light up the await."""
        self._marked_row = None
        source = self._source
        if source is None:
            told = Text.assemble(("\n".join(self._text), Style(color=DIM)))
            return [Strip([Segment(" "), *strip]) for strip in strips_of(told, width - 2)]
        marked = await_lines(source)
        rows: list[Strip] = []
        pairs = zip(_highlighted(source.lines), source.lines, strict=True)
        for number, (line, text) in enumerate(pairs, source.first_line):
            if marked and number == marked.start:
                self._marked_row = len(rows)
            rows += _numbered(
                _folded(line, text, width - _GUTTER), number, width, marked if number in marked else None
            )
        return rows


def _numbered(strips: list[Strip], number: int, width: int, marked: range | None) -> list[Strip]:
    """Put the number before a line, and the light behind it where it is marked."""
    rows = []
    for at, strip in enumerate(strips):
        shown = f"{number:>5} " if at == 0 else " " * 6
        arrow = "▶ " if marked is not None and number == marked.start and at == 0 else "  "
        style = Style(color=FAINT) if marked is None else Style(color=AMBER, bold=True)
        row = Strip([Segment(shown + arrow, style), *strip])
        if marked is not None:
            row = row.adjust_cell_length(width).apply_style(Style(bgcolor=HERE))
        rows.append(row)
    return rows


@lru_cache(maxsize=64)
def _highlighted(lines: tuple[str, ...]) -> tuple[Strip, ...]:
    """Return the lines of a function in colours."""
    text = Syntax("", "python", theme="one-dark").highlight("\n".join(lines))
    # Without the theme's background: there is a light behind the await.
    text.style = ""
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
