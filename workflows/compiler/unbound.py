"""The marker that stands in a snapshot for a live variable without a value.

A variable may be live and yet unbound: `if lucky: prize = 1`, then an await, then a `try` that reads `prize`.
"""

from __future__ import annotations


class Unbound:
    """The class of `UNBOUND`, which is its only instance."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNBOUND"

    def __copy__(self) -> Unbound:
        return self

    def __deepcopy__(self, memo: object) -> Unbound:
        return self

    def __reduce__(self) -> str:
        return "UNBOUND"


UNBOUND = Unbound()
