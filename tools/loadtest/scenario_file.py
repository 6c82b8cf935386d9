"""Reading a scenario: a TOML file or a ready-made one, and the flags that override it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from ...workflows.checks import pack_call
from ...workflows.definition import MOST_KEPT, is_recorded
from ...workflows.errors import ArgumentsError, DeathlessError
from ...workflows.limits import Limits
from ...workflows.values import engine_codec
from ..output import BadInput
from . import scenario as bounds
from .catalog import AnyWorkflow, find_published, find_signal, find_type, registered_for
from .draws import compiled
from .scenario import Scenario, SignalEntry, WorkflowEntry, scaled
from .thresholds import NAMES
from .toml_table import Source, TomlTable

READY_MADE = ("default", "village", "raid", "city", "million")
DEFAULT = "default"
_FOLDER = Path(__file__).with_name("scenarios")

_KEYS = (
    "title", "seed", "seconds", "clock", "frame_rate", "frame_budget_ms", "durability", "history", "max_resident",
    "prune_after", "kill_every", "ramp", "workflows", "signals", "publish", "witnesses", "probes", "thresholds",
)  # fmt: skip
_FLAGS = ("seconds", "seed", "clock", "frame_rate", "durability", "max_resident", "kill_every")
"""Keys that flags of the same name override."""


def read_scenario(named: str | None, flags: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a file, or of a ready-made one's name, with flags over it.

    Args:
        named: which; None for the default mix.
        flags: what was given on the command line, by the names of the flags without dashes; None for not given.

    Raises:
        BadInput: one line that names the file, the line and the key, or the flag.
    """
    file, text = _text_of(DEFAULT if named is None else named)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(_syntax_error(file, str(error))) from None
    source = Source(file, text, {})
    for name in _FLAGS:
        if flags.get(name) is not None:
            data[name] = flags[name]
            source.flags[(name,)] = f"--{name.replace('_', '-')}"
    scenario = _Reader(source, data).read(flags.get("workflows"))
    _require_types(source, scenario)
    return scenario


def _text_of(named: str) -> tuple[str, str]:
    """Return how a scenario is called in errors, and its text."""
    if named in READY_MADE:
        return named, _FOLDER.joinpath(f"{named}.toml").read_text(encoding="utf-8")
    path = Path(named)
    try:
        # Some editors begin a file with a byte order mark.
        return named, path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        known = ", ".join(READY_MADE)
        raise BadInput(f"{named}: there is no such file; ready-made scenarios are {known}") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{named}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except OSError as error:
        raise BadInput(f"{named}: cannot be read ({error.strerror})") from None


def _syntax_error(file: str, problem: str) -> str:
    """Put the line where all errors have it."""
    found = re.search(r"(.*) \(at line (\d+), column (\d+)\)", problem)
    return f"{file}:{found[2]}: {found[1]} (column {found[3]})" if found else f"{file}: {problem}"


