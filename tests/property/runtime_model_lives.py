"""What the model knows of one workflow, and the messages and rows that it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from runtime_model_context import Step


class Message(NamedTuple):
    """Something on its way to one workflow.

    `kind` is "start", "tick", "next", "retry", "signal" or "ask" (`what` is the signal), "done" (`what` is (child,
    status, outcome)), "cancel" or "kill" (`what` is the reason), or "call" (`what` is (reducer, arguments)).
    """

    kind: str
    time_us: int
    what: Any = None
    ticket: int = 0


class Failure(NamedTuple):
    """An answer that there is none."""

    problem: str = ""


@dataclass(eq=False)
class Life:
    """One workflow: what is known of it, without its coroutine, which can always be made again."""

    number: int
    kind: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    entity: int | None
    group: str | None
    parent: int | None
    created_us: int
    status: str = "Suspended"
    steps: list[Step] = field(default_factory=list)
    unread: list[Message] = field(default_factory=list)
    children: dict[int, str] = field(default_factory=dict)
    topics: list[Any] = field(default_factory=list)
    asks: list[Message] = field(default_factory=list)
    failures: int = 0
    retry_at_us: int | None = None
    failed_on: Message | None = None
    armed_us: int | None = None
    result: Any = None
    error: str | None = None
    coroutine: Any = None
    context: Any = None
    wait: tuple[Any, ...] = ()

    def copy(self) -> Life:
        lists = ("steps", "unread", "topics", "asks")
        return replace(
            self,
            **{name: list(getattr(self, name)) for name in lists},
            children=dict(self.children),
            coroutine=None,
            context=None,
            wait=(),
        )

    @property
    def active(self) -> bool:
        return self.status == "Suspended"

    def takes(self, signal: Any) -> bool:
        return type(signal) in self.kind.accepts


class Rows(dict[Any, Any]):
    """A table: a dict in the order of its keys."""

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(self.keys()))

    def items(self) -> Any:
        return [(key, self[key]) for key in self]
