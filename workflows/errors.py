"""Every error of Deathless, in one tree.

Each class builds its message once, from data that it keeps as attributes, and also inherits the builtin that
fits, so that `except KeyError` does what a reader expects. A message says what was wrong, with which value,
and what to do. Broken invariants are assertions and stand outside this tree.

`Cancelled` is a `BaseException`: a workflow's `except Exception` must not swallow its own end.
"""

from __future__ import annotations


class DeathlessError(Exception):
    """Stand at the root of every error that Deathless raises on purpose."""


class Cancelled(BaseException):
    """Raised at a workflow's await when it is cancelled; its `finally` blocks run and may await.

    Attributes:
        reason: the text given to `cancel`.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = plain_text(reason if isinstance(reason, str) else repr(reason))


def plain_text(text: str) -> str:
    """Return a text that can be encoded: half characters, as in undecodable file names, are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def text_of(error: BaseException) -> str:
    """Return the type and the text of an exception, whatever its `__str__` does."""
    try:
        text = str(error)
    except Exception as second:  # noqa: BLE001 - the user's own.
        text = f"(its text cannot be made: {type(second).__name__})"
    return plain_text(f"{type(error).__name__}: {text}")


# -- what a workflow's author meets ------------------------------------------------------------------------


class CompileError(DeathlessError, SyntaxError):
    """A function that cannot be made durable: raised by `@workflow` and `@routine` at decoration.

    Attributes:
        remedy: what to write instead.
        filename, lineno, offset, text: as in every `SyntaxError`, so that editors and tracebacks show the place.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        filename: str | None = None,
        line: int | None = None,
        column: int | None = None,
        source: str | None = None,
    ) -> None:
        super().__init__(f"{problem}; {remedy}", (filename, line, column, source))
        self.problem = problem
        self.remedy = remedy


class DefinitionError(DeathlessError, TypeError):
    """A signal, workflow or registration that is not well formed; raised where it is declared or registered."""


class UnstorableError(DeathlessError, TypeError):
    """A value that has no durable form.

    Attributes:
        found: the type's name, `socket.socket`.
        where: what holds it, when known: `local variable 's' of workflow 'net'`.
        place: file and line of the await it would have to cross, when known.
    """

    def __init__(self, found: str, *, where: str = "a value", place: str = "", why: str = "") -> None:
        across = f" across the await at {place}" if place else ""
        reason = f": {why}" if why else ""
        super().__init__(f"{where} holds a {found} that cannot be stored{across}{reason}")
        self.found = found
        self.where = where
        self.place = place
        self.why = why


class NotARoutineError(DeathlessError, TypeError):
    """A workflow awaited something that is neither a `ctx` primitive nor a `@routine`."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(
            f"await of {name} ({place}), which is not decorated with @routine; decorate it, or await a ctx primitive"
        )
        self.name = name
        self.place = place


class WorkflowMisuseError(DeathlessError, RuntimeError):
    """A `ctx` primitive used in a way it does not allow: awaited out of turn, given what it cannot take."""


class ChildError(DeathlessError):
    """A child ended without a result; raised at `await child`.

    Attributes:
        child_id: the child's workflow id.
    """

    def __init__(self, child_id: int, message: str) -> None:
        super().__init__(child_id, message)
        self.child_id = child_id
        self.message = message

    def __str__(self) -> str:
        return f"{self._what} {self.child_id} {self._ended}: {self.message}"

    _what = "child workflow"
    _ended = "ended"


class ChildFailed(ChildError):  # noqa: N818 - the field's term.
    """The awaited child failed; `message` is its error message."""

    _ended = "failed"


class ChildCancelled(ChildError):  # noqa: N818 - the field's term.
    """The awaited child was cancelled; `message` is the reason."""

    _ended = "was cancelled"


# -- what a caller of Runtime meets ------------------------------------------------------------------------


class UnknownWorkflowTypeError(DeathlessError, KeyError):
    """A workflow type that this Runtime does not know.

    Attributes:
        name: what was asked for.
        known: the registered names.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        if self.name in self.known:
            return (
                f"this {self.name!r} is not the registered workflow of that name, but one from before a reload, or "
                "another module's: take it from its module anew"
            )
        return (
            f"unknown workflow type {self.name!r}; registered are {', '.join(self.known) or 'none'}: "
            "give the workflow to Runtime(path, [...])"
        )


class UnknownSignalError(DeathlessError, KeyError):
    """A signal that no registered workflow accepts, or a name that no signal has."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        if self.name in self.known:
            return (
                f"this signal {self.name!r} is not of the class that the registered workflows await, but of one from "
                "before a reload, or another module's: take the class from its module anew"
            )
        known = ", ".join(self.known) or "none"
        return f"unknown signal {self.name!r}; accepted by the registered workflows are {known}"


class UnknownWorkflowError(DeathlessError, KeyError):
    """A workflow id that names no workflow of this world."""

    def __init__(self, workflow_id: int) -> None:
        super().__init__(workflow_id)
        self.workflow_id = workflow_id

    def __str__(self) -> str:
        return f"no workflow {self.workflow_id} in this world"


class SignalNotAccepted(DeathlessError, ValueError):  # noqa: N818 - a name fixed by the design.
    """A signal sent by workflow id to a workflow that never awaits its class, or that has ended."""

    def __init__(self, signal: str, workflow_id: int, why: str) -> None:
        super().__init__(f"workflow {workflow_id} does not take signal {signal!r}: {why}")
        self.signal = signal
        self.workflow_id = workflow_id
        self.why = why


