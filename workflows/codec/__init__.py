"""Values to bytes and back: a workflow's locals, messages and results as msgpack.

What msgpack has is written as msgpack has it: None, bool, int of 64 bits, float, str, bytes, list, dict. The rest is
an ext value with bytes in it (a leaf), or an array that begins with an ext without any (a tagged list), by these
codes:

| code | value                  | form                                                                      |
|-----:|------------------------|---------------------------------------------------------------------------|
|    0 | object met again later | `[tag, n, value]`, n from 0 in the order of the bytes                     |
|    1 | object met before      | `[tag, n]`                                                                |
|    2 | tuple                  | `[tag, *items]`                                                           |
|    3 | set                    | leaf: msgpack of the array of its items, in the order of their bytes      |
|    4 | frozenset              | as set                                                                    |
|    5 | int beyond 64 bits     | leaf: big-endian two's complement                                         |
|    6 | bytearray              | `[tag, bytes]`                                                            |
|    7 | dataclass              | `[tag, "module:Class(field,field)", *values]`                             |
|    8 | named tuple            | as dataclass                                                              |
|    9 | enum member            | leaf: `module:Class.NAME`; a flag `module:Class=5`                        |
|   10 | exception              | `[tag, "module:Class", suppress, cause, context, n, *args, *(name, value)]` |
|   11 | class                  | leaf: `module:Class`                                                      |
|   12 | Ellipsis, NotImplemented | leaf: `...` or `NotImplemented`                                         |
|   13 | date                   | leaf: ISO 8601                                                            |
|   14 | time                   | `[tag, ISO 8601 without zone, fold, zone or nil]`                         |
|   15 | datetime               | as time                                                                   |
|   16 | timedelta              | `[tag, days, seconds, microseconds]`                                      |
|   17 | timezone               | `[tag, timedelta]` or `[tag, timedelta, name]`                            |
|   18 | ZoneInfo               | leaf: its key                                                             |
|   19 | Decimal                | leaf: its text                                                            |
|   20 | Fraction               | `[tag, numerator, denominator]`                                           |
|   21 | complex                | leaf: two big-endian doubles                                              |
|   22 | UUID                   | leaf: 16 bytes                                                            |
|   23 | path                   | leaf: `p`, `w` or `n` (POSIX, Windows, the machine's own), then its text  |
|   24 | range                  | `[tag, start, stop, step]`                                                |
|   25 | slice                  | `[tag, start, stop, step]`                                                |
|   26 | deque                  | `[tag, maxlen or nil, *items]`                                            |
|   27 | OrderedDict            | `[tag, *(key, value)]`                                                    |
|   28 | defaultdict            | `[tag, class or nil, *(key, value)]`                                      |
|   29 | Counter                | `[tag, *(key, count)]`                                                    |
|   30 | iterator               | `[tag, sort, *parts]`                                                     |
| 32-63 | the engine's own      | `[tag, *parts]`: `Extension`                                              |

Anything else is refused with `UnstorableError`. Subclasses of builtin types are refused too: what they
add would be lost.
`docs/reference/values.md` says the same for a reader who has only msgpack.
"""

from __future__ import annotations

from .codec import Codec, Extension

__all__ = ["Codec", "Extension", "is_tree"]

is_tree = Codec().is_tree
"""`Codec.is_tree` for values without engine types; with any in them it says False, which is safe and slower."""
