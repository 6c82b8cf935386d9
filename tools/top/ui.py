"""`TopApp`: the full screen of a living world."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import DataTable, Footer, Input, Static
from textual.worker import get_current_worker

from ...workflows.errors import DeathlessError
from ..replay.ui.dialogs import Dialog
from ..replay.ui.look import AMBER, DIM, INK, RED, THEME
from . import lines
from .glimpse import Order
from .watch import Look, Watch

SHARE = 0.2
"""Of the time, which goes into looking at most: a world of a million workflows takes some seconds to look at."""

TYPES_SHARE = 1 / 3
"""Of the height, which the types take at most: the rest is the list's."""

_FAILED = lines.TYPE_HEADINGS.index("failed")

CSS = """
Screen { background: $background; color: $foreground; }
#title { height: 1; background: $panel; padding: 0 1; }
#counts { height: 1; padding: 0 1; color: #a8b0bd; }
#types { height: auto; max-height: 16; padding: 0 1; margin: 1 0; }
#listed { height: 1fr; border: round $border; border-title-color: $primary; border-subtitle-color: #737c8c; }
#listed:focus-within { border: round $primary 60%; }
#filter { background: $panel; padding: 0 1; }
DataTable { height: 1fr; background: $background; scrollbar-size-vertical: 1; }
DataTable > .datatable--header { background: $background; color: #737c8c; text-style: bold; }
DataTable > .datatable--cursor { background: #3b3115; color: $primary; text-style: bold; }
Dialog { align: center middle; background: black 55%; }
.box {
    width: 90%; max-width: 110; height: auto; max-height: 85%; padding: 1 2;
    background: $panel; border: round $primary; border-title-color: $primary; border-subtitle-color: #737c8c;
}
.box VerticalScroll { height: auto; max-height: 100%; }
Footer { background: $panel; }
"""


