"""The stack of a suspended workflow: its own frame and those of the routines that it awaits."""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator, Sequence
from types import CoroutineType
from typing import Any

from ..errors import NotARoutineError
from .program import Program, Site, _registry

Frame = tuple[Program, Site, list[Any]]


def capture_stack(coroutine: Any) -> list[Frame]:
    """Return the frames of a suspended coroutine, outermost first.

    Raises:
        NotARoutineError: a frame belongs to a coroutine function that is not compiled.
    """
    program = _registry.get(id(coroutine.cr_code))
    if program is None:
        raise _stranger(coroutine, coroutine.cr_code.co_filename, coroutine.cr_code.co_firstlineno)
    inner = coroutine.cr_await
    frames = [(program, *program.capture(coroutine))]
    while type(inner) is CoroutineType:
        program = _registry.get(id(inner.cr_code))
        if program is None:
            raise _stranger(inner, coroutine.cr_code.co_filename, coroutine.cr_frame.f_lineno)
        frames.append((program, *program.capture(inner)))
        coroutine, inner = inner, inner.cr_await
    return frames


def awaited_by(coroutine: Any) -> Any:
    """Return what the innermost frame of a suspended coroutine awaits."""
    inner = coroutine.cr_await
    while type(inner) is CoroutineType:
        inner = inner.cr_await
    return inner


def resume_stack(frames: Sequence[Frame], ctx: Any) -> Coroutine[Any, Any, Any]:
    """Return a coroutine suspended at the innermost await of the frames; send it the event, or throw into it."""
    inner: Any = _leaf()
    for program, site, values in reversed(frames):
        inner = program.enter(site, values, inner, ctx)
    inner.send(None)
    coroutine: Coroutine[Any, Any, Any] = inner
    return coroutine


@types.coroutine
def _leaf() -> Generator[None, Any, Any]:
    """Stand for the primitive that was awaited: its event is what is sent next."""
    return (yield None)


RESUMED = _leaf.__code__
"""The code of what a resumed coroutine awaits until its event comes."""


def _stranger(coroutine: Any, filename: str, line: int) -> NotARoutineError:
    file = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return NotARoutineError(f"{coroutine.__qualname__}()", f"{file}:{line}")
