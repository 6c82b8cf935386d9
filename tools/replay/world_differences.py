"""Differences between two worlds: workflow by workflow, then the rows of the game's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...runtime.world_state import META, TABLE_KEY
from ...workflows import rows
from ...workflows.errors import DeathlessError
from ...workflows.table_keys import stored_form, unpack_key
from .differences import ABSENT, Difference, value_differences
from .row_differences import Look, row_differences
from .saved_world import SavedWorld


class Differing(NamedTuple):
    """A workflow, or a row of a table, that is not the same in two worlds.

    Attributes:
        name: `guard 7`, or `table gold`.
        workflow_id: of a workflow; None of a table.
        differences: by field path; of a workflow or row that one world has not, one without a path. There may be none,
            where rows differ in nothing that has a name: see `row_differences`.
    """

    name: str
    workflow_id: int | None
    differences: list[Difference]


def differing_workflows(
    old: SavedWorld,
    new: SavedWorld,
    before: Mapping[int, bytes],
    after: Mapping[int, bytes],
) -> Iterator[Differing]:
    """Go through the workflows that differ, by ascending id.

    Args:
        old: a world.
        new: another, or the same.
        before: rows of the one, by id.
        after: rows of the other.

    Raises:
        WorldCorruptError: a row does not decode.
    """
    for number in sorted(before.keys() | after.keys()):
        was, now = before.get(number), after.get(number)
        if was == now:
            continue
        if was is not None and now is not None:
            found = row_differences(Look(old, number, was), Look(new, number, now))
            yield Differing(_named(new, number, now), number, found)
        elif now is not None:
            yield Differing(
                _named(new, number, now), number, [Difference("", ABSENT, str(new.view(number, now).status))]
            )
        elif was is not None:
            yield Differing(
                _named(old, number, was), number, [Difference("", str(old.view(number, was).status), ABSENT)]
            )


def differing_tables(old: SavedWorld, new: SavedWorld) -> Iterator[Differing]:
    """Go through the game's own tables that differ now, by name; a path begins with the row's key."""
    forms = {**_tables(old), **_tables(new)}
    for name in sorted(forms):
        before, after = (dict(saved.reader.scan(f"table:{name}")) for saved in (old, new))
        found = list(_in_tables(old, new, before, after, forms[name]))
        if found:
            yield Differing(f"table {name}", None, found)


def _in_tables(
    old: SavedWorld, new: SavedWorld, before: Mapping[bytes, bytes], after: Mapping[bytes, bytes], form: bytes
) -> Iterable[Difference]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            values = (_decoded(old, before.get(key)), _decoded(new, after.get(key)))
            yield from value_differences(*values, f"[{_unpacked_key(key, form)!r}]")


def _tables(saved: SavedWorld) -> dict[str, bytes]:
    """Return the stored form of each table's keys."""
    stop = TABLE_KEY[:-1] + bytes([TABLE_KEY[-1] + 1])
    found = saved.reader.scan(META, TABLE_KEY, stop)
    return {key.removeprefix(TABLE_KEY).decode(): form for key, form in found}


def _unpacked_key(key: bytes, form: bytes) -> Any:
    kinds, single = stored_form(form)
    return unpack_key(key, kinds, single=single)


def _decoded(saved: SavedWorld, packed: bytes | None) -> Any:
    if packed is None:
        return ABSENT
    try:
        return saved.looking.unpack(packed)
    except DeathlessError:
        return packed


def _named(saved: SavedWorld, number: int, row: bytes) -> str:
    try:
        return f"{rows.read_head(row).type_name} {number}"
    except rows.RowError as error:
        raise saved.damaged(number, error) from error
