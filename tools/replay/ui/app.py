"""`ReplayApp`: the full-screen view of a saved world."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import ClassVar

from rich.markup import escape
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Footer, Input, Static

from ....workflows.errors import DeathlessError
from ....workflows.sources import US
from ..facts import facts_of
from ..population import Filter
from ..scrubber import Moment, Scrubber
from ..value_tree import ValueTree
from . import lines
from .dialogs import ForkDialog, Waiting, differences_dialog, help_dialog
from .facts_pane import FactsPane
from .locals_pane import LocalsPane
from .look import THEME
from .slider import TurnSlider
from .source_pane import SourcePane
from .style import CSS
from .workflow_list import WorkflowList

PACES = (1, 4, 16)
FRAME_S = 1 / 20
"""How often the picture changes while it plays."""


class ReplayApp(App[None]):
    """Shows a world at one turn after the other. All that it shows it has from its `Scrubber`."""

    TITLE = "deathless replay"
    CSS = CSS
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "back", key_display="←"),
        Binding("right", "step(1)", "on", key_display="→"),
        Binding("left_square_bracket,shift+left", "world(-1)", "turn back", key_display="["),
        Binding("right_square_bracket,shift+right", "world(1)", "turn on", key_display="]"),
        Binding("home", "go_to(0)", "first", show=False),
        Binding("end", "last", "last", show=False),
        Binding("space", "play", "play"),
        Binding("s", "pace", "speed"),
        Binding("m", "mark", "mark"),
        Binding("d", "differences", "diff"),
        Binding("f", "fork", "fork"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("escape", "unfilter", "all", show=False),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, scrubber: Scrubber) -> None:
        """Show what a scrubber looks at."""
        super().__init__()
        self.register_theme(THEME)
        self.theme = THEME.name
        self.scrubber = scrubber
        self.pace = PACES[0]
        self._filter = Filter("")
        self._timer: Timer | None = None
        self._played_at = 0.0

    def compose(self) -> ComposeResult:
        """Put it together."""
        yield Static(id="title")
        with Horizontal(id="middle"):
            with Vertical(id="left") as left:
                left.border_title = "workflows"
                yield Input(placeholder="/ type, id, entity, status", id="filter", compact=True)
                yield WorkflowList()
            with Vertical(id="right"):
                yield Static(id="who")
                yield SourcePane()
                with Horizontal(id="below"):
                    yield LocalsPane()
                    yield FactsPane()
        yield TurnSlider(self.scrubber)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Look at the first workflow."""
        self.query_one(LocalsPane).border_title = "locals"
        self.query_one(FactsPane).border_title = "what happened"
        if self.scrubber.chosen is None and self.scrubber.members:
            self.scrubber.choose(self.scrubber.members[0])
        self._show_list()
        self._show_turn()
        self.query_one(WorkflowList).focus()

    # -- what is shown ---------------------------------------------------------------------------------------

    def _show_list(self) -> None:
        """List the workflows that the filter lets through at this turn."""
        scrubber, listed = self.scrubber, self.query_one(WorkflowList)
        found = self._filter.of(scrubber.members, scrubber.turn)
        listed.show(found, scrubber.chosen)
        count, total = f"{len(found):,}", f"{len(scrubber.members):,}"
        self.query_one("#left").border_subtitle = f"{count} of {total}" if self._filter else total

    def _show_turn(self) -> None:
        """Show everything as it was at this turn."""
        scrubber = self.scrubber
        if self._filter:
            # Who fits may depend on how all stand.
            self._show_list()
        self.query_one(WorkflowList).go(scrubber.turn, scrubber.movers())
        self.query_one(TurnSlider).refresh()
        self._show_title()
        self._show_workflow()

    def _show_title(self) -> None:
        playing = self._timer is not None
        self.query_one("#title", Static).update(
            lines.title(self.scrubber, self.pace, playing=playing), layout=False
        )

    def _show_workflow(self) -> None:
        """Show the chosen workflow as it was at this turn."""
        moment = self.scrubber.moment()
        self.query_one("#who", Static).update(lines.who(moment), layout=False)
        self._show_source(moment)
        view = None if moment is None else moment.view
        values = None if moment is None or view is None else ValueTree(view, moment.changes)
        self.query_one(LocalsPane).show(values, self.scrubber.now_us)
        self.query_one(FactsPane).show([] if moment is None else facts_of(moment))

    def _show_source(self, moment: Moment | None) -> None:
        pane = self.query_one(SourcePane)
        source = None if moment is None else moment.source
        pane.border_title = "source" if moment is None else escape(lines.place(moment))
        if source is None or not source.lines:
            pane.border_subtitle = ""
            pane.show_text(lines.no_source(moment))
            return
        pane.border_subtitle = escape(source.why_not or Path(source.file or "").name)
        pane.show(source)

    # -- moving ----------------------------------------------------------------------------------------------

    def action_step(self, by: int) -> None:
        """Go to the next turn in which the workflow moved, or the one before."""
        self._pause()
        if not self.scrubber.step_workflow(by):
            self.notify("It did not move after this turn." if by > 0 else "It did not move before this turn.")
        self._show_turn()

    def action_world(self, by: int) -> None:
        """Go on by turns of the world."""
        self.action_go_to(self.scrubber.place + by)

    def action_go_to(self, place: int) -> None:
        """Go to a place among the turns."""
        self._pause()
        self.scrubber.go_to(place)
        self._show_turn()

    def action_last(self) -> None:
        """Go to the last turn."""
        self.action_go_to(len(self.scrubber.turns) - 1)

    def on_turn_slider_moved(self, event: TurnSlider.Moved) -> None:
        """Go where the slider was taken."""
        self.action_go_to(event.place)

    def on_workflow_list_chosen(self, event: WorkflowList.Chosen) -> None:
        """Look at another workflow."""
        self.scrubber.choose(event.member)
        self.query_one(TurnSlider).show_moves()
        self._show_workflow()

    # -- playing ---------------------------------------------------------------------------------------------

    def action_play(self) -> None:
        """Play from here, or stop."""
        if self._timer is not None:
            self._pause()
        else:
            self.scrubber.play_from_here()
            self._played_at = time.monotonic()
            self._timer = self.set_interval(FRAME_S, self._play)
        self._show_title()

    def action_pace(self) -> None:
        """Play at the next pace."""
        self.pace = PACES[(PACES.index(self.pace) + 1) % len(PACES)]
        self._show_title()

    def _play(self) -> None:
        now = time.monotonic()
        elapsed_s, self._played_at = now - self._played_at, now
        self.play_on(elapsed_s)

    def play_on(self, elapsed_s: float) -> None:
        """Show what has happened after so many seconds more, at the pace that is set."""
        place = self.scrubber.place
        more = self.scrubber.play(round(elapsed_s * self.pace * US))
        if not more:
            self._pause()
        if not more or self.scrubber.place != place:
            self._show_turn()

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    # -- finding ---------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one("#filter").focus()

    def action_unfilter(self) -> None:
        """Show all again."""
        self.query_one("#filter", Input).value = ""
        self.query_one(WorkflowList).focus()

    @on(Input.Changed, "#filter")
    def list_fitting(self, event: Input.Changed) -> None:
        """List what fits so far."""
        self._filter = Filter(event.value)
        self._show_list()

    @on(Input.Submitted, "#filter")
    def go_on_in_list(self) -> None:
        """Go on in the list, with its first workflow if the one that is looked at is not in it."""
        listed = self.query_one(WorkflowList)
        listed.focus()
        listed.choose_one()

    # -- comparing and forking -------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Compare with this turn from now on."""
        self.scrubber.set_mark()
        self.query_one(TurnSlider).refresh()
        self._show_title()

    def action_differences(self) -> None:
        """Show what differs between the mark and here."""
        self._pause()
        try:
            compared = self.scrubber.compare()
        except DeathlessError as error:
            self.notify(escape(str(error)), severity="error")
            return
        if compared is None:
            self.notify("The workflow is not there in both turns.", severity="warning")
            return
        first, second, found = compared
        title = f"from turn {first:,} to turn {second:,}"
        self.push_screen(differences_dialog(title, found, self.scrubber.now_us))

    @work
    async def action_fork(self) -> None:
        """Ask for a directory and fork the world into it."""
        self._pause()
        scrubber = self.scrubber
        path = scrubber.world.reader.path
        suggested = str(path.with_name(f"{path.stem}-turn-{scrubber.turn}{path.suffix}"))
        target = await self.push_screen_wait(ForkDialog(scrubber.turn, suggested))
        if target is None:
            return
        waiting = Waiting(f"Forking at turn {scrubber.turn:,}: the world is copied.")
        await self.push_screen(waiting)
        try:
            # In a thread, for it may take a while. Nothing else reads meanwhile: the waiting screen takes no keys.
            report = await asyncio.to_thread(scrubber.fork, target)
        except (DeathlessError, OSError) as error:
            self.notify(escape(str(error)), severity="error", timeout=10)
        else:
            told = (
                f"Turn {report.turn:,} with its {report.workflows:,} workflows goes on in {escape(target)}."
            )
            self.notify(told, title="Forked")
        finally:
            await waiting.dismiss()

    def action_help(self) -> None:
        """Show the keys."""
        self._pause()
        self.push_screen(help_dialog())
