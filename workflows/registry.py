"""The registry: all that a world is given to run, by name, no two of a kind alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .activity import Activity
from .definition import WorkflowType
from .errors import DefinitionError, UnknownSignalError
from .reducer import Reducer
from .signal import Signal
from .tables import Table

Registered: TypeAlias = WorkflowType[Any, Any] | Reducer[Any, Any] | Activity[Any, Any] | Table[Any, Any]
REGISTERED = (WorkflowType, Reducer, Activity, Table)


@dataclass(frozen=True, slots=True)
class Registry:
    """What a world may run.

    Attributes:
        workflows, reducers, activities, tables: each by its name.
        signals: the classes that the workflows accept, by name.
    """

    workflows: dict[str, WorkflowType[Any, Any]] = field(default_factory=dict)
    reducers: dict[str, Reducer[Any, Any]] = field(default_factory=dict)
    activities: dict[str, Activity[Any, Any]] = field(default_factory=dict)
    tables: dict[str, Table[Any, Any]] = field(default_factory=dict)
    signals: dict[str, type[Signal]] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[Registered], *, builtin: Iterable[Registered] = ()) -> Registry:
        """Collect what a game registers, over what is built in; a game's own takes the place of a built-in one.

        Raises:
            DefinitionError: two of one kind with one name, two signal classes with one name, or something else.
        """
        registry = cls()
        for item in items:
            registry._add(item)
        for item in builtin:
            if item.name not in registry._kind_of(item):
                registry._add(item)
        return registry

    def signal_class(self, name: str) -> type[Signal]:
        """Return the class that a name means, exactly or in snake case.

        Raises:
            UnknownSignalError: no workflow accepts one of this name.
        """
        found = self.signals.get(name)
        if found is None:
            wanted = str(name).replace("_", "").lower()
            close = [each for each in self.signals if each.lower() == wanted]
            if len(close) != 1:
                raise UnknownSignalError(name, tuple(sorted(self.signals)))
            found = self.signals[close[0]]
        return found

    def _kind_of(self, item: Any) -> dict[str, Any]:
        for kind, held in (
            (WorkflowType, self.workflows),
            (Reducer, self.reducers),
            (Activity, self.activities),
            (Table, self.tables),
        ):
            if isinstance(item, kind):
                return held
        raise DefinitionError(
            f"Runtime takes what is decorated with @workflow, @reducer or @activity, and Tables, not {item!r}"
        )

    def _add(self, item: Registered) -> None:
        held = self._kind_of(item)
        if held.setdefault(item.name, item) is not item:
            what = type(item).__name__.removesuffix("Type").lower()
            remedy = f"give one of them @{what}(name=...)" if what != "table" else "rename one"
            raise DefinitionError(
                f"two {'activities' if what == 'activity' else what + 's'} are named {item.name!r}; {remedy}"
            )
        if isinstance(item, WorkflowType):
            self._add_signals(item)

    def _add_signals(self, kind: WorkflowType[Any, Any]) -> None:
        for signal in kind.accepts:
            if self.signals.setdefault(signal.__name__, signal) is not signal:
                raise DefinitionError(
                    f"two signal classes are named {signal.__name__!r} "
                    f"({signal.__module__} and {self.signals[signal.__name__].__module__}); rename one"
                )


def home_of(item: Registered) -> str:
    """Return the name of the module in which something was defined; of a table, which knows none, an empty text."""
    if isinstance(item, WorkflowType):
        return item.program.module
    return "" if isinstance(item, Table) else str(item.function.__module__)
