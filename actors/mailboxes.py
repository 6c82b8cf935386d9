"""Mailboxes: which signals a workflow takes, and whether it still has room for them.

Senders are told at the call, so most of this may be asked from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..workflows import rows
from ..workflows.codec import Codec
from ..workflows.definition import WorkflowType
from ..workflows.errors import LimitError
from ..workflows.instance import Instance
from ..workflows.messages import SIGNAL, Message, Status
from ..workflows.signal import Signal
from .directory import Directory, RowSource


class Mailboxes:
    """The senders' view of all workflows.

    Attributes:
        accepts: the names of the signals that each loaded workflow type takes.
        crowded: ids of workflows with as many unread signals as they may have.
        sent: how many signals the steps of this turn have sent, by address.
    """

    def __init__(self, directory: Directory, source: RowSource, limit: int) -> None:
        """Create it; `limit` is the most unread signals that a workflow may have."""
        self.accepts: dict[str, frozenset[str]] = {}
        self.crowded: set[int] = set()
        self.sent: dict[Any, int] = {}
        self._directory = directory
        self._source = source
        self._limit = limit

    def reload(self, types: Mapping[str, WorkflowType[Any, Any]]) -> None:
        """Go by other code from now on."""
        self.accepts = {
            name: frozenset(signal.__name__ for signal in kind.accepts) for name, kind in types.items()
        }

    def takes(self, type_name: str, signal: str) -> bool:
        """Say whether workflows of a type take a signal."""
        accepts = self.accepts.get(type_name)
        # A type that is not loaded may accept anything: its workflow is held and collects messages.
        return accepts is None or signal in accepts

    def audience(self, message: Message, publisher_id: int | None, codec: Codec) -> list[int]:
        """Return who has subscribed to a published signal by now, ascending, without its publisher."""

        def values_of() -> dict[str, bytes]:
            names = message[4].split(",") if message[4] else []
            values = codec.unpack(message[3])
            return {name: codec.pack(value) for name, value in zip(names, values, strict=True)}

        receivers = self._directory.subscriptions.receivers(message[2], values_of)
        return [number for number in receivers if number != publisher_id]

    def note_unread(self, instance: Instance) -> None:
        """Keep `crowded` true after a change of a workflow's unread messages."""
        unread = instance.unread
        limit = self._limit
        if unread is not None and len(unread) >= limit and count_signals(unread) >= limit:
            self.crowded.add(instance.workflow_id)
        else:
            self.crowded.discard(instance.workflow_id)

    def refusal(self, workflow_id: int, signal: type[Signal]) -> str | None:
        """Return why a workflow does not take a signal, or None if it does; from any thread."""
        found = self._directory.look(workflow_id)
        if found is None:
            return "there is no such workflow"
        status, type_name = found
        if status is not Status.SUSPENDED:
            return f"it has ended ({status})"
        if not self.takes(type_name, signal.__name__):
            return f"workflow type {type_name!r} never awaits it"
        return None

    def check_room(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None, signal: type[Signal]
    ) -> None:
        """Raise `LimitError` if a receiver has too many unread signals; from any thread.

        One that awaits just this class takes it, however many others wait.
        """
        if self.crowded:
            self._check_room(
                self.crowded.intersection(self._directory.addressed(workflow_id, entity_id, correlation_id)),
                signal.__name__,
            )

    def check_audience(
        self, message: Message, publisher_id: int | None, codec: Codec, *, flooded: bool = False
    ) -> None:
        """Raise `LimitError` if a subscriber has too many unread signals; from any thread, with a codec of its own.

        With `flooded`, also if one turn has its fill of the signal, and a subscriber does not await it.
        """
        if flooded or self.crowded:
            audience = self.audience(message, publisher_id, codec)
            self._check_room(set(audience) if flooded else self.crowded.intersection(audience), message[2])

    def count(self, key: Any) -> bool:
        """Count a signal that a step sends to an address; say whether this turn has its fill of such."""
        sent = self.sent[key] = self.sent.get(key, 0) + 1
        return sent > self._limit

    def check_flood(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None, signal: type[Signal]
    ) -> None:
        """Raise `LimitError` if a receiver does not await a signal of which one turn already has its fill."""
        receivers = self._directory.addressed(workflow_id, entity_id, correlation_id)
        self._check_room(set(receivers), signal.__name__)

    def _check_room(self, receivers: set[int], name: str) -> None:
        limit = self._limit
        for number in sorted(receivers):
            row = self._source.row(number)
            if row is None:
                continue
            fields = rows.split(row)
            if self.takes(rows.read_field(fields, rows.TYPE), name) and name not in rows.awaited(fields):
                what = f"the number of unread signals of workflow {number}"
                raise LimitError(what, value=limit + 1, limit=limit, setting="unread")


def count_signals(unread: list[Any]) -> int:
    """Count the signals among unread messages; only they are bounded."""
    return sum(message[0] == SIGNAL for message in unread)
