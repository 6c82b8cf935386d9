"""The last steps of each workflow, where not all are kept: a recorder that forgets, as those of aeroplanes do.

Key: the workflow and the number of its step, eight bytes each, so that a step is written and the one that it pushes out
is deleted without a look at the others. Value: a packed array [turn, time, message, answers, row before].
"""

from __future__ import annotations

from collections.abc import Iterator

import msgpack

from ..storage.readable import Readable
from .steps import Step, StepRecord
from .tables import LAST_TABLE

_packer = msgpack.Packer()


class LastSteps:
    """Writes them. It remembers of each workflow which numbers are stored."""

    def __init__(self, stored: Readable) -> None:
        self._stored = stored
        self._numbers: dict[int, tuple[int, int]] = {}

    def add(
        self,
        most: int,
        turn: int,
        now_us: int,
        step: Step,
    ) -> Iterator[tuple[bytes, bytes | None]]:
        """Give the rows to write for a step: itself, and None for each that it pushes out.

        Args:
            most: how many are kept.
            turn: of the step.
            now_us: the time of it.
            step: workflow id, message, answers, row before.
        """
        workflow_id, message, answers, before = step
        first, following = self._numbers.get(workflow_id) or self._find(workflow_id, new=before is None)
        if message is None and before is not None:
            # What is deleted takes its last steps with it.
            self._numbers.pop(workflow_id, None)
            yield from ((_key(workflow_id, number), None) for number in range(first, following))
            return
        yield _key(workflow_id, following), _packer.pack((turn, now_us, message, answers, before))
        left = max(first, following + 1 - most)
        yield from ((_key(workflow_id, number), None) for number in range(first, left))
        self._numbers[workflow_id] = left, following + 1

    def _find(self, workflow_id: int, *, new: bool) -> tuple[int, int]:
        if new:
            return 0, 0
        numbers = [int.from_bytes(key[8:], "big") for key, _ in _rows_of(self._stored, workflow_id)]
        return (numbers[0], numbers[-1] + 1) if numbers else (0, 0)


def last_steps_of(stored: Readable, workflow_id: int) -> Iterator[StepRecord]:
    """Go through the last steps of a workflow, oldest first.

    Raises:
        ValueError: one does not decode.
    """
    return map(_unpack, _rows_of(stored, workflow_id))


def all_last_steps(stored: Readable) -> Iterator[StepRecord]:
    """Go through the last steps of all workflows, by workflow and then oldest first.

    Raises:
        ValueError: one does not decode.
    """
    return map(_unpack, stored.scan(LAST_TABLE))


def _unpack(stored: tuple[bytes, bytes]) -> StepRecord:
    key, value = stored
    workflow_id = int.from_bytes(key[:8], "big")
    try:
        turn, now_us, message, answers, before = msgpack.unpackb(value, strict_map_key=False)
    except (TypeError, ValueError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"a step of workflow {workflow_id} does not decode: {error!r}") from None
    return StepRecord(turn, now_us, workflow_id, None if message is None else tuple(message), answers, before)


def _rows_of(stored: Readable, workflow_id: int) -> Iterator[tuple[bytes, bytes]]:
    stop = None if workflow_id == 2**64 - 1 else (workflow_id + 1).to_bytes(8, "big")
    return stored.scan(LAST_TABLE, workflow_id.to_bytes(8, "big"), stop, batch=16)


def _key(workflow_id: int, number: int) -> bytes:
    return workflow_id.to_bytes(8, "big") + number.to_bytes(8, "big")
