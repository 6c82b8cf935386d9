"""Periodic sources against a list of beats: whatever the turns, the pauses, the closes and the number in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from deathless import Context, GameClock, Runtime, workflow

POLICIES = ("skip", "once", "catch_up", "shift")
US = 1_000_000
Beats = list[tuple[int, int, int]]

# In milliseconds: within a period, over a few, over many; and often none at all.
STEPS = st.lists(st.one_of(st.just(0), st.integers(1, 40), st.integers(1, 400)), min_size=1, max_size=25)


@pytest.fixture(autouse=True, scope="module")
def quiet_log():
    """Every world that is opened says so."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


@workflow
async def drummer(ctx: Context, period: float, missed: str) -> None:
    beats: list[tuple[int, int, int]] = []
    every = ctx.every(period, missed=missed)
    while True:
        beat = await ctx.select(every)
        beats.append((beat.n, beat.missed, round(ctx.now * US)))


def expected(policy: str, period: int, turns: list[int]) -> Beats:
    """Return the beats that a policy gives to turns at these times."""
    given_: Beats = []
    start, following, skipped = 0, 1, 0
    for now in turns:
        due = []
        while start + (following + len(due)) * period <= now:
            due.append(following + len(due))
        if not due:
            continue
        following = due[-1] + 1
        if policy == "catch_up":
            given_ += [(n, 0, now) for n in due]
        elif policy == "skip" and len(due) > 1 and not skipped:
            skipped = len(due)
        else:
            given_.append((due[-1], skipped + len(due) - 1, now))
            skipped = 0
            if policy == "shift" and len(due) > 1:
                start = now - due[-1] * period
    return given_


def played(
    policy: str, period: int, turns: list[int], reopened: list[bool], *, paranoid: bool, most: int | None
) -> Beats:
    """Return the beats that a world gives, closed and opened again before some turns."""
    with tempfile.TemporaryDirectory() as folder:

        def open_world() -> Runtime:
            return Runtime(
                Path(folder) / "world",
                [drummer],
                clock=GameClock(),
                durability="process",
                paranoid=paranoid,
                max_resident=most,
                slow_step=None,
            )

        world = open_world()
        try:
            handle = world.start(drummer(period / US, policy))
            world.pump()
            for now, again in zip(turns, reopened, strict=False):
                if again:
                    world.close()
                    world = open_world()
                world.pump(now=now / US)
            beats: Beats = world.get(handle.id).locals.get("beats", [])
        finally:
            world.close()
    return beats


@settings(max_examples=60, deadline=None)
@given(
    policy=st.sampled_from(POLICIES),
    period_ms=st.sampled_from([1, 7, 20, 33, 100]),
    steps_ms=STEPS,
    reopened=st.lists(st.booleans(), min_size=25, max_size=25),
    paranoid=st.booleans(),
    most=st.sampled_from([None, 0]),
)
def test_each_policy_gives_the_beats_that_a_list_gives(
    policy: str, period_ms: int, steps_ms: list[int], reopened: list[bool], paranoid: bool, most: int | None
) -> None:
    turns = [1_000 * sum(steps_ms[: number + 1]) for number in range(len(steps_ms))]
    period = 1_000 * period_ms
    beats = played(policy, period, turns, reopened, paranoid=paranoid, most=most)
    assert beats == expected(policy, period, turns)
    # No beat is lost: each is given, or counted as missed by the one that is given after it.
    assert sum(1 + missed for _, missed, _ in beats) == (beats[-1][0] if beats else 0)
