"""What a load test does to a world: starts, signals and publishes, as they go to it and into the ledger."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple


class Kind(IntEnum):
    """What an input is."""

    START = 0
    SIGNAL = 1
    PUBLISH = 2
    NOTE = 3
    """A numbered signal to a witness."""


class Input(NamedTuple):
    """One input. On the pipe it is the list of these.

    Attributes:
        number: its own in this run, from 0 up; its name in the world.
        kind: of `Kind`.
        entry: which [[workflows]] or which entry of a mix.
        entity: the entity that is started or addressed; 0 for a publish. A start's belongs to no other workflow.
        values: arguments or fields.
        due_s: when it was to be sent, in seconds of load.
    """

    number: int
    kind: int
    entry: int
    entity: int
    values: Any
    due_s: float


class Known(NamedTuple):
    """An input that is durable.

    Attributes:
        number: of the input.
        workflow_id: of a start; else 0.
    """

    number: int
    workflow_id: int
