"""`Scale`: turns on columns of a screen, one or many to a column."""

from __future__ import annotations

from bisect import bisect_left


class Scale:
    """Lays places 0 to `count` - 1 out over columns 0 to `width` - 1, the first and the last at the ends."""

    def __init__(self, count: int, width: int) -> None:
        self.count = count
        self.width = width
        columns = range(width + 1)
        # The first place of each column, and one more at the end.
        self._firsts = [bisect_left(range(count), column, key=self.column_of) for column in columns]

    def column_of(self, place: int) -> int:
        """Return the column of a place."""
        return (
            0 if self.count < 2 else (2 * place * (self.width - 1) + self.count - 1) // (2 * (self.count - 1))
        )

    def place_of(self, column: int) -> int:
        """Return the place that a column stands for best; columns beyond an end stand for that end."""
        if self.width < 2:
            return 0
        column = min(max(column, 0), self.width - 1)
        return (2 * column * (self.count - 1) + self.width - 1) // (2 * (self.width - 1))

    def places(self, column: int) -> range:
        """Return the places that lie in a column; there may be none."""
        return range(self._firsts[column], self._firsts[column + 1])
