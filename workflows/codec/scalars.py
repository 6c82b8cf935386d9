"""Values that hold no other: big ints, dates and times, numbers, ids and paths."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgpack import ExtType

from ..errors import DecodeError, UnstorableError
from . import wire
from .wire import Kind, tag

_CONSTANTS = {b"...": Ellipsis, b"NotImplemented": NotImplemented}
_COMPLEX = struct.Struct(">dd")

_TIME, _DATETIME, _TIMEDELTA = tag(wire.TIME), tag(wire.DATETIME), tag(wire.TIMEDELTA)
_TIMEZONE, _FRACTION, _RANGE = tag(wire.TIMEZONE), tag(wire.FRACTION), tag(wire.RANGE)


def _int(value: int) -> ExtType:
    return ExtType(wire.BIG_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _constant(value: object) -> ExtType:
    return ExtType(wire.CONSTANT, b"..." if value is Ellipsis else b"NotImplemented")


# Time of day and date are told in the local terms they were made in, the zone apart: an instant alone would
# lose which clock on which wall was meant.


def _time(value: time) -> list[Any]:
    return [_TIME, value.replace(tzinfo=None).isoformat(), value.fold, value.tzinfo]


def _datetime(value: datetime) -> list[Any]:
    return [_DATETIME, value.replace(tzinfo=None).isoformat(), value.fold, value.tzinfo]


def _timedelta(value: timedelta) -> list[Any]:
    return [_TIMEDELTA, value.days, value.seconds, value.microseconds]


def _timezone(value: timezone) -> list[Any]:
    # A name that was given is the second argument; the made-up one ("UTC+02:00") is not kept.
    # What pickle and copy use is not in the stubs.
    offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]
    return [_TIMEZONE, offset, *name]


def _zone_info(value: ZoneInfo) -> ExtType:
    if not value.key:
        raise UnstorableError("zoneinfo.ZoneInfo", why="it has no key; make it by name, not from a file")
    return ExtType(wire.ZONE_INFO, value.key.encode())


def _fraction(value: Fraction) -> list[Any]:
    return [_FRACTION, value.numerator, value.denominator]


def _range(value: range) -> list[Any]:
    return [_RANGE, value.start, value.stop, value.step]


def _path(value: PurePath) -> ExtType:
    mark = {PurePosixPath: "p", PureWindowsPath: "w"}.get(type(value), "n")
    return ExtType(wire.PATH, f"{mark}{value}".encode())


SCALAR_KINDS: dict[type, Kind] = {
    type_: Kind(encode, atomic=True)
    for type_, encode in dict[type, Callable[[Any], Any]](
        {
            int: _int,
            type(Ellipsis): _constant,
            type(NotImplemented): _constant,
            date: lambda value: ExtType(wire.DATE, value.isoformat().encode()),
            time: _time,
            datetime: _datetime,
            timedelta: _timedelta,
            timezone: _timezone,
            ZoneInfo: _zone_info,
            Decimal: lambda value: ExtType(wire.DECIMAL, str(value).encode()),
            Fraction: _fraction,
            complex: lambda value: ExtType(wire.COMPLEX, _COMPLEX.pack(value.real, value.imag)),
            UUID: lambda value: ExtType(wire.UUID_CODE, value.bytes),
            PurePosixPath: _path,
            PureWindowsPath: _path,
            type(Path()): _path,
            range: _range,
        }
    ).items()
}


# -- and back ----------------------------------------------------------------------------------------------


def _to_constant(data: bytes) -> object:
    return _CONSTANTS[data]


def _to_zone(data: bytes) -> ZoneInfo:
    try:
        return ZoneInfo(data.decode())
    except ZoneInfoNotFoundError:
        raise DecodeError(
            f"this machine has no time zone {data.decode()!r}; install the tzdata package"
        ) from None


def _to_path(data: bytes) -> PurePath:
    text = data.decode()
    kinds: dict[str, type[PurePath]] = {"p": PurePosixPath, "w": PureWindowsPath, "n": Path}
    return kinds[text[0]](text[1:])


def _to_time(items: list[Any]) -> time:
    text, fold, zone = items
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _to_datetime(items: list[Any]) -> datetime:
    text, fold, zone = items
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _to_timedelta(items: list[Any]) -> timedelta:
    days, seconds, microseconds = items
    return timedelta(days, seconds, microseconds)


def _to_fraction(items: list[Any]) -> Fraction:
    numerator, denominator = items
    return Fraction(numerator, denominator)


def _to_range(items: list[Any]) -> range:
    start, stop, step = items
    return range(start, stop, step)


SCALAR_LEAVES: dict[int, Callable[[bytes], Any]] = {
    wire.BIG_INT: lambda data: int.from_bytes(data, "big", signed=True),
    wire.CONSTANT: _to_constant,
    wire.DATE: lambda data: date.fromisoformat(data.decode()),
    wire.ZONE_INFO: _to_zone,
    wire.DECIMAL: lambda data: Decimal(data.decode()),
    wire.COMPLEX: lambda data: complex(*_COMPLEX.unpack(data)),
    wire.UUID_CODE: lambda data: UUID(bytes=data),
    wire.PATH: _to_path,
}

SCALAR_TAGS: dict[int, Callable[[list[Any]], Any]] = {
    wire.TIME: _to_time,
    wire.DATETIME: _to_datetime,
    wire.TIMEDELTA: _to_timedelta,
    wire.TIMEZONE: lambda items: timezone(*items),
    wire.FRACTION: _to_fraction,
    wire.RANGE: _to_range,
}
