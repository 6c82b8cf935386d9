"""Checks of what enters a world: sizes, addresses, arguments."""

from __future__ import annotations

import hashlib
from typing import Any

from .codec import Codec
from .definition import Call
from .errors import ArgumentsError, LimitError, UnknownWorkflowError, UnstorableError
from .limits import MAX_ID, Limits


def pack_call(call: Call[Any], codec: Codec, limits: Limits) -> bytes:
    """Pack a call's arguments.

    Raises:
        ArgumentsError: a value has no durable form.
        LimitError: they are too large.
    """
    try:
        payload = codec.pack([list(call.args), call.kwargs])
    except UnstorableError as error:
        raise ArgumentsError(call.type.name, str(error)) from error
    check_size(f"the size of the arguments of workflow {call.type.name!r}", payload, limits)
    return payload


def pack_arguments(
    what: str, args: tuple[Any, ...], kwargs: dict[str, Any], codec: Codec, limits: Limits
) -> bytes:
    """Pack the arguments of a reducer or an activity, in the form in which messages carry them.

    Raises:
        UnstorableError: a value has no durable form.
        LimitError: they are too large.
    """
    try:
        packed = codec.pack([list(args), kwargs])
    except UnstorableError as error:
        raise UnstorableError(error.found, where=f"an argument of {what}", why=error.why) from None
    check_size(f"the size of the arguments of {what}", packed, limits)
    return packed


def pack_result(what: str, value: object, codec: Codec, limits: Limits) -> bytes:
    """Pack a result or an answer.

    Raises:
        UnstorableError: it has no durable form.
        LimitError: it is too large.
    """
    try:
        packed = codec.pack(value)
    except UnstorableError as error:
        raise UnstorableError(error.found, where=what, why=error.why) from None
    check_size(f"the size of {what}", packed, limits)
    return packed


def digest_of(payload: bytes) -> bytes:
    """Return 16 bytes by which a payload is known again."""
    return hashlib.blake2b(payload, digest_size=16).digest()


def check_size(what: str, payload: bytes, limits: Limits) -> None:
    """Raise `LimitError` where a payload is too large."""
    if len(payload) > limits.payload:
        raise LimitError(what, value=len(payload), limit=limits.payload, setting="payload")


def check_workflow_id(workflow_id: object) -> None:
    """Check that a workflow id may be one.

    Raises:
        TypeError: it is no whole number.
        UnknownWorkflowError: no workflow ever has it.
    """
    if type(workflow_id) is not int:
        raise TypeError(f"workflow_id is a whole number, not {workflow_id!r}")
    if not 1 <= workflow_id <= MAX_ID:
        raise UnknownWorkflowError(workflow_id)


def size_of_text(what: str, text: str) -> int:
    """Return the bytes of a text in UTF-8.

    Raises:
        ValueError: it holds half a character.
    """
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds half a character: {text!r}") from None


def check_address(entity_id: int | None, correlation_id: str | None, limits: Limits) -> None:
    """Check that an entity id is a u64 and a correlation id a short text.

    Raises:
        ValueError: an entity id out of range.
        TypeError: of the wrong type.
        LimitError: a correlation id that is too long.
    """
    if entity_id is not None:
        if type(entity_id) is not int:
            raise TypeError(f"entity_id is a whole number, not {entity_id!r}")
        if not 0 <= entity_id <= MAX_ID:
            raise ValueError(f"entity_id {entity_id} is not within 0 to 2**64 - 1")
    if correlation_id is not None:
        if type(correlation_id) is not str:
            raise TypeError(f"correlation_id is a text, not {correlation_id!r}")
        size = size_of_text("a correlation id", correlation_id)
        if size > limits.name:
            raise LimitError("the size of a correlation id", value=size, limit=limits.name, setting="name")
