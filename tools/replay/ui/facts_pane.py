"""What happened to a workflow, and what it waits for."""

from __future__ import annotations

import textwrap

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ..facts import Fact
from .look import BLUE, DIM, INK
from .row_pane import RowPane


class FactsPane(RowPane):
    """Shows facts one under the other."""

    def __init__(self) -> None:
        super().__init__(id="facts")
        self._facts: list[Fact] = []

    def show(self, facts: list[Fact]) -> None:
        """Show these, from the first one on."""
        if facts != self._facts:
            self._facts = facts
            self.lay_out()
            self.scroll_to(y=0, animate=False)

    def make_rows(self, width: int) -> list[Strip]:
        """Fold their lines; what goes on is indented more."""
        rows: list[Strip] = []
        for fact in self._facts:
            if rows:
                rows.append(Strip([]))
            title = Segment(f"{fact.title}  ", Style(color=BLUE, bold=True))
            aside = Segment(fact.aside, Style(color=DIM))
            if len(title.text) + len(aside.text) <= width:
                rows.append(Strip([title, aside]))
            else:
                rows += [Strip([title]), Strip([Segment("  "), aside])]
            for line in fact.lines:
                indent = "  " + line[: len(line) - len(line.lstrip())]
                folded = textwrap.wrap(
                    line.strip(), width, initial_indent=indent, subsequent_indent=f"{indent}  "
                )
                rows += (Strip([Segment(piece, Style(color=INK))]) for piece in folded)
        return rows
