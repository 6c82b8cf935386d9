"""The codes on the wire, and the two shapes that a value beyond plain msgpack takes.

A *leaf* is one ext value with bytes in it: `Ext(19, b"1.50")` is a Decimal. Everything (sets apart) that holds other
values is a *tagged list*: an array whose first item is an ext of no bytes, `[Ext(2, b""), 1.0, 2.0]` is the
tuple `(1.0, 2.0)`. The other natural form, an ext whose bytes are msgpack again, was measured and dropped: it
needs a second Packer (a Packer is not reentrant: an inner `pack` tears the outer's buffer), copies every
level once more, and costs 0.7 us for a tuple of two floats where a tagged list costs 0.15. A tagged list is
also readable without knowing the codes.

Every tag begins with the two bytes `TAG_PREFIX`, so that data without them is known to hold no tagged list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from msgpack import ExtType

from ..errors import DecodeError, UnknownTypeError

DEF: Final = 0
REF: Final = 1
TUPLE: Final = 2
SET: Final = 3
FROZENSET: Final = 4
BIG_INT: Final = 5
BYTEARRAY: Final = 6
RECORD: Final = 7
NAMED_TUPLE: Final = 8
ENUM: Final = 9
EXCEPTION: Final = 10
CLASS: Final = 11
CONSTANT: Final = 12
DATE: Final = 13
TIME: Final = 14
DATETIME: Final = 15
TIMEDELTA: Final = 16
TIMEZONE: Final = 17
ZONE_INFO: Final = 18
DECIMAL: Final = 19
FRACTION: Final = 20
COMPLEX: Final = 21
UUID_CODE: Final = 22
PATH: Final = 23
RANGE: Final = 24
SLICE: Final = 25
DEQUE: Final = 26
ORDERED_DICT: Final = 27
DEFAULT_DICT: Final = 28
COUNTER: Final = 29
ITERATOR: Final = 30

EXTENSIONS: Final = range(32, 64)
"""The codes that the engine's own types may take."""

TAG_PREFIX: Final = b"\xc7\x00"

ATOMS: Final = frozenset((type(None), bool, int, float, str, bytes))
"""Types that the Packer writes by itself and that hold nothing."""

MAX_DEPTH: Final = 100
"""How deep values may nest; msgpack's own limit is a little over a thousand levels of the wire."""

MAX_SET_DEPTH: Final = 8
"""How deep sets may nest in sets. Each level is a call of msgpack within a call, with 40 KB on the C stack."""

MAX_CONTAINERS: Final = 1 << 20
"""How many containers one value may hold, counting a tuple as often as it is met."""


HEAP_TYPE: Final = 1 << 9
"""The flag of classes that are made by a `class` statement."""

Build = Callable[[list[Any]], Any]
"""Makes a value of the list of what it was made of."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one class of values is written.

    Attributes:
        encode: gives the leaf, or the tagged list whose items are values again. No item may be a container
            made for the occasion: identity is kept by `id()`, and a temporary's id is soon another's.
        identity: whether the object keeps its identity within one snapshot.
        atomic: whether a value can never hold a container or an object with identity.
    """

    encode: Callable[[Any], Any]
    identity: bool = False
    atomic: bool = False


def tag(code: int) -> ExtType:
    """Give the first item of a tagged list."""
    return ExtType(code, b"")


def pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    """Split a flat run of keys and values.

    Raises:
        DecodeError: a key without a value.
    """
    if len(items) % 2:
        raise DecodeError("a mapping has a key without a value")
    return list(zip(items[::2], items[1::2], strict=True))


def check_stored(name: str, stored: list[str], fields: Any) -> None:
    """Refuse bytes with a field that the class no longer has."""
    for field in stored:
        if field not in fields:
            raise UnknownTypeError(
                name, f"it was stored with a field {field!r} that it no longer has; keep that field"
            )
