"""`ControlError`: why an operation was not done, as it goes over HTTP and becomes an exit code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ...workflows.errors import CallFailed, DeathlessError, RuntimeClosedError, WorkflowExistsError, WorldFull
from ..fit import UnfitCodeError

BAD_REQUEST = 400
UNAUTHORIZED = 401
UNKNOWN = 404
CONFLICT = 409
"""The request was right, and the answer is no: a reducer raised, a workflow exists already, code does not fit."""
TOO_LARGE = 413
FAULT = 500
UNAVAILABLE = 503
"""The world is closed, or has no room on its disk."""
LATE = 504
"""The world did not commit what was asked within the time given."""

ANSWERED_NO = frozenset({CONFLICT, FAULT, UNAVAILABLE, LATE})


class ControlError(DeathlessError, RuntimeError):
    """An operation that was not done.

    Attributes:
        status: the HTTP status that says why.
        exit_code: of a command that ends with it: 1, the answer is no; 2, bad input.
    """

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.exit_code = 1 if status in ANSWERED_NO else 2


class EndpointError(DeathlessError, ValueError):
    """An endpoint that cannot be made: a bad address, one that is taken, a bad token."""


@contextlib.contextmanager
def control_errors() -> Iterator[None]:
    """Turn what a world says of an operation into `ControlError`."""
    try:
        yield
    except ControlError:
        raise
    except (CallFailed, WorkflowExistsError, UnfitCodeError) as error:
        raise ControlError(CONFLICT, str(error)) from error
    except (RuntimeClosedError, WorldFull) as error:
        raise ControlError(UNAVAILABLE, str(error)) from error
    except (DeathlessError, TypeError, ValueError, OverflowError) as error:
        raise ControlError(BAD_REQUEST, str(error)) from error
