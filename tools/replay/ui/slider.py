"""The slider: a bar over all turns, with what the world did above it and where one is on it."""

from __future__ import annotations

import math
from itertools import groupby

from rich.style import Style
from rich.text import Text
from textual.events import MouseDown, MouseMove, MouseUp
from textual.message import Message
from textual.widget import Widget

from ..scale import Scale
from ..scrubber import Scrubber
from ..world_times import WorldTimes
from .look import AMBER, BLUE, DIM, FAINT, INK

_BARS = " ▁▂▃▄▅▆▇█"
_BAR = {
    (True, True): Style(color=AMBER),
    (True, False): Style(color=AMBER, dim=True),
    (False, True): Style(color=BLUE),
    (False, False): Style(color=FAINT),
}
"""How the bar is drawn before and after where one is, with and without moves."""


class TurnSlider(Widget):
    """Three lines: messages handled over time, the bar with the turns in which the workflow moved, and times."""

    class Moved(Message):
        """The bar was clicked or dragged."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, scrubber: Scrubber) -> None:
        super().__init__(id="slider")
        self._scrubber = scrubber
        self._show_time = WorldTimes(scrubber.world.state).show_us
        self._scale = Scale(1, 1)
        self._activity = ""
        self._ticks: list[bool] = []

    def show_moves(self) -> None:
        """Take over the turns in which the chosen workflow moved."""
        between = self._scrubber.moves_between
        scale = self._scale
        self._ticks = [between(places.start, places.stop) for places in map(scale.places, range(scale.width))]
        self.refresh()

    def on_resize(self) -> None:
        """Lay the turns out over the new width."""
        turns = self._scrubber.turns
        self._scale = scale = Scale(len(turns), max(1, self.content_size.width))
        most = [
            max(turns.handled[places.start : places.stop], default=0)
            for places in map(scale.places, range(scale.width))
        ]
        top = max(*most, 1)
        # By the root: one turn in which all were started would make all others flat.
        self._activity = "".join(_BARS[math.ceil(8 * math.sqrt(value / top))] for value in most)
        self.show_moves()

    def render(self) -> Text:
        """Draw it."""
        drawn = Text(self._activity, style=Style(color=FAINT), no_wrap=True, end="")
        drawn.append("\n")
        drawn.append_text(self._bar())
        drawn.append("\n")
        drawn.append_text(self._legend())
        return drawn

    def _bar(self) -> Text:
        scrubber, scale = self._scrubber, self._scale
        here = scale.column_of(scrubber.place)
        bar = Text(no_wrap=True)
        for past, ticks in ((True, self._ticks[: here + 1]), (False, self._ticks[here + 1 :])):
            for tick, run in groupby(ticks):
                bar.append(("┿" if tick else "━") * len(list(run)), _BAR[past, tick])
        if scrubber.mark is not None:
            at = scale.column_of(scrubber.turns.place_of(scrubber.mark))
            bar = bar[:at] + Text("◆", Style(color=BLUE, bold=True)) + bar[at + 1 :]
        return bar[:here] + Text("█", Style(color=AMBER, bold=True)) + bar[here + 1 :]

    def _legend(self) -> Text:
        turns, width = self._scrubber.turns, self._scale.width
        first = f"{turns.numbers[0]:,}  {self._show_time(turns.times_us[0])}"
        last = f"{self._show_time(turns.times_us[-1])}  {turns.last:,}"
        here = f"turn {self._scrubber.turn:,}  {self._show_time(self._scrubber.now_us)}"
        at = self._scale.column_of(self._scrubber.place) - len(here) // 2
        at = min(max(at, len(first) + 2), width - len(last) - len(here) - 2)
        if at < len(first) + 2:
            return Text(here[:width], Style(color=INK, bold=True), no_wrap=True)
        legend = Text(first.ljust(at), Style(color=DIM), no_wrap=True)
        legend.append(here, Style(color=INK, bold=True))
        legend.append(last.rjust(width - at - len(here)), Style(color=DIM))
        return legend

    # -- the mouse -------------------------------------------------------------------------------------------

    def on_mouse_down(self, event: MouseDown) -> None:
        """Go where it was clicked, and follow the mouse."""
        self.capture_mouse()
        self._go(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Follow the mouse while it is held."""
        if self.app.mouse_captured is self:
            self._go(event.x)

    def on_mouse_up(self, _event: MouseUp) -> None:
        """Let go of it."""
        self.release_mouse()

    def _go(self, x: int) -> None:
        self.post_message(self.Moved(self._scale.place_of(x - self.gutter.left)))
