"""Deterministic randomness for workflows.

Counter-based: draw number `n` of a workflow is a hash (splitmix64) of the world's seed, the workflow's id and
`n`, so that a snapshot keeps one integer where Mersenne's state would be 2.5 KB, and a step that fails and runs
again draws the same numbers.
"""

from __future__ import annotations

import random
from typing import Any, Protocol, Self

_MASK = 0xFFFFFFFFFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15


def splitmix64(value: int) -> int:
    """Return the splitmix64 hash of a 64-bit integer."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Drawer(Protocol):
    """What a draw belongs to: a workflow with its id and the number of draws made so far."""

    workflow_id: int
    draws: int


class DurableRandom(random.Random):
    """`random.Random` over the counter of whichever workflow is running.

    One object serves a whole world: each access of `ctx.random` points it at that workflow. It must not be kept
    in a local across an await.
    """

    def __new__(cls, *_args: object) -> Self:
        """Skip the seeding that `random.Random` does from its arguments."""
        return super().__new__(cls)

    def __init__(self, seed: int) -> None:
        super().__init__(0)
        self._seed = splitmix64(seed & _MASK)
        self.drawer: Drawer | None = None

    def _next64(self) -> int:
        drawer = self.drawer
        assert drawer is not None
        drawer.draws += 1
        stream = splitmix64((self._seed + drawer.workflow_id * _GOLDEN) & _MASK)
        return splitmix64((stream + drawer.draws * _GOLDEN) & _MASK)

    def random(self) -> float:
        """Return a float in [0, 1) of 53 random bits."""
        return (self._next64() >> 11) * (1.0 / 9007199254740992.0)

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of `k` random bits."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        bits, have = 0, 0
        while have < k:
            bits |= self._next64() << have
            have += 64
        return bits >> (have - k)

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """Return a normal variate; without the pair-wise cache of the base class, which is hidden state."""
        return self.normalvariate(mu, sigma)

    def seed(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: the seed is the world's."""

    def getstate(self) -> Any:
        """Refuse: the state is one counter in the workflow's snapshot."""
        raise NotImplementedError("the state of ctx.random is part of the workflow's snapshot")

    def setstate(self, state: Any) -> None:
        """Refuse: see `getstate`."""
        raise NotImplementedError("the state of ctx.random is part of the workflow's snapshot")
