"""Limits: a bound on everything that a workflow can make grow."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TIME_US = 2**62
"""Due times and durations stay below this, so that sums of two never leave an i64."""

MAX_NAME = 480
"""Bytes of a name. A key of LMDB has at most 511; an index has a length before the name, and a workflow id after it."""

MAX_ID = 2**64 - 1
"""Entity ids are u64."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, each with a clear error where it is met. Sizes are bytes of the packed form.

    Attributes:
        state_warn: a snapshot from this size on is logged as a warning.
        state_error: a snapshot from this size on is logged as an error.
        state_max: a snapshot over this size is refused: the step fails and changes nothing.
        unread: signals buffered for one workflow; a further one is an error at its sender. What one turn takes is
            looked at by address from four times as many inputs on.
        children: children of one workflow that run or whose results wait.
        asks: questions that a workflow has not answered; a further one is refused.
        topics: subscriptions of one workflow.
        sources: sources of one select.
        payload: a signal, the arguments of a start, or a result.
        name: a correlation id, a timer's name, a step's label; in UTF-8. At most 480, for they are in keys.
        effects: signals, starts and rows of tables of one step.
        error_message: an error message is cut to this size; so is each traceback, to eight times as much.
    """

    state_warn: int = 10_000
    state_error: int = 100_000
    state_max: int = 1_048_576
    unread: int = 1_000
    children: int = 10_000
    asks: int = 1_000
    topics: int = 64
    sources: int = 256
    payload: int = 65_536
    name: int = 255
    effects: int = 10_000
    error_message: int = 2_000

    def __post_init__(self) -> None:
        """Check what the store itself bounds.

        Raises:
            ValueError: names are longer than its keys can be.
        """
        if self.name > MAX_NAME:
            raise ValueError(
                f"name is at most {MAX_NAME} bytes, not {self.name!r}: names are in keys of the store"
            )
