"""What compiled functions call at run time, reached through the hidden parameter `.h`."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from types import TracebackType
from typing import Any

from ..errors import UnstorableError, WorkflowMisuseError
from . import unbound

Exit = GeneratorExit
"""What closing a coroutine throws. Under a name of ours, since a user's local may be called GeneratorExit."""
Base = BaseException
exception = sys.exception
UNBOUND = unbound.UNBOUND

_SEQUENCES = (list, tuple, range)
_SETS = (set, frozenset)
_REVERSIBLE = (tuple, str, bytes)
_EMPTY: dict[Any, Any] = {}
_KEPT: tuple[type, ...] = (
    type(iter([])),
    type(reversed([])),
    type(iter(())),
    type(iter(range(0))),
    type(iter(range(1 << 80))),
    type(iter("")),
    type(iter("\u0394")),
    type(iter(b"")),
)
"""Iterators that the codec stores."""
_COMPOSED: tuple[type, ...] = (enumerate, zip, reversed)
"""Iterators that the codec stores if it stores what they go over, and that else are copied when the loop begins."""
_FINITE: tuple[type, ...] = (
    *_KEPT,
    reversed,
    type(iter(_EMPTY)),
    type(iter(_EMPTY.values())),
    type(iter(_EMPTY.items())),
    type(reversed(_EMPTY)),
    type(reversed(_EMPTY.values())),
    type(reversed(_EMPTY.items())),
)


def again(iterator: Iterator[Any]) -> Iterator[Any]:
    """Give one item more, before the others: a resumed loop is entered in the middle of an iteration."""
    return chain((None,), iterator)


def iterate(value: Iterable[Any], function: str, filename: str, line: int) -> Iterator[Any]:
    """Return an iterator that can be stored, over what a for loop that suspends goes through.

    Lists, tuples and ranges are iterated as they are, also within enumerate and zip. Other containers are copied when
    the loop begins, sets in the order of `ordered`.

    Raises:
        UnstorableError: for a generator or other iterator whose position cannot be stored.
        WorkflowMisuseError: as `ordered`.
    """
    kind = type(value)
    if kind in _SEQUENCES:
        return iter(value)
    if isinstance(value, _SETS):
        return iter(ordered(value))
    iterator = iter(value)
    if iterator is value and _storable(value):
        return iterator
    if iterator is not value or (kind in _COMPOSED and _finite(value)):
        return iter(tuple(iterator))
    if kind in _COMPOSED:
        raise _refusal(
            value, function, filename, line, "wrap what it goes over in list(...), a set in sorted(...)"
        )
    endless = kind.__module__ == "itertools"
    raise _refusal(
        value, function, filename, line, "write a while loop" if endless else "wrap it in list(...)"
    )


def _storable(iterator: Any) -> bool:
    """Say whether the codec stores an iterator."""
    kind = type(iterator)
    if kind is enumerate:
        return _storable(iterator.__reduce__()[1][0])
    if kind is zip:
        return all(map(_storable, iterator.__reduce__()[1]))
    if kind is reversed:
        return type(iterator.__reduce__()[1][0]) in _REVERSIBLE
    return kind in _KEPT


def _finite(value: Any) -> bool:
    """Say whether an iterator goes over containers in a stable order, so that copying it ends."""
    if type(value) is enumerate:
        return _finite(value.__reduce__()[1][0])
    if type(value) is zip:
        return any(map(_finite, value.__reduce__()[1]))
    return type(value) in _FINITE


def _refusal(value: object, function: str, filename: str, line: int, remedy: str) -> UnstorableError:
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    place = f"{filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{line}"
    return UnstorableError(name, where=f"a for loop that awaits in {function}", place=place, why=remedy)


# -- sets --------------------------------------------------------------------------------------------------


def ordered(value: Any) -> Any:
    """Return the items of a set as a list in an order that every process shares; anything else as it is.

    Numbers, texts and the like stand in their own order, kind by kind. If there is anything else among them, all are
    ordered by the bytes that they are stored as.

    Raises:
        WorkflowMisuseError: for items that have no such order.
    """
    if not isinstance(value, _SETS):
        return value
    if len(value) < 2:
        return list(value)
    try:
        return sorted(value, key=_rank)
    except TypeError:
        return _by_bytes(value)


def pop(value: Any) -> Any:
    """Do what `value.pop()` does; of a set, take the first item of that order."""
    if isinstance(value, set) and value:
        item = ordered(value)[0]
        value.remove(item)
        return item
    return value.pop()


def _by_bytes(items: Iterable[Any]) -> list[Any]:
    from ..values import engine_codec  # noqa: PLC0415 - it imports this package.

    pack, found = engine_codec().pack, dict[bytes, Any]()
    for item in items:
        try:
            packed = pack(item)
        except UnstorableError as error:
            raise _orderless(error.found) from None
        if packed in found:
            raise _orderless(type(item).__qualname__)
        found[packed] = item
    return [found[packed] for packed in sorted(found)]


def _orderless(kind: str) -> WorkflowMisuseError:
    return WorkflowMisuseError(
        f"a set is read in order, and its items of type {kind} have none that every process shares; "
        "loop over sorted(..., key=...), or keep a list or dict"
    )


def _rank(item: Any) -> tuple[Any, ...]:
    """Return a sort key that is the same in every process; kinds that have no order between them are ranked.

    Raises:
        TypeError: for an item whose order could depend on the process.
    """
    if item is None:
        return (0,)
    if isinstance(item, (int, float)):
        return (1, 0, item) if item == item else (1, 1)  # noqa: PLR0124 - not a number is not itself.
    if isinstance(item, str):
        return (2, str.__str__(item))
    if isinstance(item, bytes):
        return (3, bytes(item))
    if isinstance(item, tuple):
        return (4, tuple(map(_rank, item)))
    if isinstance(item, enum.Enum):
        return (5, type(item).__module__, type(item).__qualname__, item.name)
    raise TypeError


# -- managers ----------------------------------------------------------------------------------------------


class Manager:
    """A context manager that is not told when its workflow is put away, nor entered again when it comes back."""

    __slots__ = ("_manager", "_resumed")

    def __init__(self, manager: Any, resumed: int) -> None:
        kind = type(manager)
        for name in ("__enter__", "__exit__"):
            if not hasattr(kind, name):
                text = f"{kind.__name__!r} object does not support the context manager protocol"
                if name == "__exit__":
                    text += " (missed __exit__ method)"
                raise TypeError(text)
        self._manager = manager
        self._resumed = resumed

    def __enter__(self) -> Any:
        return None if self._resumed else type(self._manager).__enter__(self._manager)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        if kind is GeneratorExit:
            return False
        leave: Callable[..., Any] = type(self._manager).__exit__
        return leave(self._manager, kind, error, traceback)
