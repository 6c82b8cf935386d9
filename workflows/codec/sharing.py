"""Which objects of a value are reachable twice, and the form in which they are written once.

Identity is asked of containers and other objects that have it, never of immutable values: whether two equal
strings are one object is an accident of the interpreter, and must not show in the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import Any

from ..errors import UnstorableError
from .names import type_name
from .wire import DEF, MAX_CONTAINERS, MAX_DEPTH, REF, Kind, tag

_DEF, _REF = tag(DEF), tag(REF)

KindOf = Callable[[type], Kind]


class TreeCheck:
    """Answers quickly, for nearly all values, whether anything in them is reachable twice.

    Loops are written out: a call for each container would double the time.
    """

    def __init__(self, atoms: set[type], kinds: dict[type, Kind], kind_of: KindOf) -> None:
        self._atoms = atoms
        self._kinds = kinds
        self._kind_of = kind_of

    def is_tree(self, values: Collection[object]) -> bool:
        """Say whether `pack_tree` is right for these values, which will be packed together.

        True if no object with identity is reachable twice, there is no cycle, and the Packer gets every type
        right. A value that cannot be stored may give either answer: packing it raises.
        """
        try:
            found = self._look(values, set(), 0)
            if found is not None:
                return found
            scanned = scan(values, self._atoms, self._kind_of)
        except UnstorableError:
            return False
        return not scanned.shared and not scanned.needs_form

    def _look(self, values: Iterable[Any], seen: set[int], depth: int) -> bool | None:
        """Look at the common shapes; None where only the whole scan can tell."""
        atoms = self._atoms
        for value in values:
            cls = type(value)
            if cls in atoms:
                continue
            if cls is list:
                children = value
            elif cls is dict:
                for item in value:
                    if type(item) not in atoms:
                        return None
                children = value.values()
            elif cls is tuple or cls is frozenset:
                for item in value:
                    if type(item) not in atoms:
                        return None
                continue
            elif cls is set:
                for item in value:
                    if type(item) not in atoms:
                        return None
                children = ()
            else:
                kind = self._kinds.get(cls)
                if kind is None or cls is bytearray:
                    return None
                children = kind.encode(value)[1:]
                if not kind.identity:
                    for item in children:
                        if type(item) not in atoms:
                            return None
                    continue
            key = id(value)
            if key in seen:
                return False
            seen.add(key)
            for item in children:
                if type(item) not in atoms:
                    if depth + 1 == MAX_DEPTH:
                        return None
                    found = self._look(children, seen, depth + 1)
                    if not found:
                        return found
                    break
        return True


class Scan:
    """What a walk over values has found.

    Attributes:
        identities: the ids of the objects met that have identity.
        shared: those of them that were met more than once.
        needs_form: whether something was met that the Packer by itself would write wrongly.
    """

    def __init__(self, atoms: set[type], kind_of: KindOf) -> None:
        self.identities: set[int] = set()
        self.shared: set[int] = set()
        self.needs_form = False
        self._atoms = atoms
        self._kind_of = kind_of
        self._open: set[int] = set()
        self._containers = 0

    def visit(self, values: Iterable[Any], depth: int = 0) -> None:
        """Walk all that is reachable from the values."""
        atoms = self._atoms
        for value in values:
            if type(value) not in atoms:
                self._enter(value, depth)

    def _enter(self, value: Any, depth: int) -> None:
        cls = type(value)
        self._containers += 1
        if depth >= MAX_DEPTH:
            raise UnstorableError(type_name(cls), why=f"it is nested more than {MAX_DEPTH} levels deep")
        if self._containers > MAX_CONTAINERS:
            raise UnstorableError(type_name(cls), why=f"more than {MAX_CONTAINERS} containers are reachable")
        if cls is list:
            identity, children = True, value
        elif cls is dict:
            identity, children = True, chain(value, value.values())
        else:
            kind = self._kind_of(cls)
            if kind.atomic:
                return
            identity = kind.identity
            # A set is walked as it lies: its order matters to the bytes, not to what is found.
            children = value if cls in (set, frozenset) else kind.encode(value)[1:]
            self.needs_form = self.needs_form or cls is bytearray
        if not identity:
            self.visit(children, depth + 1)
            return
        key = id(value)
        if key in self._open:
            raise UnstorableError(type_name(cls), why="it contains itself")
        if key in self.identities:
            self.shared.add(key)
            return
        self.identities.add(key)
        self._open.add(key)
        self.visit(children, depth + 1)
        self._open.discard(key)


def scan(values: Iterable[Any], atoms: set[type], kind_of: KindOf) -> Scan:
    """Walk all that is reachable from the values.

    Raises:
        UnstorableError: something has no durable form, contains itself, or lies too deep.
    """
    found = Scan(atoms, kind_of)
    found.visit(values)
    return found


class Written:
    """Carries the form of a dict's key: the form is a list, which could not be a key itself."""

    __slots__ = ("form",)

    def __init__(self, form: Any) -> None:
        self.form = form


class SharedForm:
    """Gives values in the form in which shared objects are written once. For one packed value each."""

    def __init__(self, shared: set[int], atoms: set[type], kind_of: KindOf) -> None:
        self._shared = shared
        self._atoms = atoms
        self._kind_of = kind_of
        self._numbers: dict[int, int] = {}

    def of(self, value: Any) -> Any:
        """Give the form of a value; numbers are given in the order in which the bytes will have them."""
        if type(value) in self._atoms:
            return value
        key = id(value)
        if key not in self._shared:
            return self._form(value)
        number = self._numbers.get(key)
        if number is not None:
            return [_REF, number]
        number = self._numbers[key] = len(self._numbers)
        return [_DEF, number, self._form(value)]

    def _form(self, value: Any) -> Any:
        cls = type(value)
        if cls is list:
            return [self.of(item) for item in value]
        if cls is dict:
            return {self._key(key): self.of(item) for key, item in value.items()}
        kind = self._kind_of(cls)
        form = kind.encode(value)
        if kind.atomic or cls in (set, frozenset):  # Nothing inside has identity.
            return form
        first, *items = form
        return [first, *map(self.of, items)]

    def _key(self, key: Any) -> Any:
        return key if type(key) in self._atoms else Written(self.of(key))
