"""How a run goes, while it goes: a live table on a terminal, else a line a second; on standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import click

from .measures import Measures, Sample
from .outcome import Phase, Progress
from .scenario import Scenario
from .summary import number

if TYPE_CHECKING:
    from rich.console import RenderableType

Watch: TypeAlias = Callable[[Progress, Measures], None]
REDRAW_S = 0.2
LINE_S = 1.0
WIDTH = 78


@contextlib.contextmanager
def watching(scenario: Scenario, *, plain: bool, quiet: bool) -> Iterator[Watch]:
    """Give what shows the progress of a run.

    Args:
        scenario: what is run.
        plain: lines, even on a terminal.
        quiet: a script reads the report: lines only, and only where somebody looks at standard error.
    """
    terminal = sys.stderr.isatty()
    if quiet and not terminal:
        yield lambda _progress, _measures: None
    elif plain or quiet or not terminal:
        yield _seldom(LINE_S, _unless_unread(lambda *now: click.echo(line(*now), err=True)))
    else:
        # Only where it is drawn: rich takes a while to import.
        from rich.console import Console  # noqa: PLC0415
        from rich.live import Live  # noqa: PLC0415

        with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as shown:
            yield _seldom(
                REDRAW_S,
                lambda progress, measures: shown.update(drawn(scenario, progress, measures), refresh=True),
            )


def _unless_unread(watch: Watch) -> Watch:
    """Go on without a word where nobody reads them any more: what is watched does not depend on it."""
    unread = False

    def careless(progress: Progress, measures: Measures) -> None:
        nonlocal unread
        if not unread:
            try:
                watch(progress, measures)
            except OSError:
                unread = True

    return careless


def _seldom(every_s: float, watch: Watch) -> Watch:
    """Call `watch` no more often than that, and whenever the phase changes."""
    following, phase = 0.0, ""

    def limited(progress: Progress, measures: Measures) -> None:
        nonlocal following, phase
        now = time.monotonic()
        if now >= following or progress.phase != phase:
            following, phase = now + every_s, progress.phase
            watch(progress, measures)

    return limited


def line(progress: Progress, measures: Measures) -> str:
    """Return the line of a moment."""
    done = "" if progress.done is None else f" {min(progress.done, 1):.0%}"
    text = f"{progress.elapsed_s:7.1f} s  {progress.phase}{done}"
    if not measures.samples or progress.phase in (Phase.OPENING, Phase.CHECKING):
        return text
    return f"{text}: " + ", ".join(
        f"{name} {value}" for name, value in figures(measures.samples[-1], measures)
    )


def figures(sample: Sample, measures: Measures) -> list[tuple[str, str]]:
    """Return what is shown of the latest second, as (name, value with unit)."""
    return [
        ("steps/s", number(sample.steps_per_s)),
        ("starts/s", number(sample.starts_per_s)),
        ("inputs/s", number(sample.inputs_per_s)),
        ("live", f"{measures.live:,}"),
        ("failed", f"{measures.failed:,}"),
        ("signal to commit p50/p99 ms", f"{number(sample.latency_p50_ms)}/{number(sample.latency_p99_ms)}"),
        ("timer lateness p99 ms", number(sample.lateness_p99_ms)),
        ("frame p50/p99 ms", f"{number(sample.frame_p50_ms)}/{number(sample.frame_p99_ms)}"),
        ("commit p99 ms", number(sample.commit_p99_ms)),
        ("memory MB", number(sample.memory_mb)),
        ("world MB", number(sample.world_mb)),
        ("kills", str(len(measures.kills))),
        ("last recovery s", number(measures.kills[-1].recovery_s if measures.kills else None)),
    ]


def drawn(scenario: Scenario, progress: Progress, measures: Measures) -> RenderableType:
    """Return the live table of a moment."""
    from rich import box  # noqa: PLC0415 - as above.
    from rich.console import Group  # noqa: PLC0415
    from rich.panel import Panel  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table.grid(padding=(0, 2), expand=True)
    for justify in ("left", "right") * 2:
        grid.add_column(justify=justify, style="dim" if justify == "left" else "bold")
    if measures.samples:
        cells = figures(measures.samples[-1], measures)
        half = (len(cells) + 1) // 2
        for at in range(half):
            right = cells[at + half] if at + half < len(cells) else ("", "")
            grid.add_row(*cells[at], *right)
    left_s = progress.elapsed_s * (1 - progress.done) / progress.done if progress.done else None
    if progress.phase is Phase.LOAD and progress.done is not None and not scenario.virtual:
        left_s = scenario.seconds * (1 - progress.done)
    eta = "" if left_s is None else f", {max(0.0, left_s):.0f} s to go"
    # In a grid: a bar by itself does not end its line.
    foot = Table.grid(expand=True)
    foot.add_row(
        ProgressBar(total=1.0, completed=min(progress.done or 0.0, 1.0), pulse=progress.done is None)
    )
    foot.add_row(Text(f"{progress.phase}{eta}", style="dim"))
    return Panel(
        Group(grid, Text(), foot),
        title=f"{scenario.title}, {progress.elapsed_s:.0f} s",
        box=box.ROUNDED,
        width=WIDTH,
    )