class _Reader:
    """Reads one scenario."""

    def __init__(self, source: Source, data: dict[str, Any]) -> None:
        self._source = source
        self._top = TomlTable(source, data, (), _KEYS)
        self._types: dict[str, AnyWorkflow] = {}

    def read(self, total: int | None) -> Scenario:
        top = self._top
        history = top.raw("history", "off")
        if not is_recorded(history):
            raise top.error(
                "history", f"is 'off', 'all' or a whole number from 1 to {MOST_KEPT:,}, not {history!r}"
            )
        workflows = self._workflows(total)
        signals_per_s, signals = self._mix("signals")
        publishes_per_s, publishes = self._mix("publish")
        ramp = top.table("ramp", ("starts_per_second",))
        witnesses = top.table("witnesses", ("count", "signals_per_second"))
        probes = top.table("probes", ("count", "period"))
        scenario = Scenario(
            title=top.text("title", self._source.file),
            source=self._source.file,
            seed=top.whole("seed", 0, 2**63 - 1, 0),
            seconds=top.number("seconds", 0.1, bounds.MOST_SECONDS, 10.0),
            clock=top.choice("clock", ("real", "virtual"), "real"),
            frame_rate=top.number("frame_rate", 0, 10_000, 60.0),
            frame_budget_ms=top.number("frame_budget_ms", 0.01, 60_000, 0)
            if "frame_budget_ms" in top
            else None,
            durability=top.choice("durability", ("power", "process"), "power"),
            history=history,
            max_resident=top.whole("max_resident", 1, 10**9, 0) if "max_resident" in top else None,
            prune_after_s=top.number("prune_after", 1, bounds.MOST_SECONDS, 0)
            if "prune_after" in top
            else None,
            kill_every_s=top.number("kill_every", 0.1, 3600, 0) if "kill_every" in top else None,
            ramp_per_s=(
                ramp.number("starts_per_second", 0.001, bounds.MOST_PER_SECOND, 0)
                if "starts_per_second" in ramp
                else None
            ),
            workflows=workflows,
            signals_per_s=signals_per_s,
            signals=signals,
            publishes_per_s=publishes_per_s,
            publishes=publishes,
            witnesses=witnesses.whole("count", 1, 10_000, 20),
            notes_per_s=witnesses.number("signals_per_second", 0.1, bounds.MOST_PER_SECOND, 100.0),
            probes=probes.whole("count", 0, 100_000, 100),
            probe_period_s=probes.number("period", 0.01, 3600, 1.0),
            thresholds=self._thresholds(),
        )
        if scenario.virtual and not scenario.frame_rate:
            raise top.error(
                "frame_rate", "is more than 0 with a virtual clock, which moves by one frame at a time"
            )
        if scenario.virtual and scenario.frame_budget_ms is not None:
            problem = "goes with a real clock only: it would end frames where the machine is slow"
            raise top.error("frame_budget_ms", problem)
        return scenario

    def _workflows(self, total: int | None) -> tuple[WorkflowEntry, ...]:
        known = ("name", "type", "count", "starts_per_second", "arguments")
        entries = []
        for table in self._top.tables("workflows", bounds.MOST_ENTRIES, known):
            name = table.text("name", table.text("type"))
            if name in self._types:
                raise table.error(
                    "name" if "name" in table else "type",
                    f"is {name!r} a second time; give each [[workflows]] a name of its own",
                )
            self._types[name] = self._type(table)
            entries.append(
                WorkflowEntry(
                    name=name,
                    type=table.text("type"),
                    count=table.whole("count", 0, bounds.MOST_WORKFLOWS, 0),
                    starts_per_second=table.number("starts_per_second", 0, bounds.MOST_PER_SECOND, 0.0),
                    arguments=self._arguments(table, self._types[name]),
                )
            )
        if not entries:
            raise self._top.error(None, "needs at least one [[workflows]]")
        if total is not None:
            if not 1 <= total <= bounds.MOST_WORKFLOWS:
                raise BadInput(
                    f"--workflows is a whole number from 1 to {bounds.MOST_WORKFLOWS:,}, not {total}"
                )
            counts = scaled([entry.count for entry in entries], total)
            entries = [_with_count(entry, count) for entry, count in zip(entries, counts, strict=True)]
        return tuple(entries)

    def _type(self, table: TomlTable) -> AnyWorkflow:
        try:
            return find_type(table.text("type"))
        except ValueError as error:
            raise table.error("type", str(error)) from None
        except BadInput as error:
            raise table.error("type", f"cannot be had: {error.message}") from None

    def _arguments(self, table: TomlTable, kind: AnyWorkflow) -> list[Any] | dict[str, Any]:
        written = table.raw("arguments", [])
        if not isinstance(written, list | dict):
            raise table.error("arguments", f"are a list or a table, not {written!r}")
        try:
            drawn = compiled(written)(Random(0))  # noqa: S311 - a sample, to see whether it binds.
            call = kind(*drawn) if isinstance(drawn, list) else kind(**drawn)
            # As the intake packs it: too large or too deep is better said now.
            pack_call(call, engine_codec(), Limits())
        except (ValueError, DeathlessError) as error:
            problem = error.problem if isinstance(error, ArgumentsError) else str(error)
            raise table.error("arguments", f"do not fit: {problem}") from None
        return written

    def _mix(self, key: str) -> tuple[float, tuple[SignalEntry, ...]]:
        """Read [signals] or [publish]."""
        addressed = key == "signals"
        table = self._top.table(key, ("per_second", "mix"))
        known = ("to", "signal", "weight", "fields") if addressed else ("signal", "weight", "fields")
        entries = [self._signal(item, addressed) for item in table.tables("mix", bounds.MOST_ENTRIES, known)]
        rate = table.number("per_second", 0, bounds.MOST_PER_SECOND, 0.0)
        if rate and not entries:
            raise table.error(None, f"needs at least one [[{key}.mix]]")
        if entries and "per_second" not in table:
            raise table.error(None, f"needs per_second, without which nothing of [[{key}.mix]] is sent")
        return rate, tuple(entries)

    def _signal(self, table: TomlTable, addressed: bool) -> SignalEntry:
        to, name = table.text("to") if addressed else None, table.text("signal")
        fields = table.raw("fields", {})
        if to is not None and to not in self._types:
            raise table.error("to", f"names no [[workflows]]: {to!r}; there are {', '.join(self._types)}")
        try:
            found = (
                find_published(self._types.values(), name)
                if to is None
                else find_signal(self._types[to], name)
            )
        except ValueError as error:
            raise table.error("signal", str(error)) from None
        if not isinstance(fields, dict):
            raise table.error("fields", f"are a table, not {fields!r}")
        try:
            found(**compiled(fields)(Random(0)))  # noqa: S311 - a sample, to see whether it binds.
        except (ValueError, TypeError, DeathlessError) as error:
            raise table.error("fields", f"do not fit {name}: {error}") from None
        return SignalEntry(to, name, table.number("weight", 0.001, 1e6, 1.0), fields)

    def _thresholds(self) -> dict[str, float]:
        table = self._top.table("thresholds", NAMES)
        return {name: table.number(name, 0, 1e12, 0) for name in sorted(NAMES) if name in table}


def _with_count(entry: WorkflowEntry, count: int) -> WorkflowEntry:
    return WorkflowEntry(entry.name, entry.type, count, entry.starts_per_second, entry.arguments)


def _require_types(source: Source, scenario: Scenario) -> None:
    """Check that all that the scenario names can be registered in one world."""
    try:
        registered_for(entry.type for entry in scenario.workflows)
    except DeathlessError as error:
        raise source.error(("workflows",), f"do not go together: {error}") from None
