"""The source of the function in which a workflow stands, with its await lit up."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax
from rich.text import Span, Text
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..source import Source
from .look import AMBER, DIM, FAINT, HERE


class SourcePane(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a function, or a text where there is none to show."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="source")
        self._source: Source | None = None
        self._marked = range(0)
        self._lines: tuple[Text, ...] = ()

    def show(self, source: Source, marked: range) -> None:
        """Show a function with these lines of its file marked, and scroll there."""
        if source is not self._source:
            self._lines = _highlighted(source.lines)
            self._set_height()
        if source is not self._source or marked != self._marked:
            self._source, self._marked = source, marked
            self._follow()
            self.refresh()

    def show_text(self, lines: list[str]) -> None:
        """Show a text instead."""
        self._source, self._marked = None, range(0)
        self._lines = tuple(Text(line, Style(color=DIM)) for line in lines)
        self._set_height()
        self.scroll_to(y=0, animate=False)
        self.refresh()

    def _set_height(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))

    def on_resize(self) -> None:
        """Take the new width."""
        self._set_height()
        self._follow()

    def _follow(self) -> None:
        """Scroll until the marked lines are in the middle, unless they are well on the screen."""
        if self._source is None:
            return
        height = self.scrollable_content_region.height
        if not self._marked:
            self.scroll_to(y=0, animate=False)
            return
        line = self._marked.start - self._source.first_line
        if not 2 <= line - self.scroll_offset.y < height - 2:
            self.scroll_to(y=max(0, line - height // 2), animate=False)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen."""
        at, width, base = y + self.scroll_offset.y, self.size.width, self.rich_style
        if at >= len(self._lines):
            return Strip.blank(width, base)
        if self._source is None:
            text = Strip([Segment(" "), *self._lines[at].render(self.app.console)])
            return text.adjust_cell_length(width).apply_style(base)
        number = at + self._source.first_line
        here = number in self._marked
        arrow = "▶" if here and number == self._marked.start else " "
        strip = Strip(
            [
                Segment(f"{number:>5} ", Style(color=AMBER if here else FAINT, bold=here)),
                Segment(f"{arrow} ", Style(color=AMBER, bold=True)),
                *self._lines[at].render(self.app.console),
            ]
        )
        if here:
            base = base + Style(bgcolor=HERE)
        return strip.adjust_cell_length(width).apply_style(base)


@lru_cache(maxsize=64)
def _highlighted(lines: tuple[str, ...]) -> tuple[Text, ...]:
    """Return the lines of a function in colours."""
    highlighted = Syntax("", "python", theme="one-dark").highlight("\n".join(lines))
    # Without the theme's background: there is one under the marked line.
    highlighted.spans = [
        Span(span.start, span.end, Style(color=span.style.color, italic=span.style.italic))
        for span in highlighted.spans
        if isinstance(span.style, Style)
    ]
    return tuple(highlighted.split("\n", allow_blank=True)[: len(lines)])
