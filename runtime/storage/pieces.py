"""Long values in pieces of a page.

A value that is longer than a page needs pages side by side, and where too few of those are free the file grows, though
others are. So what may be long lies in pieces, each of which fits a page: the key of a piece is the number of the
whole, and then the offset of the piece in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

PIECE = 4080
"""Bytes of a piece."""


def number_key(number: int) -> bytes:
    """Return what the keys of a whole's pieces begin with."""
    return number.to_bytes(8, "big")


def piece_key(number: int, offset: int) -> bytes:
    """Return the key of the piece that holds the byte at an offset."""
    return number_key(number) + (offset - offset % PIECE).to_bytes(4, "big")


def piece_keys(number: int, count: int) -> list[bytes]:
    """Return the keys of all pieces of a whole that has so many."""
    return [piece_key(number, at * PIECE) for at in range(count)]


def cut(number: int, whole: bytes) -> list[tuple[bytes, bytes]]:
    """Return keys and values of the pieces of a whole."""
    return [(piece_key(number, at), whole[at : at + PIECE]) for at in range(0, len(whole), PIECE)]


def joined(pieces: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Put pieces together again, in the order of their keys; give the number of each whole, too."""
    for number, some in groupby(pieces, number_of):
        yield number, b"".join(piece for _, piece in some)


def from_a_beginning(pieces: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Leave out pieces of a whole whose first ones have been deleted."""
    begun = False
    for piece in pieces:
        begun = begun or not any(piece[0][8:])
        if begun:
            yield piece


def joined_backwards(pieces: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Put pieces together that come from the last one down; leave out a whole whose first ones have been deleted."""
    for number, some in groupby(pieces, number_of):
        whole = list(some)
        if not any(whole[-1][0][8:]):
            yield number, b"".join(piece for _, piece in reversed(whole))


def number_of(piece: tuple[bytes, bytes]) -> int:
    """Return the number of the whole that a piece is of."""
    return key_number(piece[0])


def key_number(key: bytes) -> int:
    """Return the number that a key begins with."""
    return int.from_bytes(key[:8], "big")
