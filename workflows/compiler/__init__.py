"""The coroutine compiler: makes an `async def` that can be entered again at any of its awaits.

The passes, a module each: `source` finds the syntax tree; `refusals` names what cannot be made durable, `slips` what
is surely not meant; `selects` checks that a `match await ctx.select(...)` is complete; `hoist` gives each await a
statement of its own; `liveness` finds what a snapshot must hold; `ordering` lets sets be read in a fixed order; `lower`
makes the function skip to an await. `program` leaves and enters one frame, `frames` a stack of them. Everything here is
pure: no clock, no storage.
"""

from .compilation import compile_coroutine
from .frames import awaited_by, capture_stack, resume_stack
from .names import meaning_of
from .program import Program, Site, program_of
from .unbound import UNBOUND, Unbound

__all__ = [
    "UNBOUND",
    "Program",
    "Site",
    "Unbound",
    "awaited_by",
    "capture_stack",
    "compile_coroutine",
    "meaning_of",
    "program_of",
    "resume_stack",
]
