"""How the village is drawn: a map, who does what, and the figures, in about 110 columns by 36 rows.

Everything is put together from styled text, since that is what a terminal of any size can be sent ten times a second.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.layout import Layout
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from .meter import Figures
from .scenario import Scenario
from .scene import FALLEN, FIGHTING, RESTING, WALKING, Person, Scene, Work

COLUMNS, ROWS = 110, 36
"""Size of a saved picture."""
SIDE_COLUMNS = 36
EDGE = "#4b5563"
DIM = "#7d8590"
PLAIN = "#c9d1d9"
GOOD = "#8ee08e"
BAD = "#ff6b6b"
GOLD = "#ffd75f"
MAGIC = "#d7a6ff"
FIGHT_STYLE = Style.parse("bold #ffffff on #c62828")
FALLEN_STYLE = Style.parse("bold #f0f0f0")
BLESSED_STYLE = Style.parse("on #6a2fa0")
SHOP_STYLES = {
    "crafting": Style.parse("bold #1a1a1a on #ffd75f"),
    "gathering": Style.parse("bold #1a1a1a on #b08a5a"),
    "paused": Style.parse("bold #ffffff on #8a2be2"),
    "idle": Style.parse("#1a1a1a on #6b7280"),
}


class Ground:
    """The map's ground, made ready once: a sign and a style for each place."""

    def __init__(self, scenario: Scenario) -> None:
        styles = {mark: Style.parse(terrain.style) for mark, terrain in scenario.legend.items()}
        self.cells = []
        for y, row in enumerate(scenario.ground):
            line = []
            for x, mark in enumerate(row):
                signs = scenario.legend[mark].draw
                # A hash of the place chooses among the signs, so that the ground stands still.
                line.append((signs[(x * 7919 + y * 104_729 + x * y * 31) % 997 % len(signs)], styles[mark]))
            self.cells.append(line)


