"""Figures, targets and tables: what a benchmark gives back, and how it is printed and kept."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

try:
    from rich.console import Console
    from rich.table import Table
except ImportError:  # It is in the dev environment; plain text will do.
    Console = Table = None  # type: ignore[assignment,misc]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of a few runs, with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, runs: Sequence[float]) -> Spread:
        return cls(statistics.median(runs), min(runs), max(runs))

    def as_json(self) -> dict[str, float]:
        return {"median": self.median, "low": self.low, "high": self.high}

    def rate(self) -> str:
        return f"{self.median:,.0f} ({self.low:,.0f}-{self.high:,.0f})"

    def ratio(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f}-{self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Target:
    """What the project set out to reach; `at_least` says on which side of `wanted` that is."""

    name: str
    wanted: float
    got: float
    unit: str = ""
    at_least: bool = True

    @property
    def reached(self) -> bool:
        return self.got >= self.wanted if self.at_least else self.got <= self.wanted

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "wanted": self.wanted,
            "at_least": self.at_least,
            "got": self.got,
            "unit": self.unit,
            "reached": self.reached,
        }


@dataclass(slots=True)
class Section:
    """What one benchmark found.

    Attributes:
        title: says what was measured, and how.
        columns, rows: for the reader.
        data: for `bench.json`.
        targets: what it says of the project's targets.
    """

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        self.rows.append(list(cells))


def percentile(values: Sequence[float], per_cent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * per_cent / 100))]


class Printer:
    """Prints tables with rich, or as plain text where it is absent."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else 170
        self._console = Console(width=width) if Console else None

    def say(self, text: str) -> None:
        if self._console:
            self._console.print(text, style="dim", highlight=False, markup=False)
        else:
            print(text, flush=True)

    def section(self, section: Section) -> None:
        self.table(section.title, section.columns, section.rows)

    def targets(self, targets: Sequence[Target]) -> None:
        rows = [
            [
                target.name,
                f"{'>=' if target.at_least else '<='} {target.wanted:,g}{target.unit}",
                f"{target.got:,.4g}{target.unit}" if target.got < 1000 else f"{target.got:,.0f}{target.unit}",
                "yes" if target.reached else "no",
            ]
            for target in targets
        ]
        self.table("targets", ["", "wanted", "got", "reached"], rows)

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        if self._console and Table:
            table = Table(title=title, title_justify="left", title_style="bold", header_style="")
            for position, column in enumerate(columns):
                table.add_column(column, justify="right" if position else "left", overflow="fold")
            for row in rows:
                table.add_row(*row)
            self._console.print(table)
            return
        widths = [max(len(line[at]) for line in [columns, *rows]) for at in range(len(columns))]
        print(f"\n{title}")
        for line in [columns, *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
