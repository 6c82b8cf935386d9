"""The lines of text around the panes: title, who is looked at, and what there is instead of source."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from ..population import Standing
from ..scrubber import Moment, Scrubber
from .look import AMBER, BLUE, DIM, INK, SYMBOL

_BRIGHT = Style(color=INK, bold=True)
_DIM = Style(color=DIM)


def title(scrubber: Scrubber, pace: int, *, playing: bool) -> Text:
    """Return the line at the top: the world, how it plays, and the mark."""
    line = Text.assemble(
        ("deathless replay  ", Style(color=AMBER, bold=True)), (scrubber.world.reader.path.name, _BRIGHT)
    )
    line.append(f"   {len(scrubber.members):,} workflows, {len(scrubber.turns):,} turns", _DIM)
    line.append("   ▶ " if playing else "   ❚❚ ", Style(color=AMBER if playing else DIM))
    line.append(f"{pace}x", _BRIGHT if playing else _DIM)
    if scrubber.mark is not None:
        line.append(f"   ◆ turn {scrubber.mark:,}", Style(color=BLUE))
    return line


def who(moment: Moment | None) -> Text:
    """Return the line over the source: who it is, and how it stands."""
    if moment is None:
        return Text("No workflow.", _DIM)
    member, view = moment.member, moment.view
    symbol, colour = SYMBOL[moment.standing]
    line = Text.assemble((f"{symbol} ", Style(color=colour)), (f"{member.type} {member.id}", _BRIGHT))
    standing = f"   {moment.standing}"
    if view is not None and moment.standing is Standing.SUSPENDED and view.current_step:
        standing += f", {view.current_step}"
    line.append(standing, Style(color=colour))
    for name, value in (
        ("entity", member.entity_id),
        ("group", member.correlation_id),
        ("child of", member.parent_id),
    ):
        if value is not None:
            line.append(f"   {name} {value}", _DIM)
    if moment.moves:
        line.append(f"   move {moment.move:,} of {moment.moves:,}", _DIM)
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def place(moment: Moment) -> str:
    """Return where a workflow stands: the functions on its stack, and the line in the innermost one."""
    view = moment.view
    if view is None:
        return "source"
    names = [view.type, *(frame.name.rpartition(":")[2] for frame in view.frames)]
    return " > ".join(names) + (f", line {view.line}" if view.line else "")


def no_source(moment: Moment | None) -> list[str]:
    """Return what is said where there is no source to show."""
    if moment is None:
        return ["No workflow is listed."]
    if moment.problem is not None:
        return [moment.problem]
    if moment.view is None:
        where = "not made yet" if moment.standing is Standing.NOT_YET else "deleted"
        return [f"workflow {moment.member.id} is {where} at the end of turn {moment.turn:,}"]
    source = moment.source
    if source is None:
        return ["source not loaded: give its module with --code"]
    return [f"line {source.line} of {source.name}", f"await {source.key}", "", source.why_not or ""]