class Map:
    """The map of one moment, as rich draws it."""

    def __init__(self, ground: Ground, people: Iterable[Person], work: Iterable[Work]) -> None:
        self._cells = [list(row) for row in ground.cells]
        for item in work:
            self._put(item.workshop.at, item.workshop.name[0].upper(), SHOP_STYLES[item.doing])
        # Who fights is drawn last, over those who pass by.
        for person in sorted(people, key=lambda person: (person.doing == FIGHTING, person.doing != FALLEN)):
            if person.doing == FIGHTING:
                self._put(person.place, "X", FIGHT_STYLE)
            elif person.doing == FALLEN:
                self._put(person.place, "†", FALLEN_STYLE)
            elif person.doing in (WALKING, RESTING):
                style = _STYLES.setdefault(person.npc.style, Style.parse(person.npc.style))
                self._put(
                    person.place, person.npc.glyph, style + BLESSED_STYLE if person.blessings else style
                )

    def _put(self, place: tuple[float, float], sign: str, style: Style) -> None:
        row = self._cells[min(max(round(place[1]), 0), len(self._cells) - 1)]
        column = min(max(round(place[0]), 0), len(row) - 1)
        ground = row[column][1]
        row[column] = (sign, Style(bgcolor=ground.bgcolor) + style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as much as there is room for, from the upper left."""
        for row in self._cells[: options.max_height]:
            text, style = "", row[0][1]
            for sign, following in row[: options.max_width]:
                if following is not style:
                    yield Segment(text, style)
                    text, style = "", following
                text += sign
            yield Segment(text, style)
            yield Segment.line()


_STYLES: dict[str, Style] = {}


def draw(scenario: Scenario, ground: Ground, scene: Scene, figures: Figures, now: float) -> Layout:
    """Return the whole picture of one moment."""
    people, work = scene.people(now), scene.work(now)
    rows = len(scenario.ground)
    whole = Layout()
    whole.split_column(
        Layout(_figures(scenario, scene, figures), size=3),
        middle := Layout(size=rows + 2),
        below := Layout(minimum_size=5),
    )
    middle.split_row(
        Layout(_map(ground, people, work), size=len(scenario.ground[0]) + 2),
        side := Layout(size=SIDE_COLUMNS),
    )
    kinds = len({npc.kind for npc in scenario.npcs})
    side.split_column(
        Layout(_panel(_people(scenario, people), "people"), size=kinds + 3),
        Layout(_panel(_work(work), "workshops"), size=len(scenario.workshops) + 2),
        Layout(_panel(_chronicle(scene), "chronicle"), minimum_size=3),
    )
    below.split_row(
        Layout(_panel(_fights(people), "fights"), ratio=3), Layout(_panel(_news(scene), "news"), ratio=2)
    )
    return whole


def save_svg(picture: Layout, path: Path) -> None:
    """Save a picture as SVG that needs nothing but itself: in the reader's own font, without one from the web."""
    console = Console(
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        width=COLUMNS,
        height=ROWS,
    )
    console.print(picture)
    svg = re.sub(
        r"@font-face \{.*?\}\s*", "", console.export_svg(title="python examples/village.py"), flags=re.DOTALL
    )
    path.write_text(
        svg.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono"), encoding="utf-8"
    )


def _panel(content: Text, title: str) -> Panel:
    return Panel(content, title=f"[{GOLD}]{title}[/]", title_align="left", border_style=EDGE, padding=(0, 1))


def _figures(scenario: Scenario, scene: Scene, figures: Figures) -> Panel:
    text = Text(no_wrap=True, overflow="crop")
    for number, (value, unit) in enumerate(
        (
            (f"{figures.turn:,}", "turn"),
            (f"{scene.active:,}", "workflows"),
            (f"{figures.steps_per_s:,.0f}", "steps/s"),
            (f"{figures.commits_per_s:.0f}", "commits/s"),
            (f"{figures.frame_p50_ms:.1f}", "ms frame p50"),
            (f"{figures.frame_p99_ms:.1f}", "ms p99"),
            (f"{figures.world_mb:.1f}", "MB world"),
        )
    ):
        if number:
            text.append("   ")
        if unit == "turn":
            text.append("turn ", DIM).append(value, f"bold {PLAIN}")
        else:
            text.append(value, f"bold {PLAIN}").append(f" {unit}", DIM)
    title = f"[bold {GOLD}]{scenario.name}[/] [{DIM}]· {scene.recovered or 'kill -9 it and run it again'}[/]"
    return Panel(text, title=title, title_align="left", border_style=EDGE, padding=(0, 1))


def _map(ground: Ground, people: list[Person], work: list[Work]) -> Panel:
    legend = Text(" ")
    for sign, style, meaning in (
        ("X", FIGHT_STYLE, "fight"),
        ("†", FALLEN_STYLE, "fallen"),
        ("g", Style(color="#ffffff", bold=True) + BLESSED_STYLE, "blessed"),
        ("S", SHOP_STYLES["crafting"], "crafting"),
        ("S", SHOP_STYLES["gathering"], "waiting"),
        ("S", SHOP_STYLES["paused"], "paused"),
    ):
        legend.append(sign, style).append(f" {meaning}  ", DIM)
    return Panel(
        Map(ground, people, work), border_style=EDGE, padding=0, subtitle=legend, subtitle_align="left"
    )


def _people(scenario: Scenario, people: list[Person]) -> Text:
    text = Text(f"{'':14}{'walk':>4}{'rest':>5}{'fight':>6}{'†':>3}", style=DIM, no_wrap=True)
    for kind, npc in {npc.kind: npc for npc in scenario.npcs}.items():
        doing = Counter(person.doing for person in people if person.npc.kind == kind)
        text.append(f"\n{npc.glyph} ", npc.style).append(f"{kind:12}", PLAIN)
        text.append(f"{doing[WALKING]:4}{doing[RESTING]:5}", PLAIN)
        text.append(f"{doing[FIGHTING] or '·':>6}", BAD if doing[FIGHTING] else DIM)
        text.append(f"{doing[FALLEN] or '·':>3}", PLAIN if doing[FALLEN] else DIM)
    return text


def _work(work: list[Work]) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    for number, item in enumerate(work):
        shop = item.workshop
        text.append("\n" if number else "")
        text.append(shop.name[0].upper(), SHOP_STYLES[item.doing]).append(f" {shop.name:10.10}", PLAIN)
        if item.doing in ("crafting", "paused"):
            text.append(f"{shop.product:8.8}", PLAIN)
            text.append_text(_bar(item.part, 6, MAGIC if item.doing == "paused" else GOLD))
        else:
            needs = f"needs {item.missing[0]}{' …' if len(item.missing) > 1 else ''}" if item.missing else ""
            text.append(f"{needs:14.14}", "#b08a5a")
        text.append(f"{f'{item.made}/{item.quantity}' if item.quantity else '':>6}", DIM)
    return text


def _bar(part: float, width: int, style: str) -> Text:
    full = round(part * width)
    return Text("━" * full, style).append("━" * (width - full), "#3a3f47")


def _chronicle(scene: Scene) -> Text:
    counts = scene.counts()
    goods = sorted(counts.get("goods", {}).items(), key=lambda pair: -pair[1])
    # A count and its word stay together when the line is broken, held by a sign that no word has.
    words = [f"{sum(counts.get('fallen', {}).values())}~fell", f"{counts.get('returned', 0)}~came~back"]
    words += [f"{made}~{item}" for item, made in goods]
    text = Text(textwrap.fill("  ".join(words), SIDE_COLUMNS - 4).replace("~", " "), style=DIM)
    text.highlight_regex(r"\d+", f"bold {PLAIN}")
    return text


def _fights(people: list[Person]) -> Text:
    text = Text(no_wrap=True, overflow="crop")
    fights = [person for person in people if person.doing == FIGHTING]
    for number, person in enumerate(fights):
        text.append("" if not number else "   " if number % 2 else "\n")
        text.append(f"{person.npc.kind:9.9}", person.npc.style)
        text.append_text(_bar(person.health / person.npc.hp, 6, GOOD)).append(f"{person.health:3}", PLAIN)
        text.append(f" {person.foe_health:2}", BAD).append(f" {person.foe:7.7}", DIM)
    if not fights:
        text.append("all is quiet", DIM)
    return text


def _news(scene: Scene) -> Text:
    return Text("\n".join(scene.news) or "nothing yet", style=PLAIN, no_wrap=True, overflow="ellipsis")
