"""Rows of one table, read in a transaction: a stretch of them, those under a prefix, a hash over all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice, takewhile
from typing import Any


def read_rows(
    transaction: Any, handle: Any, start: bytes, stop: bytes | None, size: int
) -> tuple[list[tuple[bytes, bytes]], bytes | None, bytes | None]:
    """Read some rows of a table in key order.

    Args:
        transaction: a read transaction.
        handle: the table's, or None where it does not exist.
        start: the first key.
        stop: the first key that is not wanted any more; None for no end. Some from there on may come, too.
        size: how many rows.

    Returns:
        The rows, the key up to which these are all, and from where to go on: None where there are no more.
    """
    batch: list[tuple[bytes, bytes]] = []
    if handle is not None:
        with transaction.cursor(db=handle) as cursor:
            batch = list(islice(cursor, size)) if cursor.set_range(start) else []
    following = batch[-1][0] + b"\0" if len(batch) == size else None
    if following is None or (stop is not None and following >= stop):
        return batch, stop, None
    return batch, following, following


def hash_rows(rows: Iterable[tuple[bytes, bytes]]) -> tuple[int, bytes]:
    """Return how many rows there are, and the hash of them."""
    digest = hashlib.sha256()
    count = 0
    for key, value in rows:
        digest.update(framed(key) + framed(value))
        count += 1
    return count, digest.digest()


def framed(part: bytes) -> bytes:
    """Return bytes with their length before them."""
    return len(part).to_bytes(8, "big") + part


def rows_under(transaction: Any, handle: Any, prefix: bytes) -> list[tuple[bytes, bytes]]:
    """Return the rows whose keys have a prefix; of a table that does not exist, whose handle is None, none."""
    if handle is None:
        return []
    with transaction.cursor(db=handle) as cursor:
        if not cursor.set_range(prefix):
            return []
        return list(takewhile(lambda row: row[0].startswith(prefix), cursor))


def pages_of(stat: dict[str, int]) -> int:
    """Return how many pages a table takes."""
    return stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
