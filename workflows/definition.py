"""`@workflow` and `@routine`: what makes an async function durable.

Calling a decorated workflow runs nothing: it checks the arguments and gives a `Call`, which `start` and
`ctx.spawn` take. A routine stays an ordinary coroutine function; only its frame becomes part of the snapshot.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping
from types import FrameType, FunctionType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

from .codec.wire import ATOMS
from .compiler import Program, compile_coroutine, meaning_of, program_of
from .context import Context
from .errors import ArgumentsError, DefinitionError, WorkflowMisuseError
from .retry import Retry
from .signal import Signal

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Recorded: TypeAlias = Literal["off", "all"] | int
"""Which steps are recorded in a world's history: none, all, or of each workflow the last so many."""
MOST_KEPT = 10_000
"""Of each workflow, at most, where the last so many are."""
Migrate: TypeAlias = Callable[[str, dict[str, Any]], Mapping[str, Any]]

ROUTINES: dict[str, Program] = {}
"""Every routine of the process by its stored name; a module loaded again replaces its own.

Within one load of a module a name means one definition, with one set of values around it: a snapshot holds the
name only, so that of two the last one would run for both after a restart.
"""


class Call(Generic[R_co]):
    """A workflow and its arguments, checked and not yet running."""

    __slots__ = ("args", "kwargs", "type")

    def __init__(
        self, workflow_type: WorkflowType[Any, R_co], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.type = workflow_type
        self.args = args
        self.kwargs = kwargs

    if not TYPE_CHECKING:  # To a type checker it stays something that cannot be awaited.

        def __await__(self) -> None:
            raise WorkflowMisuseError(
                f"a call of workflow {self.type.name} runs nothing; write await ctx.spawn({self.type.name}(...))"
            )

    def __repr__(self) -> str:
        parts = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"{self.type.name}({', '.join(parts)})"


class WorkflowType(Generic[P, R]):
    """A registered kind of workflow. Call it with the workflow's arguments to get a `Call`.

    Attributes:
        name: its name in the world, on the command line and in the network.
        version: raise it when the meaning of the locals changes while their names stay; snapshots of other
            versions are then held unless `migrate` is given.
        history: which of its steps are recorded; None as the world says.
        program: its compiled code.
        retry: how often a step that fails is tried before the workflow fails; None for once.
        migrate_function: see `migrate`.
    """

    __slots__ = ("_accepts", "_signals", "history", "migrate_function", "name", "program", "retry", "version")

    def __init__(
        self,
        program: Program,
        *,
        name: str,
        version: int,
        signals: tuple[type[Signal], ...],
        retry: Retry | None = None,
        history: Recorded | None = None,
    ) -> None:
        self.program = program
        self.history: Recorded | None = history
        self.name = name
        self.version = version
        self.retry = retry
        self.migrate_function: Migrate | None = None
        self._signals = signals
        self._accepts: frozenset[type[Signal]] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """Check the arguments and return the call; nothing runs.

        Raises:
            ArgumentsError: they do not bind to the signature.
        """
        if kwargs and any(name.startswith(".") for name in kwargs):
            raise ArgumentsError(self.name, f"no parameter is named {min(kwargs)!r}")
        try:
            # A coroutine that is never entered checks its arguments at C speed; signature.bind costs ten times that.
            self.program.function(None, *args, **kwargs).close()
        except TypeError as error:
            raise ArgumentsError(self.name, str(error)) from None
        return Call(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<workflow {self.name}>"

    @property
    def accepts(self) -> frozenset[type[Signal]]:
        """The signal classes that it awaits anywhere, routines included; found at first use."""
        if self._accepts is None:
            self._accepts = frozenset(self._signals) | find_signals(self.program)
        return self._accepts

    def migrate(self, function: Migrate) -> Migrate:
        """Register `function(key, stored_locals) -> new_locals`, which fits snapshots of older code to this one.

        It is called when a snapshot of other code is resumed, with the key of the await and the locals by name;
        what it returns must hold every local that lives across that await now.
        """
        self.migrate_function = function
        return function


def is_recorded(value: object) -> bool:
    """Say whether a value says which steps are recorded."""
    return (
        value in ("off", "all") if isinstance(value, str) else type(value) is int and 1 <= value <= MOST_KEPT
    )


@overload
def workflow(
    function: Callable[Concatenate[Context, P], Coroutine[Any, Any, R]], /
) -> WorkflowType[P, R]: ...
@overload
def workflow(
    *,
    name: str | None = None,
    version: int = 1,
    signals: tuple[type[Signal], ...] = (),
    retry: Retry | None = None,
    history: Recorded | None = None,
) -> Callable[[Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]], WorkflowType[P, R]]: ...
def workflow(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    version: int = 1,
    signals: tuple[type[Signal], ...] = (),
    retry: Retry | None = None,
    history: Recorded | None = None,
) -> Any:
    """Make an async function a workflow.

    Args:
        function: `async def npc(ctx, ...)`.
        name: its name in the world; the function's own name by default.
        version: see `WorkflowType.version`.
        signals: signal classes that it takes beside those that its await sites name.
        retry: how often a step that raises is tried, on the same snapshot, before the workflow is Failed. In between
            it is Suspended, and what is sent to it waits; a cancel ends the pause.
        history: "all" to record each of its steps, "off" for none, a number to keep the last so many of each workflow;
            None for what `Runtime(history=)` says.

    Raises:
        CompileError: the function uses something that cannot be made durable; names line, column and remedy.
        DefinitionError: a bad name, version, signal or retry policy.
    """

    def define(function: Callable[..., Coroutine[Any, Any, Any]]) -> WorkflowType[Any, Any]:
        chosen = function.__name__ if name is None else name
        if not isinstance(chosen, str) or not 1 <= len(chosen.encode()) <= 255:
            raise DefinitionError(f"a workflow's name is a text of 1 to 255 bytes, not {chosen!r}")
        if not isinstance(version, int) or version < 1:
            raise DefinitionError(f"workflow {chosen}: version is a whole number from 1 up, not {version!r}")
        for item in signals:
            if not (isinstance(item, type) and issubclass(item, Signal)):
                raise DefinitionError(f"workflow {chosen}: signals= takes Signal classes, not {item!r}")
        if retry is not None and not isinstance(retry, Retry):
            raise DefinitionError(f"workflow {chosen}: retry= takes a Retry(...), not {retry!r}")
        if history is not None and not is_recorded(history):
            raise DefinitionError(
                f"workflow {chosen}: history= is 'off', 'all', a whole number from 1 to {MOST_KEPT:,}, or None, "
                f"not {history!r}"
            )
        _check_defaults(function)
        _check_place(function, "workflow")
        program = compile_coroutine(function, kind="workflow")
        return WorkflowType(
            program, name=chosen, version=version, signals=tuple(signals), retry=retry, history=history
        )

    return define if function is None else define(function)


def routine(
    function: Callable[Concatenate[Context, P], Coroutine[Any, Any, R]], /
) -> Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]:
    """Make an async function a helper whose frame is part of the snapshot of the workflow that awaits it.

    Raises:
        CompileError: as for `workflow`.
        DefinitionError: it is made inside a workflow, or its stored name means another routine already.
    """
    _check_defaults(function)
    _check_place(function, "routine")
    program = compile_coroutine(function, kind="routine")
    name = routine_name(program)
    _check_name(name, ROUTINES.get(name), program)
    ROUTINES[name] = program
    return cast("Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]", program.function)


