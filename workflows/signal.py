"""Signals: the typed messages that workflows await.

A signal class is a frozen, slotted dataclass made by subclassing alone, so that a message cannot change
between sender and receiver and `case Stack(amount)` works. Its name, not its module, is its identity in a
world: a class may move between modules while messages of it wait unread.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, dataclass_transform

from .errors import DefinitionError, UnknownTypeError


class SignalForm(NamedTuple):
    """How signals of a class become messages: name, names of the fields, and what gives their values."""

    name: str
    layout: str
    values: Callable[[Signal], list[Any]]


def form_of(signal: type[Signal]) -> SignalForm:
    """Return the form of a class."""
    return signal._form


_TAKEN = frozenset({"field_names", "layout", "_form"})


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
class SignalType(type):
    """Metaclass of signals: turns each subclass into a frozen, slotted dataclass."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> SignalType:
        """Make the class; `dataclass(slots=True)` builds it a second time, which passes straight through."""
        made = super().__new__(cls, name, bases, namespace)
        if not bases or "__dataclass_fields__" in namespace:
            return made
        for base in bases:
            if isinstance(base, SignalType) and base is not Signal:
                raise DefinitionError(
                    f"signal {name} derives from signal {base.__name__}; signals are matched by their exact class, "
                    "so derive it from Signal and repeat the fields"
                )
        for taken in _TAKEN.intersection(namespace.get("__annotations__", ())):
            raise DefinitionError(
                f"signal {name} has a field {taken!r}, a name that every signal class uses; rename it"
            )
        signal: Any = dataclasses.dataclass(frozen=True, slots=True)(made)
        names = tuple(field.name for field in dataclasses.fields(signal))
        signal.field_names = names
        signal.layout = ",".join(names)
        signal._form = SignalForm(name, signal.layout, _getter(names))
        _quicken(signal, namespace)
        return signal  # type: ignore[no-any-return]

    field_names: tuple[str, ...]
    layout: str
    _form: SignalForm


class Signal(metaclass=SignalType):
    """Base of all signals: annotate fields as in a dataclass.

    Example:
        class Stack(Signal):
            amount: int = 1
    """

    __slots__ = ()
    field_names: ClassVar[tuple[str, ...]] = ()
    layout: ClassVar[str] = ""


def signal_values(signal: Signal) -> list[Any]:
    """Return the field values of a signal in the order of its fields: its wire form before packing."""
    return type(signal)._form.values(signal)


def signal_from(cls: type[Signal], values: list[Any], layout: str) -> Signal:
    """Build a signal from its wire form and the names of the fields that it had when it was sent.

    Fields may have been put in another order, and fields with a default been added since.

    Raises:
        UnknownTypeError: the class has lost one of them, or has got one without a default.
    """
    if layout == cls.layout:
        return cls(*values)
    named = dict(zip(layout.split(","), values, strict=True)) if layout else {}
    for name in named.keys() - set(cls.field_names):
        raise UnknownTypeError(cls.__name__, f"it was sent with a field {name!r}; keep that field")
    try:
        return cls(**named)
    except TypeError as error:
        raise UnknownTypeError(cls.__name__, f"{error}; give new fields a default") from None


def _quicken(signal: Any, namespace: Mapping[str, Any]) -> None:
    """Let the constructor of a plain signal fill the slots directly.

    The one that a frozen dataclass has finds `object.__setattr__` and the slot anew for each field, which takes more
    than twice as long; each signal is made once by its sender and once where it arrives.
    """
    parameters = list(inspect.signature(signal.__init__).parameters.values())[1:]
    plain = [
        field.name for field in dataclasses.fields(signal) if field.default_factory is dataclasses.MISSING
    ]
    in_order = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    if hasattr(signal, "__post_init__") or "__init__" in namespace or "self" in plain or plain != in_order:
        return
    prefix = "_set_"
    while any(field.startswith(prefix) for field in plain):
        prefix = f"_{prefix}"
    body = "; ".join(f"{prefix}{field}(self, {field})" for field in plain) or "pass"
    made: dict[str, Any] = {f"{prefix}{field}": getattr(signal, field).__set__ for field in plain}
    exec(f"def __init__({', '.join(['self', *plain])}): {body}", made)  # noqa: S102 - as dataclasses does; names of fields are identifiers.
    slow, quick = signal.__init__, made["__init__"]
    quick.__defaults__ = slow.__defaults__
    signal.__init__ = functools.update_wrapper(quick, slow)
    del quick.__wrapped__


def _getter(names: tuple[str, ...]) -> Any:
    fields = ", ".join(f"signal.{name}" for name in names)
    return eval(f"lambda signal: [{fields}]")  # noqa: S307 - names of fields are identifiers.