class ArgumentsError(DeathlessError, TypeError):
    """Arguments that do not bind to a workflow's signature, or that have no durable form."""

    def __init__(self, workflow: str, problem: str, *, what: str = "workflow") -> None:
        super().__init__(f"bad arguments for {what} {workflow!r}: {problem}")
        self.workflow = workflow
        self.problem = problem


class LimitError(DeathlessError, ValueError):
    """Something larger than its limit.

    Attributes:
        what: the thing measured; value: its size; limit: the bound; setting: the `Limits` field to raise.
    """

    def __init__(self, what: str, *, value: int, limit: int, setting: str) -> None:
        super().__init__(
            f"{what} is {value}, over the limit of {limit}; make it smaller or raise Limits.{setting}"
        )
        self.what = what
        self.value = value
        self.limit = limit
        self.setting = setting


class WorkflowExistsError(DeathlessError, ValueError):
    """`start(..., on_conflict="error")` met an active workflow of that type, entity and correlation id."""

    def __init__(self, name: str, workflow_id: int) -> None:
        super().__init__(
            f"workflow {workflow_id} of type {name!r} is already active for that entity and correlation id"
        )
        self.name = name
        self.workflow_id = workflow_id


class NotFinishedError(DeathlessError, RuntimeError):
    """`Handle.result()` of a workflow that has not completed."""

    def __init__(self, workflow_id: int, status: str, message: str = "") -> None:
        tail = f": {message}" if message else ""
        super().__init__(f"workflow {workflow_id} has no result, it is {status}{tail}")
        self.workflow_id = workflow_id
        self.status = status


# -- the world on disk -------------------------------------------------------------------------------------


class WorldError(DeathlessError):
    """Something about the world's files; `path` names them."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class WorldInUse(WorldError, BlockingIOError):  # noqa: N818 - a name fixed by the design.
    """Another process, or another Runtime of this one, owns the world."""


class NotAWorldError(WorldError, ValueError):
    """The path holds something that is not a Deathless world."""


class WorldCorruptError(WorldError, ValueError):
    """The world is truncated or damaged."""


class WorldVersionError(WorldError, ValueError):
    """The world was written in a format that this version does not read."""


class WorldFull(WorldError, OSError):  # noqa: N818 - a name fixed by the design.
    """The disk or the map has no room; nothing accepted is lost, free space and pump again."""


class ClockMismatchError(WorldError, ValueError):
    """The world was made with another kind of clock."""


# -- the life of a Runtime ---------------------------------------------------------------------------------


class RuntimeClosedError(DeathlessError, RuntimeError):
    """A call after `close()`, or in a forked child, where the Runtime is not usable."""


class WrongThreadError(DeathlessError, RuntimeError):
    """`pump` entered while another thread is inside it, or a wait on the pump thread that only pump could end."""


# -- stored values -----------------------------------------------------------------------------------------


class DecodeError(DeathlessError, ValueError):
    """Bytes that no value was packed to: damaged, cut off, or written by something else.

    Attributes:
        problem: what is wrong with them.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"these bytes are not a stored value: {problem}")
        self.problem = problem


class UnknownTypeError(DeathlessError, LookupError):
    """A stored value whose class the loaded code does not have, or no longer has in a form that fits it.

    Attributes:
        name: the class as stored, `module:qualname`.
        problem: what is missing, and the remedy.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"stored class {name!r} does not fit the loaded code: {problem}")
        self.name = name
        self.problem = problem


# -- tables, reducers, activities ----------------------------------------------------------------------------


class TableError(DeathlessError, ValueError):
    """A key or a value that does not fit its table, or a table that is not registered."""


class UnknownReducerError(DeathlessError, KeyError):
    """A reducer that this Runtime does not know.

    Attributes:
        name: what was asked for.
        known: the registered names.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        return (
            f"unknown reducer {self.name!r}; registered are {', '.join(self.known) or 'none'}: "
            "give the reducer to Runtime(path, [...])"
        )


class HistoryError(DeathlessError, LookupError):
    """A part of a world's history that was asked for, and was never recorded or is deleted; the text says which."""


class SqlError(DeathlessError, ValueError):
    """A query that cannot be run; the text says why. It has changed nothing: SQL only reads."""


class CallFailed(DeathlessError, RuntimeError):  # noqa: N818 - the field's term.
    """A reducer that was called from outside raised; all that it wrote is undone. `__cause__` is what it raised.

    Attributes:
        reducer: its name.
        problem: what it raised, as text.
    """

    def __init__(self, reducer: str, problem: str) -> None:
        super().__init__(f"reducer {reducer!r} failed: {problem}")
        self.reducer = reducer
        self.problem = problem


class InputIdError(DeathlessError, ValueError):
    """An input id that was used before, for a call of another kind.

    Attributes:
        input_id: the id; kind: of this call; known: of the one before.
    """

    def __init__(self, input_id: str, kind: str, known: str) -> None:
        super().__init__(
            f"input_id {input_id!r} was given to a {known} before, and now to a {kind}; take a new one"
        )
        self.input_id = input_id
        self.kind = kind
        self.known = known


class AskFailed(DeathlessError, RuntimeError):  # noqa: N818 - the field's term.
    """Nobody will answer a question: its receiver has ended, or none takes it."""


class ActivityFailed(ChildError):  # noqa: N818 - the field's term.
    """The awaited activity failed after its last try; `message` is the error of that try."""

    _what = "activity"
    _ended = "failed"
