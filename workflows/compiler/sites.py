"""What the compiler's passes know about each await: its number, its key, and the hidden variables around it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Draft:
    """An await site while the function is being compiled.

    Attributes:
        number: from 1 up, in the order of evaluation, which is the source's but for `a if await b else c`.
        named: whether the label holds a name that the user chose.
        around: hidden variables of the blocks around it, outermost first, each with what it is.
        temporaries: what each temporary holds that was assigned so far.
        live: the names whose values are needed when the await ends, filled in by the liveness pass.
    """

    number: int
    key: str
    label: str
    named: bool
    line: int
    signals: tuple[str, ...]
    awaits: str | None
    around: dict[str, str]
    temporaries: dict[str, str]
    live: set[str] = field(default_factory=set)

    @property
    def variables(self) -> tuple[str, ...]:
        """The user's variables among those that are live, in the order of the snapshot."""
        return tuple(sorted(name for name in self.live if not name.startswith(".")))

    @property
    def hidden(self) -> dict[str, str]:
        """The compiler's variables that are live, in the order of the snapshot, each with what it is."""
        temporaries = sorted(name for name in self.live if name in self.temporaries)
        return {**self.around, **{name: self.temporaries[name] for name in temporaries}}


@dataclass(slots=True, eq=False)
class Hoisted:
    """A function's body after hoisting: ordinary statements, in which each await is evaluated first.

    Attributes:
        body: the statements.
        drafts: the await sites, by number.
        sites: the site of each await.
        preludes: the statements before the test of a while loop whose test awaits.
        hidden: the hidden variable that a suspending for, with, handler or finally keeps.
        doubtful: variables that may be unbound where they are live, or change while an await's operand is evaluated.
    """

    body: list[ast.stmt] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    sites: dict[ast.Await, Draft] = field(default_factory=dict)
    preludes: dict[ast.While, list[ast.stmt]] = field(default_factory=dict)
    hidden: dict[ast.AST, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
