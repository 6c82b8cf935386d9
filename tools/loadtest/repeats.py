"""What is sent to a world again after it was killed, beside all that it had not acknowledged.

A client that has not heard an acknowledgement repeats what it sent, and the world must know the names of what it took,
just before the kill and long ago. But what comes again makes good what was lost, so that most of what was acknowledged
stays unrepeated, for the ledger to ask for.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from random import Random

from .frames import Frame
from .inputs import Input

EARLIER = 50
"""So many of all that was acknowledged come again after each kill."""
AGAIN = 0.5
"""Of what was acknowledged between the decision to kill the world and its end: so much comes again."""


class Repeats:
    """Chooses what comes again.

    Attributes:
        earlier: inputs of any age that were acknowledged.
    """

    def __init__(self, random: Random, *, most: int) -> None:
        """Begin without any.

        Args:
            random: to choose by.
            most: of the earlier ones; 0 for a world that forgets names, and would take them once more.
        """
        self._random = random
        self._most = most
        self.earlier: list[Input] = []

    def remember(self, item: Input) -> None:
        """Take an acknowledged input; in the end each is among the earlier ones by nearly the same odds."""
        if len(self.earlier) < self._most:
            self.earlier.append(item)
        elif self._most and (at := self._random.randrange(item.number + 1)) < self._most:
            self.earlier[at] = item

    def of(self, sent: Iterable[Input], waiting: Container[int], last: Iterable[Frame]) -> list[Input]:
        """Return what comes again of what was on its way when it was decided to kill.

        Args:
            sent: all of that, in order.
            waiting: numbers of what has not been acknowledged or refused since.
            last: the frames that were told of since.
        """
        refused = {number for frame in last for number in frame.refused}
        return [
            item
            for item in sent
            if item.number in waiting or (item.number not in refused and self._random.random() < AGAIN)
        ]
