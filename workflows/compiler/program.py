"""`Program`: a compiled function, what is known of its awaits, and how to leave and enter it at one."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import CodeType
from typing import Any, Literal

from .unbound import UNBOUND

Kind = Literal["workflow", "routine"]
_COPIES = sys.version_info < (3, 13)
"""Before 3.13 a frame's `f_locals` is a dict that the frame keeps; from then on it is a view."""


@dataclass(frozen=True, slots=True)
class Site:
    """One await of a compiled function.

    Attributes:
        number: from 1 up, in the order of the source.
        key: what it is called across edits: the path of blocks and the label.
        label: the callee and its arguments, `ctx.select(expire,Stack)`.
        named: whether the label holds a name that the user chose, a timer's.
        line: in the file.
        variables: the user's variables whose values are needed after it, without the context.
        hidden: likewise the compiler's: iterators, managers, pending exceptions, records of exits, temporaries.
        hidden_state: what each hidden variable is, `for stop in route`.
        signals: names given positionally to a waiting method of the context here, which may be signal classes.
        awaits: the dotted name of the awaited call's callee, unless it is the context's.
    """

    number: int
    key: str
    label: str
    named: bool
    line: int
    variables: tuple[str, ...]
    hidden: tuple[str, ...]
    hidden_state: tuple[str, ...]
    signals: tuple[str, ...]
    awaits: str | None


class Program:
    """A compiled workflow or routine.

    Attributes:
        name, module: of the function.
        kind: "workflow" or "routine".
        function: the compiled function; calling it gives a native coroutine.
        original: the function as it was written.
        signature: the user's signature.
        fingerprint: a hash of what the function does.
        sites: its awaits; the one numbered `n` at index `n - 1`.
        filename, first_line: where it is defined.
        subscriptions: the dotted names given to `ctx.subscribe`.
        load: stands for the load of its module: an object that every load has anew; None in a script.
        token: names the program within this process, in the lists that it leaves in `ctx.live`.
    """

    __slots__ = (
        "_arguments",
        "_keywords",
        "_names",
        "_readers",
        "filename",
        "fingerprint",
        "first_line",
        "function",
        "kind",
        "load",
        "module",
        "name",
        "original",
        "signature",
        "sites",
        "subscriptions",
        "token",
    )

    def __init__(
        self,
        original: Callable[..., Any],
        function: Callable[..., Any],
        *,
        kind: Kind,
        fingerprint: str,
        sites: tuple[Site, ...],
        subscriptions: tuple[str, ...],
        token: int,
    ) -> None:
        self.token = token
        self.name: str = original.__qualname__
        self.module: str = original.__module__
        self.kind = kind
        self.function = function
        self.original = original
        self.signature = inspect.signature(original)
        self.fingerprint = fingerprint
        self.sites = sites
        self.filename: str = original.__code__.co_filename
        self.first_line: int = original.__code__.co_firstlineno
        self.subscriptions = subscriptions
        self.load: object = original.__globals__.get("__spec__")
        self._names = [(*site.variables, *site.hidden) for site in sites]
        self._readers = [_reader(names) for names in self._names]
        # On resume the user's parameters are given their values with the other variables.
        required = [each for each in self.signature.parameters.values() if each.default is each.empty]
        positional = [
            each for each in required if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        ]
        self._arguments = (None,) * (len(positional) - 1)
        self._keywords = {each.name: None for each in required if each.kind is each.KEYWORD_ONLY}

    def __repr__(self) -> str:
        return f"<program {self.module}.{self.name}>"

    if _COPIES:

        def capture(self, coroutine: Any) -> tuple[Site, list[Any]]:
            """Return the site at which a coroutine of this program is suspended, and the values that live on.

            The values are in the order of `site.variables` and `site.hidden`, `UNBOUND` where a name has none.
            """
            local = coroutine.cr_frame.f_locals
            index = local[".at"] - 1
            try:
                values = list(self._readers[index](local))
            except KeyError:
                values = [local.get(name, UNBOUND) for name in self._names[index]]
            # The frame keeps this dict, and with it every value that was ever looked at.
            local.clear()
            return self.sites[index], values
    else:

        def capture(self, coroutine: Any) -> tuple[Site, list[Any]]:
            """Return the site at which a coroutine of this program is suspended, and the values that live on.

            The values are in the order of `site.variables` and `site.hidden`, `UNBOUND` where a name has none.
            """
            local = coroutine.cr_frame.f_locals
            index = local[".at"] - 1
            try:
                return self.sites[index], list(self._readers[index](local))
            except KeyError:
                return self.sites[index], [local.get(name, UNBOUND) for name in self._names[index]]

    def enter(self, site: Site, values: Sequence[Any], inner: Any, ctx: Any) -> Coroutine[Any, Any, Any]:
        """Return a coroutine that goes to a site when it is first sent None; it must be given `inner` unstarted."""
        hidden = {".pc": site.number, ".r": (inner, values)}
        coroutine: Coroutine[Any, Any, Any] = self.function(ctx, *self._arguments, **self._keywords, **hidden)
        return coroutine

    def resume(self, site: Site, values: Sequence[Any], inner: Any, ctx: Any) -> Coroutine[Any, Any, Any]:
        """Return a coroutine that is suspended at a site.

        Args:
            site: one of this program's.
            values: what `capture` gave.
            inner: what the await waits for: an awaitable that has not been started and yields once it is.
            ctx: the context.
        """
        coroutine = self.enter(site, values, inner, ctx)
        coroutine.send(None)
        return coroutine


# By the id of the code: hashing code costs more than the rest of a look, and equal code is not the same program.
_registry: dict[int, Program] = {}


def register(program: Program) -> None:
    """Make a program known by the code of its compiled function."""
    _registry[id(program.function.__code__)] = program


def program_of(code_or_function: Any) -> Program | None:
    """Return the program of a code object or function, None where it is not compiled."""
    code = (
        code_or_function
        if isinstance(code_or_function, CodeType)
        else getattr(code_or_function, "__code__", None)
    )
    return _registry.get(id(code)) if isinstance(code, CodeType) else None


def _reader(names: tuple[str, ...]) -> Callable[[Any], Sequence[Any]]:
    if not names:
        return lambda _local: ()
    if len(names) == 1:
        (name,) = names
        return lambda local: (local[name],)
    return itemgetter(*names)