class TopApp(App[None]):
    """Shows a world as it is, look after look, each taken in a thread of its own."""

    TITLE = "deathless top"
    CSS = CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "order('untouched')", "untouched"),
        Binding("r", "order('recent')", "recent"),
        Binding("d", "order('due')", "due"),
        Binding("m", "order('unread')", "unread"),
        Binding("s", "order('size')", "size"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("space", "pause", "pause"),
        Binding("escape", "unfilter", "all", show=False),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, watch: Watch, *, interval: float, order: Order, wanted: str = "") -> None:
        """Show what a watch sees, anew each `interval` seconds, or less often where a look takes long."""
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self.looked = 0
        self.last: Look | None = None
        self.paused = False
        self._watch = watch
        self._interval_s = interval
        self._order = order
        self._wanted = wanted
        self._next: Timer | None = None

    def compose(self) -> ComposeResult:
        """Put it together."""
        yield Static(f"{self._watch.path}   ...", id="title", markup=False)
        yield Static(id="counts", markup=False)
        yield Static(id="types")
        with Vertical(id="listed"):
            yield Input(self._wanted, placeholder="/ type, id, entity, status", id="filter", compact=True)
            yield DataTable(cursor_type="row", zebra_stripes=False)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Take the first look."""
        table = self.query_one(DataTable)
        for heading in lines.MEMBER_HEADINGS:
            table.add_column(heading, key=heading)
        table.focus()
        self.take_look()

    # -- looking ---------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, exit_on_error=False)
    def take_look(self) -> None:
        """Look at the world, in a thread, and show what is seen."""
        worker = get_current_worker()
        look: Look | None = None
        problem = ""
        try:
            look = self._watch.look(self._order, self._wanted)
        except DeathlessError as error:
            # It may be there again the next time: its game restarts, or a backup is put into its place.
            problem = str(error)
        if not worker.is_cancelled:
            self.call_from_thread(self._show, look, problem)

    def _show(self, look: Look | None, problem: str) -> None:
        self.looked += 1
        took_s = 0.0
        if look is None:
            self.query_one("#counts", Static).update(Text(problem, Style(color=RED)))
        else:
            self.last, took_s = look, look.took_s
            self._show_look(look)
        if not self.paused:
            self._again(max(self._interval_s, took_s * (1 / SHARE - 1)))

    def _again(self, after_s: float) -> None:
        if self._next is not None:
            self._next.stop()
        self._next = self.set_timer(after_s, self.take_look)

    def _show_look(self, look: Look) -> None:
        title = Text(lines.title(str(self._watch.path), look), Style(color=AMBER, bold=True))
        title.stylize(Style(color=RED, bold=True), 0, len(lines.stall(look)))
        self.query_one("#title", Static).update(title)
        self.query_one("#counts", Static).update(lines.counts(look))
        self._show_types(look)
        self._show_members(look)

    def _show_types(self, look: Look) -> None:
        # Two lines are the headings and the types that are left out.
        most = max(1, min(lines.MOST_TYPES, int(self.size.height * TYPES_SHARE) - 2))
        self.query_one("#types", Static).update(_types(look, most))

    def on_resize(self) -> None:
        """Give the types their share of the new height."""
        if self.last is not None:
            self.call_after_refresh(self._show_types, self.last)

    def _show_members(self, look: Look) -> None:
        table = self.query_one(DataTable)
        chosen = self._chosen()
        top = table.scroll_offset.y
        table.clear()
        for member in look.glimpse.members:
            style = Style(color=INK if member.status.active else DIM)
            cells = [Text(cell, style) for cell in lines.member_row(member, look.state.now_us)]
            table.add_row(*cells, key=str(member.id))
        if chosen is not None and chosen in {str(member.id) for member in look.glimpse.members}:
            table.move_cursor(row=table.get_row_index(chosen), scroll=False)
            table.scroll_to(y=top, animate=False)
        box = self.query_one("#listed")
        box.border_title = f"workflows by {self._order}{', paused' * self.paused}"
        shown = len(look.glimpse.members)
        box.border_subtitle = f"{shown:,} of {look.glimpse.fitting:,}"

    def _chosen(self) -> str | None:
        table = self.query_one(DataTable)
        if not table.row_count:
            return None
        return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value

    # -- keys ------------------------------------------------------------------------------------------------

    def action_order(self, order: str) -> None:
        """List by something else."""
        self._order = Order(order)
        self.take_look()

    def action_pause(self) -> None:
        """Look no more, or go on."""
        self.paused = not self.paused
        if self.paused and self._next is not None:
            self._next.stop()
            self._next = None
        self.take_look()

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one("#filter").focus()

    def action_unfilter(self) -> None:
        """Show all again."""
        self.query_one("#filter", Input).value = ""
        self.query_one(DataTable).focus()

    @on(Input.Submitted, "#filter")
    def go_on_in_list(self) -> None:
        """Go on in the list."""
        self.query_one(DataTable).focus()

    @on(Input.Changed, "#filter")
    def list_fitting(self, event: Input.Changed) -> None:
        """List what fits so far."""
        if event.value != self._wanted:
            self._wanted = event.value
            self.take_look()

    @on(DataTable.RowSelected)
    def open_details(self) -> None:
        """Show the chosen workflow whole."""
        chosen, look = self._chosen(), self.last
        if chosen is None or look is None:
            return
        try:
            view = self._watch.view(int(chosen))
        except DeathlessError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if view is None:
            self.notify("It is gone.", severity="warning")
            return
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for name, text in lines.details(view, look):
            table.add_row(Text(name, Style(color=AMBER)), Text(text, Style(color=INK)))
        self.push_screen(Dialog(f"workflow {chosen}", table))


def _types(look: Look, most: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=Style(color=DIM, bold=True))
    for at, heading in enumerate(lines.TYPE_HEADINGS):
        table.add_column(heading, justify="right" if at else "left")
    for row in lines.type_rows(look, most):
        cells = [Text(cell) for cell in row]
        if row[_FAILED] != "0":
            cells[_FAILED].stylize(Style(color=RED, bold=True))
        table.add_row(*cells)
    return table
