"""What is shown over the rest: help, differences, and where to fork."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ..differences import ABSENT, Difference
from ..value_tree import short_text
from .look import AMBER, DIM, GREEN, INK, RED

_KEYS = (
    ("left, right", "the turn before or after in which the workflow moved"),
    ("[, ] or shift+left, right", "one turn of the world"),
    ("home, end", "the first and the last turn that is kept"),
    ("space", "play, from here on, and stop"),
    ("s", "play at 1, 4 or 16 times the world's pace; long pauses are cut short"),
    ("m", "set the mark here, or take it away"),
    ("d", "what differs between the mark and here; without a mark, what the last step changed"),
    ("f", "fork: a new world as this one was at this turn"),
    ("/", "filter the workflows; escape shows all again"),
    (
        "up, down, page up, page down",
        "move in the list, the source or the locals; tab goes from one to the next",
    ),
    ("enter", "in the locals, open or close a value"),
    ("q", "quit"),
)
_FILTERS = (
    (
        "guard 17",
        "all words have to fit: a type or group that has it, an id or entity that begins with it, a status",
    ),
    ("status:failed entity:17", "that field alone; id:, entity:, type:, group:, status:"),
    ("suspended, completed, failed, cancelled, not yet, deleted", "how workflows stand, at the turn shown"),
)
_MARKS = (
    ("+  ~  -  >", "a local that is new, changed, gone, or changed inside, with the last step"),
    ("▸", "a workflow that moved in this turn"),
    ("●  ✓  ✗  ■  ·", "suspended, completed, failed, cancelled, not there"),
    ("┿  ◆  █", "on the bar: turns in which the workflow moved, the mark, here"),
)


class Dialog(ModalScreen[None]):
    """A box over the rest, which escape closes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss", "Close")]

    def __init__(self, title: str, content: Text | Table) -> None:
        super().__init__()
        self._title = title
        self._content = content

    def compose(self) -> ComposeResult:
        """Put it together."""
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "escape closes"
            with VerticalScroll():
                yield Static(self._content)


def help_dialog() -> Dialog:
    """Return the list of keys and marks."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style=AMBER, max_width=30)
    table.add_column(style=INK)
    for title, rows in (("Keys", _KEYS), ("Filter", _FILTERS), ("Marks", _MARKS)):
        table.add_row(Text(title, Style(color=DIM, bold=True)), "")
        for row in rows:
            table.add_row(*map(Text, row))
        table.add_row("", "")
    return Dialog("Help", table)


def differences_dialog(title: str, found: list[Difference], now_us: int) -> Dialog:
    """Return what differs between two turns."""
    if not found:
        return Dialog(title, Text("Nothing differs.", Style(color=INK)))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=f"bold {DIM}")
    for heading, style in (("", AMBER), ("before", RED), ("after", GREEN)):
        table.add_column(heading, style=style, overflow="fold", ratio=None if style == AMBER else 1)
    for difference in found:
        sides = ("" if value is ABSENT else short_text(value, now_us) for value in difference[1:])
        table.add_row(*map(Text, (difference.path, *sides)))
    return Dialog(title, table)


class ForkDialog(ModalScreen[str | None]):
    """Asks for a directory."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Close")]

    def __init__(self, turn: int, suggested: str) -> None:
        super().__init__()
        self._turn = turn
        self._suggested = suggested

    def compose(self) -> ComposeResult:
        """Put it together."""
        with Vertical(classes="box small") as box:
            box.border_title = f"Fork at turn {self._turn:,}"
            box.border_subtitle = "enter forks, escape closes"
            yield Static(
                f"A new world as this one was at the end of turn {self._turn:,}, in a new directory:"
            )
            yield Input(self._suggested, id="target", compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give back what was typed, unless it is nothing."""
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())


class Waiting(ModalScreen[None]):
    """Says what is being done, and takes no keys until that is over."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Put it together."""
        with Vertical(classes="box small"):
            yield Static(self._text)

    def on_key(self, event: Key) -> None:
        """Keep the keys from the screen below."""
        event.stop()
