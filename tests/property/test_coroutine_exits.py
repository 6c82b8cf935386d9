"""Leaving a block through an awaiting `finally`, in every way, does what it does natively."""

from __future__ import annotations

import coroutine_kit as kit
import coroutine_runs as runs
import pytest
from coroutine_exits import Exits, programs

THINNED = 12
"""A short run takes every so-many-th program besides the short list."""

CASES = 20
ALL_CASES = 125
LONG_RUN = 1_000
"""From this many `--programs` on, everything is run."""


class Chosen(runs.Script):
    """The arguments of one case; throws at one suspension, or never (0)."""

    def __init__(self, ways: tuple[int, ...], throw_at: int) -> None:
        self.ways = ways
        self.throw_at = throw_at

    def arguments(self) -> tuple[int, ...]:
        return self.ways

    def answer(self, position: int, label: str) -> tuple[bool, object]:
        if position == self.throw_at:
            return True, kit.Boom("thrown", position)
        return (True, kit.Halt("patience")) if position > runs.PATIENCE else (False, position)


def check(exits: Exits, bound: int) -> int:
    native = runs.load(exits.source, "exits_native", durable=False)
    durable = runs.load(exits.source, "exits", durable=True)
    count = 0
    for index, ways in enumerate(exits.cases(bound)):
        script = Chosen(ways, index % 5)
        try:
            expected = runs.run_live(native, script)
            runs.compare("transformed", expected, runs.run_live(durable, script))
            runs.compare("resumed at every await", expected, runs.run_stored(durable, script, []))
        except Exception as error:
            pytest.fail(
                f"{exits.name} with {ways}, throwing at {script.throw_at}:\n{exits.source}\n"
                f"{type(error).__name__}: {error}",
                pytrace=False,
            )
        count += 1
    return count


def test_every_way_out_through_an_awaiting_finally_is_resumed(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = request.config.getoption("--programs") >= LONG_RUN
    count = 0
    for index, (short, exits) in enumerate(programs()):
        if everything or short or index % THINNED == 0:
            count += check(exits, ALL_CASES if everything else CASES)
    with capsys.disabled():
        print(f" [{count} ways out]", end="")
