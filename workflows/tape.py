"""What a step was told by the world around it: recorded while it runs, and told again when it is run again.

A step is decided by its workflow's row, its message, the time, and the answers to what it asked: ids of what it
started, whether a receiver has room, what a reducer returned. A `Recording` stands between a port and its world and
takes the answers down; a `Playback` stands there alone and gives them, in the same order.

An answer is plain msgpack: an id, None for "yes", a text why a signal is refused, the packed result of a reducer as
bytes, or what was raised, as a list.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .codec import Codec
from .context import Context
from .errors import LimitError, plain_text
from .messages import Message
from .outbox import Neighbours
from .reducer import Reducer
from .signal import Signal

RunReducer = Callable[[Reducer[Any, Any], bytes, str], bytes]
"""Runs a reducer on packed arguments, for a sender; returns its packed result."""


class PlaybackError(Exception):
    """The code asks for something else than it did when it was recorded."""


class Recording:
    """The world around a step, with its answers taken down; what is not asked of a `Playback` goes through.

    Attributes:
        answers: those to the current step, in order; whoever takes them puts an empty list in their place.
    """

    def __init__(self, neighbours: Neighbours, run_reducer: RunReducer) -> None:
        self.answers: list[Any] = []
        self._neighbours = neighbours
        self._run_reducer = run_reducer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._neighbours, name)

    def new_workflow_id(self) -> int:
        """Return an id that was never used."""
        number = self._neighbours.new_workflow_id()
        self.answers.append(number)
        return number

    def refusal(self, workflow_id: int, signal: type[Signal]) -> str | None:
        """Return why a workflow does not take a signal, or None if it does."""
        answer = self._neighbours.refusal(workflow_id, signal)
        self.answers.append(answer)
        return answer

    def check_room(
        self, workflow_id: int | None, entity_id: int | None, correlation_id: str | None, signal: type[Signal]
    ) -> None:
        """Raise `LimitError` if a receiver has too many unread signals."""
        try:
            self._neighbours.check_room(workflow_id, entity_id, correlation_id, signal)
        except LimitError as error:
            self.answers.append(_packed_limit(error))
            raise
        self.answers.append(None)

    def check_audience(self, message: Message, publisher_id: int | None, codec: Codec) -> None:
        """Raise `LimitError` if a subscriber has too many unread signals."""
        try:
            self._neighbours.check_audience(message, publisher_id, codec)
        except LimitError as error:
            self.answers.append(_packed_limit(error))
            raise
        self.answers.append(None)

    def run_reducer(self, reducer: Reducer[Any, Any], arguments: bytes, sender: str) -> bytes:
        """Run a reducer; what it asks in its turn is no answer to the step."""
        answers, self.answers = self.answers, []
        try:
            result = self._run_reducer(reducer, arguments, sender)
        except Exception as error:
            answers.append(_packed_error(error))
            raise
        finally:
            self.answers = answers
        answers.append(result)
        return result


class Playback:
    """The world around a step that is run again.

    Attributes:
        unplayable: why the step cannot be run as it was, or an empty text.
    """

    def __init__(self) -> None:
        self.unplayable = ""
        self._answers: Iterator[Any] = iter(())
        self._row = b""

    def begin(self, row: bytes, answers: list[Any] | None) -> None:
        """Stand ready for a step: with the row that it begins on, and what it was told."""
        self.unplayable = ""
        self._row = row
        self._answers = iter(answers or ())

    def _next(self, *kinds: type) -> Any:
        answer = next(self._answers, self)
        if isinstance(answer, list) and kinds != (int,):
            error = _unpacked_error(answer)
            if error is None:
                self.unplayable = (
                    f"a reducer raised {answer[0]}.{answer[1]}, which is recorded by its name alone"
                )
                error = PlaybackError(self.unplayable)
            raise error
        if type(answer) not in kinds:
            raise PlaybackError("the step asks the world for what it did not ask for when it was recorded")
        return answer

    def new_workflow_id(self) -> int:
        """Return the id that the step got."""
        number: int = self._next(int)
        return number

    def refusal(self, workflow_id: int, signal: type[Signal]) -> str | None:  # noqa: ARG002 - a port's question.
        """Return what the step was told."""
        answer: str | None = self._next(str, type(None))
        return answer

    def check_room(
        self,
        workflow_id: int | None,  # noqa: ARG002 - a port's question.
        entity_id: int | None,  # noqa: ARG002
        correlation_id: str | None,  # noqa: ARG002
        signal: type[Signal],  # noqa: ARG002
    ) -> None:
        """Raise what was raised."""
        self._next(type(None))

    def check_audience(self, message: Message, publisher_id: int | None, codec: Codec) -> None:  # noqa: ARG002
        """Raise what was raised."""
        self._next(type(None))

    def run_reducer(self, reducer: Reducer[Any, Any], arguments: bytes, sender: str) -> bytes:  # noqa: ARG002
        """Return what the reducer returned, or raise what it raised."""
        result: bytes = self._next(bytes)
        return result

    def last_row(self, workflow_id: int) -> bytes:  # noqa: ARG002 - the step's own.
        """Return the row that the step begins on."""
        return self._row

    def logger_of(self, context: Context) -> Any:  # noqa: ARG002
        """Return a logger that says nothing: it was said before."""
        return _SILENT

    def logger_for(self, sender: str) -> Any:  # noqa: ARG002
        """Return a logger that says nothing."""
        return _SILENT

    def __getattr__(self, name: str) -> Any:
        # Whatever else a world is asked, reducers ask it.
        raise PlaybackError(f"the step asks the world for {name}, which only a reducer does")


class _Silence:
    """A logger that says nothing, whatever it is bound to."""

    def __getattr__(self, name: str) -> Any:
        return self._ignore

    def _ignore(self, *_: object, **__: object) -> _Silence:
        return self


_SILENT = _Silence()


def _packed_limit(error: LimitError) -> list[Any]:
    return ["", error.what, error.value, error.limit, error.setting]


def _packed_error(error: Exception) -> list[Any]:
    """Return what was raised; without its arguments where these alone do not make it anew."""
    if type(error) is LimitError:
        return _packed_limit(error)
    name = [plain_text(type(error).__module__), plain_text(type(error).__qualname__)]
    plain = type(error).__init__ is Exception.__init__ or type(error).__module__ == "builtins"
    if not plain or vars(error) or not all(map(_is_plain, error.args)):
        return [*name, None]
    return [*name, list(error.args)]


def _is_plain(value: object) -> bool:
    """Say whether msgpack gives a value back as it is."""
    if type(value) is str:
        return plain_text(value) == value
    if type(value) is int:
        return -(2**63) <= value < 2**64
    return value is None or type(value) in (bool, float, bytes)


def _unpacked_error(answer: list[Any]) -> Exception | None:
    """Return what was raised, or None where that cannot be made anew."""
    module, name, *rest = answer
    if not module:
        return LimitError(name, value=rest[0], limit=rest[1], setting=rest[2])
    found: Any = sys.modules.get(module, builtins)
    for part in name.split("."):
        found = getattr(found, part, None)
    if rest[0] is None or not (isinstance(found, type) and issubclass(found, Exception)):
        return None
    error: Exception = found(*rest[0])
    return error
