"""The list of workflows: of however many there are, only the lines on the screen are drawn."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ..population import Member, Standing
from .look import AMBER, DIM, FAINT, HERE, INK, SYMBOL

_ABSENT = (Standing.NOT_YET, Standing.DELETED)


class WorkflowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Lists workflows with their standing at a turn; the one that the cursor is on is looked at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
    ]

    class Chosen(Message):
        """Another workflow is to be looked at."""

        def __init__(self, member: Member) -> None:
            super().__init__()
            self.member = member

    def __init__(self) -> None:
        super().__init__(id="workflows")
        self._members: list[Member] = []
        self._turn = 0
        self._cursor: int | None = None
        self._moved: Container[int] = ()

    def show(self, members: list[Member], chosen: Member | None) -> None:
        """List these, in their order, with the cursor on the chosen one if it is among them."""
        self._members = members
        self._cursor = None
        if chosen is not None:
            at = bisect_left(members, chosen.id, key=lambda member: member.id)
            if at < len(members) and members[at].id == chosen.id:
                self._cursor = at
        self.virtual_size = Size(self.scrollable_content_region.width, len(members))
        self._follow()
        self.refresh()

    def go(self, turn: int, moved: Container[int]) -> None:
        """Show how all stand at a turn, and who of them moved in it."""
        before = self._seen()
        self._turn, self._moved = turn, moved
        for y, (old, new) in enumerate(zip(before, self._seen(), strict=True)):
            if old != new:
                self.refresh_line(y + self.scroll_offset.y)

    def _seen(self) -> list[tuple[Standing, bool]]:
        """Return what changes with the turns of those on the screen."""
        top = self.scroll_offset.y
        seen = self._members[top : top + self.scrollable_content_region.height]
        return [(member.standing(self._turn), member.id in self._moved) for member in seen]

    @property
    def count(self) -> int:
        """How many are listed."""
        return len(self._members)

    def choose_one(self) -> None:
        """Choose the first one, unless one that is listed is chosen."""
        if self._cursor is None:
            self._choose(0)

    # -- drawing ---------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen."""
        at = y + self.scroll_offset.y
        width = self.size.width
        if at >= len(self._members):
            return Strip.blank(width, self.rich_style)
        member, here = self._members[at], at == self._cursor
        standing = member.standing(self._turn)
        symbol, colour = SYMBOL[standing]
        moved = member.id in self._moved
        absent = standing in _ABSENT
        ink = FAINT if absent else INK
        # The entity stands at the right end: names and ids keep their columns.
        entity = "" if member.entity_id is None else f"{member.entity_id}"
        number = f"{member.id:>7} "
        room = max(0, width - len(number) - len(entity) - 6)
        name = member.type if member.correlation_id is None else f"{member.type} {member.correlation_id}"
        name = f"{name[: room - 1]}…" if len(name) > room else name.ljust(room)
        strip = Strip(
            [
                Segment("▸" if moved else " ", Style(color=AMBER, bold=True)),
                Segment(f"{symbol} ", Style(color=colour)),
                Segment(number, Style(color=FAINT if absent else DIM)),
                Segment(f"{name} ", Style(color=AMBER if here else ink, bold=here)),
                Segment(f"{entity} ", Style(color=FAINT if absent else DIM)),
            ]
        )
        base = self.rich_style + Style(bgcolor=HERE) if here else self.rich_style
        return strip.adjust_cell_length(width).apply_style(base)

    def on_resize(self) -> None:
        """Take the new width."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._members))
        self._follow()

    def _follow(self) -> None:
        """Scroll so far that the cursor is on the screen."""
        height = self.scrollable_content_region.height
        if self._cursor is None:
            self.scroll_to(y=0, animate=False)
        elif height and not 0 <= self._cursor - self.scroll_offset.y < height:
            self.scroll_to(y=max(0, self._cursor - height // 2), animate=False)

    # -- moving ----------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._choose(
            (-1 if by > 0 else len(self._members)) + by if self._cursor is None else self._cursor + by
        )

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self.action_move(by * max(1, self.scrollable_content_region.height - 1))

    def on_click(self, event: Click) -> None:
        """Choose what is clicked."""
        at = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if at < len(self._members):
            self._choose(at)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll by the wheel, which moves no cursor."""
        event.stop()
        self.scroll_to(y=self.scroll_offset.y + 3, animate=False)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll by the wheel, which moves no cursor."""
        event.stop()
        self.scroll_to(y=self.scroll_offset.y - 3, animate=False)

    def _choose(self, at: int) -> None:
        if not self._members:
            return
        self._cursor = min(max(at, 0), len(self._members) - 1)
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Chosen(self._members[self._cursor]))

    def _keep_in_sight(self) -> None:
        assert self._cursor is not None, "it was just set"
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False)
