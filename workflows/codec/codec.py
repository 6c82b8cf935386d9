"""The codec: values to bytes and back, with the identity of mutable objects kept within one snapshot.

`target = party[0]` must still name that member of the party after a restart. Objects with identity (lists,
dicts, sets, mutable dataclasses, exceptions, iterators, ...) that are reachable twice are therefore written
once, as DEF [n, value], and as REF [n] where they are met again. Few snapshots share anything, so the
question is asked first (`is_tree`), and the answer mostly leaves nothing to do but one call of msgpack's
Packer.

Invariants: an unshared value has the same bytes either way; `pack(unpack(data)) == data` for all that `pack`
wrote; bytes depend neither on the hash seed nor on which equal immutable objects happen to be the same
object.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgpack import ExtType, Packer, Timestamp, unpackb

from ..errors import DeathlessError, DecodeError, UnknownTypeError, UnstorableError
from . import wire
from .classes import ClassReader, class_kind
from .containers import CONTAINER_TAGS, container_kinds
from .iterators import ITERATOR_KINDS, to_iterator
from .names import type_name
from .remedies import remedy_for
from .scalars import SCALAR_KINDS, SCALAR_LEAVES, SCALAR_TAGS
from .sharing import SharedForm, TreeCheck, Written, scan
from .wire import ATOMS, EXTENSIONS, MAX_SET_DEPTH, TAG_PREFIX, Kind, tag

# The Packer writes these by itself, so that the hook never sees them: they would come back as something else.
_IMPOSTORS = (ExtType, Timestamp, memoryview)


@dataclass(frozen=True, slots=True)
class Extension:
    """How the engine's own type is written: a timer, a child's handle.

    Attributes:
        code: its ext code, 32 to 63; never given to another type again.
        type: instances of exactly this class.
        to_plain: gives what the object is made of, values that can be stored themselves. Containers among them
            must be the object's own, not made for the occasion.
        from_plain: makes the object of the list of those; a bound method where it needs a context.
        by_identity: whether two names for one such object are still one object after a restart.
        holds_values: whether `to_plain` may give containers or objects with identity; the scan for shared ones
            then looks inside.
    """

    code: int
    type: type
    to_plain: Callable[[Any], Iterable[Any]]
    from_plain: Callable[[list[Any]], Any]
    by_identity: bool = False
    holds_values: bool = False

    def kind(self) -> Kind:
        """Give it the form that the builtin kinds have."""
        assert self.code in EXTENSIONS, f"extension codes are 32 to 63, not {self.code}"
        first, to_plain = tag(self.code), self.to_plain
        atomic = not self.by_identity and not self.holds_values
        return Kind(lambda value: [first, *to_plain(value)], identity=self.by_identity, atomic=atomic)


class Codec:
    """Packs and unpacks values.

    One codec serves one thread at a time (its Packer is not reentrant). It remembers the classes it has met, until
    `forget`.

    Args:
        extensions: how the engine's own types are written.
        reader: makes values of classes; one that refuses what does not fit the loaded code by default.
    """

    def __init__(self, extensions: Sequence[Extension] = (), reader: ClassReader | None = None) -> None:
        self._kinds: dict[type, Kind] = {
            **SCALAR_KINDS,
            **container_kinds(self._ordered),
            **ITERATOR_KINDS,
            **{extension.type: extension.kind() for extension in extensions},
            Written: Kind(lambda holder: holder.form),
        }
        self._own_kinds = frozenset(self._kinds)
        # Grows with what is met: a type whose values hold nothing is passed over by the scan.
        self._atoms: set[type] = {*ATOMS, *(cls for cls, kind in self._kinds.items() if kind.atomic)}
        self.is_tree = TreeCheck(self._atoms, self._kinds, self._kind).is_tree
        self._pack = self._packer().pack
        self._set_packers = [self._packer() for _ in range(MAX_SET_DEPTH)]
        self._set_depth = 0
        reader = self._reader = ClassReader() if reader is None else reader
        self._tags: dict[int, _Tag] = {
            code: _Tag(make)
            for code, make in {
                wire.DEF: self._define,
                wire.REF: self._refer,
                **CONTAINER_TAGS,
                **SCALAR_TAGS,
                **reader.tags,
                wire.ITERATOR: to_iterator,
                **{extension.code: extension.from_plain for extension in extensions},
            }.items()
        }
        assert len({extension.code for extension in extensions}) == len(extensions), (
            "two extensions share a code"
        )
        self._leaves: dict[int, Callable[[bytes], Any]] = {
            **SCALAR_LEAVES,
            **reader.leaves,
            wire.SET: self._unpack_set,
            wire.FROZENSET: lambda data: frozenset(self._unpack_set(data)),
        }
        # Found at once: a bound method is made anew each time it is looked up.
        self._leaf_hook = self._read_leaf
        self._defined: dict[int, Any] = {}
        self._open_tags = 0

    def forget(self) -> None:
        """Forget the classes that were met: modules have been reloaded, and the same names mean other classes."""
        self._reader.forget()
        for cls in self._kinds.keys() - self._own_kinds:
            del self._kinds[cls]
            self._atoms.discard(cls)

    # -- to bytes ------------------------------------------------------------------------------------------

    def pack_tree(self, value: object) -> bytes:
        """Pack a value of which `is_tree((value,))` is true, or that holds the values for which it was.

        Raises:
            UnstorableError: it holds something that has no durable form.
        """
        try:
            return self._pack(value)  # type: ignore[no-any-return]
        except UnicodeEncodeError as error:
            raise _not_text(error) from None

    def pack(self, value: object) -> bytes:
        """Pack any value.

        Raises:
            UnstorableError: it holds something that has no durable form, contains itself, or is nested too
                deep.
        """
        return self.pack_tree(value) if self.is_tree((value,)) else self.pack_shared(value)

    def pack_list(self, values: list[Any]) -> bytes:
        """Pack a list as `pack` does; faster where nothing in it can be shared, as in nearly all signals."""
        atoms = self._atoms
        for value in values:
            if type(value) not in atoms:
                return self.pack(values)
        try:
            return self._pack(values)  # type: ignore[no-any-return]
        except UnicodeEncodeError as error:
            raise _not_text(error) from None

    def pack_shared(self, value: object) -> bytes:
        """Pack a value in which objects with identity are reachable twice; any other as `pack_tree` does.

        Raises:
            UnstorableError: as `pack`.
        """
        found = scan((value,), self._atoms, self._kind)
        return self.pack_tree(SharedForm(found.shared, self._atoms, self._kind).of(value))

    def instances(self, values: Iterable[object], types: tuple[type, ...]) -> list[Any]:
        """Return the objects of exactly these types that are reachable from values that can be packed."""
        found: list[Any] = []
        seen: set[int] = set()
        waiting: list[Any] = list(values)
        while waiting:
            value = waiting.pop()
            cls = type(value)
            if cls in types:
                found.append(value)
            elif cls in self._atoms or id(value) in seen:
                continue
            elif cls is list:
                seen.add(id(value))
                waiting += value
            elif cls is dict:
                seen.add(id(value))
                waiting += (*value, *value.values())
            else:
                # Forms are made for the occasion: only objects that outlive the walk have an id to go by.
                waiting += value if cls in (set, frozenset) else self._kind(cls).encode(value)[1:]
        return found

    def _packer(self) -> Packer:
        return Packer(strict_types=True, default=self._encode, buf_size=1024)

    def _encode(self, value: Any) -> Any:
        """Give the Packer a form of what it does not know; it packs that form in turn."""
        return (self._kinds.get(type(value)) or self._kind(type(value))).encode(value)

    def _kind(self, cls: type) -> Kind:
        kind = self._kinds.get(cls)
        if kind is None:
            kind = None if cls in _IMPOSTORS else class_kind(cls)
            if kind is None:
                raise UnstorableError(type_name(cls), why=remedy_for(cls))
            self._kinds[cls] = kind
            if kind.atomic:
                self._atoms.add(cls)
        return kind

    def _ordered(self, items: Collection[Any]) -> bytes:
        """Pack the items of a set, in the order of their bytes.

        Raises:
            UnstorableError: an item has identity, and so no place among the others that would be the same tomorrow.
        """
        if self._set_depth == MAX_SET_DEPTH:
            raise UnstorableError("set", why=f"sets are nested more than {MAX_SET_DEPTH} levels deep in sets")
        # A Packer is not reentrant, and sets may hold frozensets: each level has one of its own.
        packer = self._set_packers[self._set_depth]
        self._set_depth += 1
        try:
            rest = [item for item in items if type(item) not in self._atoms]
            if rest and scan(rest, self._atoms, self._kind).identities:
                why = "it holds an object that has identity, which has no place in a set's order; use a list or dict"
                raise UnstorableError("set", why=why)
            return b"".join((packer.pack_array_header(len(items)), *sorted(map(packer.pack, items))))
        finally:
            self._set_depth -= 1

    # -- and back ------------------------------------------------------------------------------------------

    def unpack(self, data: bytes | memoryview) -> Any:
        """Unpack what `pack` wrote. Imports nothing, and runs no code of a user's class.

        Raises:
            DecodeError: the bytes are not a whole packed value, or more than one.
            UnknownTypeError: the loaded code lacks a class, field or member that they name.
        """
        if type(data) is not bytes:
            data = bytes(data)
        try:
            # One byte is looked for ten times as fast as two.
            if TAG_PREFIX[0] in data and TAG_PREFIX in data:
                return self._unpack_tagged(data)
            return unpackb(data, strict_map_key=False, ext_hook=self._leaf_hook)
        except UnstorableError as error:
            raise UnknownTypeError(error.found, error.why) from None
        except DeathlessError:
            raise
        except Exception as error:  # Damage can break anything that is made from the bytes, in any way.
            raise DecodeError(f"{type(error).__name__} {error}".rstrip()) from error

    def _unpack_tagged(self, data: bytes) -> Any:
        # A set within the value is read by a call within the call.
        outer = self._defined, self._open_tags
        self._defined, self._open_tags = {}, 0
        try:
            value = unpackb(data, strict_map_key=False, ext_hook=self._read_ext, list_hook=self._read_list)
            if self._open_tags:
                raise DecodeError("a tag stands outside of the first place in a list")
            return value
        finally:
            self._defined, self._open_tags = outer

    def _unpack_set(self, data: bytes) -> set[Any]:
        if self._set_depth == MAX_SET_DEPTH:
            raise DecodeError(f"sets are nested more than {MAX_SET_DEPTH} levels deep in sets")
        self._set_depth += 1
        try:
            items = self.unpack(data)
        finally:
            self._set_depth -= 1
        found = set(items)
        if type(items) is not list or len(found) != len(items):
            raise DecodeError("a set has an item twice")
        return found

    def _read_leaf(self, code: int, data: bytes) -> Any:
        make = self._leaves.get(code)
        if make is None or not data:
            raise DecodeError(f"code {code} is not known here")
        return make(data)

    def _read_ext(self, code: int, data: bytes) -> Any:
        if data:
            return self._read_leaf(code, data)
        opened = self._tags.get(code)
        if opened is None:
            raise DecodeError(f"code {code} is not known here")
        self._open_tags += 1
        return opened

    def _read_list(self, items: list[Any]) -> Any:
        if items and type(items[0]) is _Tag:
            self._open_tags -= 1
            return items[0].make(items[1:])
        return items

    def _define(self, items: list[Any]) -> Any:
        number, value = items
        if number in self._defined or type(value) is _Tag:
            raise DecodeError(f"object {number} is badly defined")
        self._defined[number] = value
        return value

    def _refer(self, items: list[Any]) -> Any:
        (number,) = items
        return self._defined[number]


class _Tag:
    """What a tag is read as, until the list that it opens is complete."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[list[Any]], Any]) -> None:
        self.make = make


def _not_text(error: UnicodeEncodeError) -> UnstorableError:
    found = error.object[error.start : error.start + 1]
    return UnstorableError("str", why=f"it contains {found!r}, half of a character; keep it as bytes")