_SHARED = (list, dict, set, bytearray)


def _check_defaults(function: Any) -> None:
    """Refuse a default that a run could change for all others, and that a restart would change back."""
    for parameter in inspect.signature(function).parameters.values():
        if isinstance(parameter.default, _SHARED):
            raise DefinitionError(
                f"{function.__qualname__}: the default of {parameter.name!r} is a {type(parameter.default).__name__}, "
                "which all runs would share; use None or a tuple, and make a new one inside"
            )


def _check_place(function: Any, kind: str) -> None:
    """Refuse a function made while a workflow runs: it holds that run's variables, and in a new process it is gone."""
    if "<locals>" not in getattr(function, "__qualname__", ""):
        return
    frame: FrameType | None = sys._getframe(2)
    # A module that is first imported by a step defines its routines as at any other time.
    while frame is not None and frame.f_code.co_name != "<module>":
        running = program_of(frame.f_code)
        if running is not None:
            raise DefinitionError(
                f"{kind} {function.__qualname__} is defined while {running.kind} {running.name} runs, and would be "
                "gone after a restart; define it at the top of a module, and give it the values as arguments"
            )
        frame = frame.f_back


def _check_name(name: str, known: Program | None, program: Program) -> None:
    """Refuse a second definition of a routine's stored name within one load of its module."""
    if known is None or known.load is not program.load or known.filename != program.filename:
        return
    old, new = cast("FunctionType", known.original), cast("FunctionType", program.original)
    if old.__globals__ is not new.__globals__:
        return
    if old.__code__ != new.__code__:
        file = program.filename.replace("\\", "/").rsplit("/", 1)[-1]
        raise DefinitionError(
            f"two routines have the stored name {name!r}: {file}:{known.first_line} and {file}:{program.first_line}; "
            "give each a name of its own"
        )
    before, now = _values_around(known), _values_around(program)
    changed = [key for key in now if not _same(before[key], now[key])]
    if changed:
        raise DefinitionError(
            f"routine {name!r} ({program.filename}:{program.first_line}) is made a second time, with another "
            f"{', '.join(changed)} around it, and after a restart the last one would run for both; make it once, "
            "and give it such values as arguments"
        )


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and type(one) in ATOMS and one == other)


def _values_around(program: Program) -> dict[str, Any]:
    """Return what a function got from where it was made, by name; itself, if it names itself, as nothing."""
    function = cast("FunctionType", program.original)
    values = {f"{item.name}=": item.default for item in program.signature.parameters.values()}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            value = cell.cell_contents
        except ValueError:
            value = None
        values[name] = None if value is program.function else value
    return values


def routine_name(program: Program) -> str:
    """Return the name under which a world stores a routine: `module:qualname`, the main script by its stem."""
    module = program.module
    if module == "__main__":
        main = getattr(sys.modules.get("__main__"), "__file__", None) or "__main__"
        module = main.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
    return f"{module}:{program.name}"


def find_signals(program: Program) -> frozenset[type[Signal]]:
    """Return the signal classes named at the await sites of a program and of the routines that it awaits."""
    found: set[type[Signal]] = set()
    seen: set[int] = set()
    waiting = [program]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for dotted in (*current.subscriptions, *(name for site in current.sites for name in site.signals)):
            value = meaning_of(current.original, dotted)
            if isinstance(value, type) and issubclass(value, Signal):
                found.add(value)
        for site in current.sites:
            inner = program_of(meaning_of(current.original, site.awaits)) if site.awaits else None
            if inner is not None:
                waiting.append(inner)
    return frozenset(found)
