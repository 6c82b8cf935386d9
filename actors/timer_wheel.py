"""A hierarchical timer wheel.

One wheel serves all workflows of a world, so that a turn costs what is due and not what is live. It is a pure
data structure: keys and microseconds go in, due keys come out, and the clock is somebody else's.

Prior art: Varghese and Lauck, "Hashed and hierarchical timing wheels" (1987). A timer sits in a slot, a
stretch of time as wide as the timer is far away, and moves to a narrower slot when its own comes up. Two
things differ:

- Slots are absolute and exist only where timers are. A heap of their starts replaces the wheel's turning,
  so that an empty stretch of a second or of a month costs the same: nothing.
- A slot is at most 1/64 of its timers' distance wide, where the textbook's may be as wide as the distance. A
  million timers of a minute would otherwise move to narrower slots all at once; here at most
  1.6 % of them do.

Re-arming a timer for later, as a buff does in each step, changes one number: the timer stays where it is and
is moved on when its slot comes up.

Invariants: every key is in exactly one slot, and a slot starts no later than any timer in it. Results depend
on the timers alone, never on the order in which they were armed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView
from heapq import heapify, heappop, heappush
from typing import Final

# Slots of level n are 4**n ticks wide and serve timers that are fewer than 256 slots away.
_NEAR_BITS: Final = 8
# A slot's number is its first tick, then its level counted down, so that of two slots with one start the
# wider comes up first.
_LEVEL_BITS: Final = 6
_FINEST: Final = (1 << _LEVEL_BITS) - 1

# Emptied slots stay until their time comes, or until they outnumber the timers by this many.
_SPARE_SLOTS: Final = 64


class _Slot(dict[int, int]):
    """The timers of one stretch of time: key -> due_us."""

    __slots__ = ("start_us",)

    def __init__(self, start_us: int) -> None:
        self.start_us = start_us


class TimerWheel:
    """Keep one due time per key and hand out the keys that are due, in order of (due, key).

    Times are microseconds on one clock that never goes back; any i64 will do.
    """

    def __init__(self, *, tick_us: int = 10_000, now_us: int = 0) -> None:
        """Create an empty wheel.

        Args:
            tick_us: the width of the narrowest slot. Smaller ticks make more slots; bigger ones let `advance`
                look at more timers that are not due yet.
            now_us: the clock's time now.
        """
        if tick_us < 1:
            raise ValueError(f"tick_us is {tick_us}; a tick is at least 1 microsecond")
        self._tick_us = tick_us
        self._now_us = now_us
        self._slots: dict[int, _Slot] = {}
        # The numbers of all slots, each once: a heap.
        self._coming: list[int] = []
        self._slot_of: dict[int, _Slot] = {}

    def schedule(self, key: int, due_us: int) -> None:
        """Arm the timer of `key`, or re-arm it; a due time in the past fires at the next `advance`. O(1)."""
        slot = self._slot_of.get(key)
        if slot is not None:
            if due_us >= slot.start_us:
                slot[key] = due_us
                return
            del slot[key]
        self._place(((key, due_us),), self._now_us // self._tick_us)

    def schedule_many(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Arm the timers of many (key, due_us) pairs, as recovery does; the last due of a key counts."""
        latest = dict(pairs)
        if self._slot_of:
            for key in latest:
                self.cancel(key)
        self._place(latest.items(), self._now_us // self._tick_us)

    def cancel(self, key: int) -> None:
        """Disarm the timer of `key`, if there is one. O(1)."""
        slot = self._slot_of.pop(key, None)
        if slot is not None:
            del slot[key]

    def advance(self, now_us: int) -> list[tuple[int, int]]:
        """Move the clock on and take out all timers with `due_us <= now_us`.

        The cost is O(due) plus the timers that move to a narrower slot, which each does a few times in its
        life (log64 of its distance in ticks). Timers of the current tick that are not due yet are looked at
        again.

        Returns:
            (due_us, key) pairs, sorted.

        Raises:
            ValueError: the clock went back.
        """
        if now_us < self._now_us:
            raise ValueError(
                f"the clock went back from {self._now_us} to {now_us} us; feed advance() rising times"
            )
        self._now_us = now_us
        tick = now_us // self._tick_us
        after = (tick + 1) << _LEVEL_BITS
        coming = self._coming
        due: list[tuple[int, int]] = []
        ahead: list[tuple[int, int]] = []
        while coming and coming[0] < after:
            for key, due_us in self._slots.pop(heappop(coming)).items():
                if due_us <= now_us:
                    due.append((due_us, key))
                else:
                    ahead.append((key, due_us))
        slot_of = self._slot_of
        for _, key in due:
            del slot_of[key]
        self._place(ahead, tick)
        due.sort()
        return due

    def next_due(self) -> int | None:
        """Return the earliest due time, exactly; None if no timer is armed.

        Timers in the first slots move to narrower ones on the way, which `advance` would have done later:
        amortised it costs nothing extra, and a repeated call looks at the timers of one tick.
        """
        tick_us = self._tick_us
        coming = self._coming
        while coming:
            number = coming[0]
            slot = self._slots[number]
            if slot and number & _FINEST == _FINEST:
                first = min(slot.values())
                if first < slot.start_us + tick_us:
                    return first
            heappop(coming)
            del self._slots[number]
            self._place(slot.items(), number >> _LEVEL_BITS)
        return None

    def due(self, key: int) -> int | None:
        """Return when the timer of `key` is due; None if it is not armed."""
        slot = self._slot_of.get(key)
        return None if slot is None else slot[key]

    def keys(self) -> KeysView[int]:
        """Return a view of the keys of all timers."""
        return self._slot_of.keys()

    def items(self) -> Iterator[tuple[int, int]]:
        """Iterate over (key, due_us) of all timers, in no order that means anything."""
        return ((key, slot[key]) for key, slot in self._slot_of.items())

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, key: int) -> bool:
        return key in self._slot_of

    @property
    def now_us(self) -> int:
        """The time of the last `advance`."""
        return self._now_us

    def _place(self, pairs: Iterable[tuple[int, int]], from_tick: int) -> None:
        """Put each key into the slot that fits its distance from `from_tick`, ahead of it or behind."""
        tick_us = self._tick_us
        slots = self._slots
        slot_of = self._slot_of
        for key, due_us in pairs:
            tick = due_us // tick_us
            # Twice the level: the bits of the tick that the slot's width takes.
            bits = (tick - from_tick).bit_length() - (_NEAR_BITS - 1) & ~1
            if bits > 0:
                number = tick >> bits << bits + _LEVEL_BITS | _FINEST - (bits >> 1)
            else:
                number = tick << _LEVEL_BITS | _FINEST
            slot = slots.get(number)
            if slot is None:
                slot = self._open_slot(number)
            slot[key] = due_us
            slot_of[key] = slot

    def _open_slot(self, number: int) -> _Slot:
        if len(self._coming) > 2 * len(self._slot_of) + _SPARE_SLOTS:
            self._drop_empty_slots()
        slot = self._slots[number] = _Slot((number >> _LEVEL_BITS) * self._tick_us)
        heappush(self._coming, number)
        return slot

    def _drop_empty_slots(self) -> None:
        # In place: callers hold both in local variables.
        for number in [number for number, slot in self._slots.items() if not slot]:
            del self._slots[number]
        self._coming[:] = self._slots
        heapify(self._coming)
