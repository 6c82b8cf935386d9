"""SQL over a large world: what an index finds at once, and what takes a look at every workflow."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from processes import run_child
from report import Section, Spread, Target

from deathless.runtime.sql.query import run_query
from deathless.runtime.storage.world_reader import WorldReader

NEEDED_ENTITY_MS = 5.0
NEEDED_GROUPS_S = 2.0
WORLDS = str(Path(__file__).parent / "million_worlds.py")
BY_ENTITY = "SELECT * FROM workflow WHERE entity_id = 42"
BY_STATUS = "SELECT status, COUNT(*) FROM workflow GROUP BY status"
OTHERS = {
    "workflows by type": "SELECT workflow_type, COUNT(*) FROM workflow GROUP BY workflow_type",
    "pending timers": "SELECT COUNT(*) FROM workflow_timer WHERE NOT cancelled",
    "of heads: the oldest touch": "SELECT MIN(updated_at) FROM workflow",
    "of locals: the most stacks": "SELECT MAX(state->>'stacks') FROM workflow",
    "active ones without timers": """
        SELECT w.id, w.workflow_type, w.current_step FROM workflow w
        LEFT JOIN workflow_timer t ON w.id = t.workflow_id AND NOT t.cancelled
        WHERE w.status IN ('Running', 'Suspended') AND t.scheduled_id IS NULL""",
}


def measure(scratch: Path, *, population: int, rounds: int) -> Section:
    """Ask a world of another process; each query begins with a new connection, as `deathless sql` does.

    Args:
        scratch: where the world is made.
        population: its workflows.
        rounds: how often each query is asked.
    """
    section = Section(f"SQL over {population:,} workflows", ["query", "ms"])
    place = scratch / "asked"
    run_child(WORLDS, "build", place, population, population // 100, population // 20, 0)
    with WorldReader(place) as reader:
        took = {name: _asked(reader, query, 1) for name, query in OTHERS.items()}
        took["GROUP BY status"] = _asked(reader, BY_STATUS, rounds)
        took["of one entity"] = _asked(reader, BY_ENTITY, 10 * rounds)
    for name, runs in took.items():
        spread = Spread.of(runs)
        section.add(name, f"{spread.median:,.1f} ({spread.low:,.1f} to {spread.high:,.1f})")
        section.data[name] = spread.as_json()
    section.targets += [
        Target("ms of one entity", NEEDED_ENTITY_MS, median(took["of one entity"]), at_least=False),
        Target(
            "s of GROUP BY status", NEEDED_GROUPS_S, median(took["GROUP BY status"]) / 1000, at_least=False
        ),
    ]
    return section


def _asked(reader: WorldReader, query: str, rounds: int) -> list[float]:
    """Return the milliseconds that each of some runs of a query took."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        with reader.read_view() as view:
            run_query(view, query, timeout=None)
        found.append(1000 * (time.perf_counter() - began))
    return found
