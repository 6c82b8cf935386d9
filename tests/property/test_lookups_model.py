"""Lookups by entity, correlation id, type and status against a look at every row, through crashes and restarts."""

from __future__ import annotations

import shutil
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deathless import Context, GameClock, Runtime, Signal, Status, workflow

ENTITIES = (None, 0, 7, 2**64 - 1)
GROUPS = (None, "a", "ab", "a\0b", "ä" * 100)


class Poke(Signal):
    fails: bool = False


class Broken(Exception):
    """What a poked workflow fails with."""


@workflow
async def short(ctx: Context, seconds: float) -> None:
    await ctx.sleep(seconds)


@workflow
async def shorter(ctx: Context, seconds: float) -> None:
    match await ctx.select(ctx.timer(seconds, name="end"), Poke):
        case Poke(fails=True):
            raise Broken
        case _:
            ctx.log.debug("done")


FLOWS = {"short": short, "shorter": shorter}


class LookupsAgainstRows(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp()) / "world"
        self.world = self.open()

    def open(self) -> Runtime:
        return Runtime(self.place, list(FLOWS.values()), clock=GameClock(), durability="process")

    @rule(
        names=st.lists(st.sampled_from(sorted(FLOWS)), min_size=1, max_size=6),
        entity=st.sampled_from(ENTITIES),
        group=st.sampled_from(GROUPS),
        seconds=st.sampled_from([1.0, 5.0, 100.0]),
    )
    def start(self, names: list[str], entity: int | None, group: str | None, seconds: float) -> None:
        self.world.start_many([(FLOWS[name](seconds), entity, group) for name in names])
        self.world.advance(0.5)

    @rule(entity=st.sampled_from(ENTITIES[1:]), fails=st.booleans())
    def poke(self, entity: int, fails: bool) -> None:
        self.world.signal(Poke(fails), entity_id=entity)
        self.world.advance(0.0)

    @rule(entity=st.sampled_from(ENTITIES[1:]), force=st.booleans())
    def cancel(self, entity: int, force: bool) -> None:
        self.world.cancel(entity_id=entity, force=force)
        self.world.advance(0.0)

    @rule(force=st.booleans(), pick=st.randoms(use_true_random=False))
    def retry_or_force_a_failed_one(self, force: bool, pick: Any) -> None:
        failed = self.world.workflows(status="Failed")
        if failed:
            chosen = pick.choice(failed).id
            if force:
                self.world.cancel(workflow_id=chosen, reason="enough", force=True)
            else:
                self.world.retry(chosen)
            self.world.advance(0.0)

    @rule(days=st.sampled_from([0.0, 2.0 / 86_400]))
    def clean_up(self, days: float) -> None:
        before = {view.id for view in self.world.workflows()}
        cutoff = self.world.now - days * 86_400
        old = {
            view.id for view in self.world.workflows() if not view.status.active and view.updated_at < cutoff
        }
        future = self.world.call("cleanup_old_workflows", days)
        self.world.advance(0.0)
        assert future.result(0) == len(old)
        assert {view.id for view in self.world.workflows()} == before - old

    @rule(dt=st.sampled_from([0.0, 1.0, 10.0]))
    def advance(self, dt: float) -> None:
        self.world.advance(dt)

    @rule(crash=st.booleans())
    def open_again(self, crash: bool) -> None:
        if crash:
            self.world._engine.abandon("crashed by the test")
        else:
            self.world.close()
        self.world = self.open()

    @invariant()
    def finds_what_the_rows_say(self) -> None:
        if not hasattr(self, "world"):
            return
        views = self.world.workflows()
        for entity, group, name, status in product(ENTITIES, GROUPS, (None, *FLOWS), (None, *Status)):
            found = self.world.workflows(entity_id=entity, correlation_id=group, type=name, status=status)
            assert found == [
                view
                for view in views
                if (entity is None or view.entity_id == entity)
                and (group is None or view.correlation_id == group)
                and (name is None or view.type == name)
                and (status is None or view.status is status)
            ]
        for status in Status:
            if status is not Status.RUNNING:
                assert self.world.count(status) == sum(view.status is status for view in views)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()
            shutil.rmtree(self.place.parent)


TestLookupsAgainstRows = LookupsAgainstRows.TestCase
TestLookupsAgainstRows.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
