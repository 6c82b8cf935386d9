"""`Retry`: how often and how soon something that failed is tried again."""

from __future__ import annotations

import math
from dataclasses import dataclass

MAX_ATTEMPTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Retry:
    """A policy: `attempts` tries in all, with growing pauses between them.

    Example:
        Retry(attempts=5, delay=0.5, backoff=2.0, max_delay=60.0)   # after 0.5, 1, 2 and 4 seconds

    Attributes:
        attempts: tries in all, the first one among them; 1 tries once.
        delay: seconds before the second try.
        backoff: what each further pause is multiplied by.
        max_delay: seconds that no pause exceeds.
    """

    attempts: int = 3
    delay: float = 1.0
    backoff: float = 2.0
    max_delay: float = 60.0

    def __post_init__(self) -> None:
        """Check each."""
        if type(self.attempts) is not int or not 1 <= self.attempts <= MAX_ATTEMPTS:
            raise ValueError(
                f"attempts of Retry is a whole number from 1 to {MAX_ATTEMPTS}, not {self.attempts!r}"
            )
        for name, least in (("delay", 0.0), ("backoff", 1.0), ("max_delay", 0.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < math.inf:
                raise ValueError(f"{name} of Retry is a finite number from {least} up, not {value!r}")

    def pause_s(self, failed: int) -> float | None:
        """Return the seconds to wait after the `failed`-th failure, counted from 1; None where it was the last try."""
        if failed >= self.attempts:
            return None
        try:
            pause = self.delay * self.backoff ** (failed - 1)
        except OverflowError:
            return self.max_delay
        return min(pause, self.max_delay)


ONCE = Retry(attempts=1)
