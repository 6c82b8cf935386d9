"""The locals of a workflow as a tree, which keeps what is open and where one is while one goes from turn to turn."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.strip import Strip

from ..value_tree import MOST_CHILDREN, Change, Node, ValueTree, has_parts, short_text
from .look import BLUE, CHANGE, CURSOR, DIM
from .row_pane import RowPane


class LocalsPane(RowPane):
    """Shows the variables of each function, with a mark at what the last step changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("enter", "open", "Open or close", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="locals")
        self._values: ValueTree | None = None
        self._now_us = 0
        self._open: set[str] = set()
        self._row_nodes: list[Node | None] = []
        self._cursor = 0
        self._plain = Console()

    def show(self, values: ValueTree | None, now_us: int) -> None:
        """Show these values; what was open stays open."""
        self._values, self._now_us = values, now_us
        self.lay_out()

    def make_rows(self, width: int) -> list[Strip]:
        """Draw all that is open."""
        self._row_nodes = []
        rows: list[Strip] = []
        functions = [] if self._values is None else self._values.functions()
        for name, nodes in functions:
            if len(functions) > 1:
                title = name.rpartition(":")[2]
                self._add(rows, None, Text.assemble((f"  {title}", Style(color=BLUE, bold=True))), width)
            if not nodes:
                self._add(rows, None, Text.assemble(("    no locals", Style(color=DIM))), width)
            self._add_nodes(rows, nodes, 0, width)
        self._cursor = min(self._cursor, max(0, len(rows) - 1))
        return rows

    def _add_nodes(self, rows: list[Strip], nodes: list[Node], depth: int, width: int) -> None:
        assert self._values is not None, "there are nodes"
        for node in nodes:
            inner, opened = has_parts(node.value), node.path in self._open
            arrow = ("▾" if opened else "▸") if inner else " "
            self._add(rows, node, self._label(node, arrow, depth), width)
            if inner and opened:
                self._add_nodes(rows, self._values.children(node), depth + 1, width)
        if depth and len(nodes) == MOST_CHILDREN:
            more = f"{'  ' * depth}    not more than {MOST_CHILDREN} are shown"
            self._add(rows, None, Text.assemble((more, Style(color=DIM))), width)

    def _add(self, rows: list[Strip], node: Node | None, label: Text, width: int) -> None:
        label.truncate(width, overflow="ellipsis")
        label.end = ""
        rows.append(Strip(label.render(self._plain)))
        self._row_nodes.append(node)

    def _label(self, node: Node, arrow: str, depth: int) -> Text:
        mark, style = CHANGE[node.change]
        calm = node.change in (Change.NONE, Change.INSIDE)
        label = Text()
        label.append(f"{mark} ", style + Style(bold=True, strike=False))
        label.append(f"{'  ' * depth}{arrow} ", Style(color=DIM))
        label.append(node.name, Style(color=DIM) if calm else style)
        label.append("  ")
        label.append(short_text(node.value, self._now_us), style)
        if node.change is Change.CHANGED:
            label.append(f"   was {short_text(node.old, self._now_us)}", Style(color=DIM))
        return label

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen, the one of the cursor brighter."""
        line = super().render_line(y)
        if self.has_focus and y + self.scroll_offset.y == self._cursor:
            return line.apply_style(Style(bgcolor=CURSOR))
        return line

    # -- moving ----------------------------------------------------------------------------------------------

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    def action_move(self, by: int) -> None:
        """Move the cursor, and scroll so that it is seen."""
        self._cursor = min(max(self._cursor + by, 0), max(0, len(self._row_nodes) - 1))
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if not top <= self._cursor < top + height:
            self.scroll_to(y=self._cursor - (height - 1 if by > 0 else 0), animate=False)
        self.refresh()

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self.action_move(by * max(1, self.scrollable_content_region.height - 1))

    def action_open(self) -> None:
        """Open or close the value at the cursor."""
        node = self._row_nodes[self._cursor] if self._row_nodes else None
        if node is not None:
            self._open ^= {node.path}
            self.lay_out()

    def on_click(self, event: Click) -> None:
        """Open or close what is clicked."""
        at = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if at < len(self._row_nodes):
            self._cursor = at
            self.action_open()
