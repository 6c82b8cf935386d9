"""The wheel against the simplest thing that is right: a dict, sorted when asked."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deathless.actors.timer_wheel import TimerWheel

KEY_COUNT = 13
KEYS = st.integers(0, KEY_COUNT - 1)
# Near, beyond one level, days away, and the ends of i64.
DELAYS = st.one_of(
    st.integers(-50, 400),
    st.integers(0, 8_000),
    st.integers(-(10**6), 10**6),
    st.integers(0, 10**13),
    st.sampled_from([0, 1, 2**62, 2**63 - 1]),
)


class WheelAgainstSortedList(RuleBasedStateMachine):
    @initialize(
        tick_us=st.sampled_from([1, 3, 10, 1_000, 10_000]), now_us=st.sampled_from([0, 7, -5_000, 10**15])
    )
    def begin(self, tick_us: int, now_us: int) -> None:
        self.wheel = TimerWheel(tick_us=tick_us, now_us=now_us)
        self.now_us = now_us
        self.model: dict[int, int] = {}

    @rule(key=KEYS, delay_us=DELAYS)
    def schedule(self, key: int, delay_us: int) -> None:
        self.wheel.schedule(key, self.now_us + delay_us)
        self.model[key] = self.now_us + delay_us

    @rule(key=KEYS, by_us=st.one_of(st.integers(-40, 40), st.integers(-4_000, 40_000)))
    def rearm(self, key: int, by_us: int) -> None:
        if key in self.model:
            self.schedule(key, self.model[key] + by_us - self.now_us)

    @rule(pairs=st.lists(st.tuples(KEYS, DELAYS), max_size=8))
    def schedule_many(self, pairs: list[tuple[int, int]]) -> None:
        absolute = [(key, self.now_us + delay_us) for key, delay_us in pairs]
        self.wheel.schedule_many(absolute)
        self.model.update(absolute)

    @rule(key=KEYS)
    def cancel(self, key: int) -> None:
        self.wheel.cancel(key)
        self.model.pop(key, None)

    @rule(step_us=st.one_of(st.integers(0, 500), st.integers(0, 10**7), st.integers(0, 10**13)))
    def advance(self, step_us: int) -> None:
        self.advance_to(self.now_us + step_us)

    @rule(short_by_us=st.sampled_from([1, 0]))
    def advance_to_the_next_due(self, short_by_us: int) -> None:
        if self.model:
            self.advance_to(max(self.now_us, min(self.model.values()) - short_by_us))

    def advance_to(self, now_us: int) -> None:
        self.now_us = now_us
        expected = sorted((due_us, key) for key, due_us in self.model.items() if due_us <= now_us)
        for _, key in expected:
            del self.model[key]
        assert self.wheel.advance(now_us) == expected

    @rule()
    def ask_for_the_next_due(self) -> None:
        assert self.wheel.next_due() == min(self.model.values(), default=None)

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        if hasattr(self, "wheel"):
            assert dict(self.wheel.items()) == self.model
            assert len(self.wheel) == len(self.model)
            assert all(self.wheel.due(key) == self.model.get(key) for key in range(KEY_COUNT))
            assert all((key in self.wheel) == (key in self.model) for key in range(KEY_COUNT))

    @invariant()
    def slots_are_sound(self) -> None:
        if not hasattr(self, "wheel"):
            return
        wheel = self.wheel
        assert sorted(wheel._coming) == sorted(wheel._slots)
        assert sum(len(slot) for slot in wheel._slots.values()) == len(wheel)
        assert len(wheel._slots) <= 2 * KEY_COUNT + 66
        for key, due_us in wheel.items():
            slot = wheel._slot_of[key]
            assert slot[key] == due_us
            assert slot.start_us <= due_us


WheelAgainstSortedList.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestWheelAgainstSortedList = WheelAgainstSortedList.TestCase


@settings(deadline=None)
@given(
    dues=st.dictionaries(st.integers(1, 500), st.integers(0, 10**8), max_size=80),
    detours=st.lists(st.tuples(st.integers(1, 500), st.integers(0, 10**8)), max_size=40),
    order=st.randoms(use_true_random=False),
    steps=st.lists(st.integers(1, 10**7), min_size=1, max_size=20),
)
def test_what_fires_depends_on_the_timers_alone(dues, detours, order, steps):
    """A workflow that was evicted or recovered was armed in another order, and by other calls."""
    plain = TimerWheel()
    plain.schedule_many(sorted(dues.items()))

    winding = TimerWheel()
    shuffled = list(dues.items())
    order.shuffle(shuffled)
    for key, due_us in detours:
        winding.schedule(key, due_us)
        winding.next_due()
    for key, due_us in shuffled:
        winding.schedule(key, due_us)
    for key, _ in detours:
        if key not in dues:
            winding.cancel(key)

    now_us = 0
    for step_us in steps:
        now_us += step_us
        assert plain.next_due() == winding.next_due()
        assert plain.advance(now_us) == winding.advance(now_us)
