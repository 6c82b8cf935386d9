"""The endpoint's web application: operations on one world, for whoever has the token.

    GET  /health            whether the world is well
    GET  /metrics           what Prometheus reads
    POST /call/<operation>  a JSON object in, a JSON object out; `Authorization: Bearer TOKEN`

An answer is given when it is durable. A turn that lasts keeps calls waiting, up to their time limit; the first two
have threads of their own and wait for no turn, so that they answer just then.

What went wrong is said as {"error": "..."}, with a status as in `errors`; never
with a traceback, which belongs in the world's log.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, TypeVar

from ...runtime import Runtime
from ...runtime.log import get_logger
from ...workflows.json_arguments import read_json
from .errors import BAD_REQUEST, FAULT, LATE, TOO_LARGE, UNAUTHORIZED, UNKNOWN, ControlError, control_errors
from .operations import Operation, accept

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BYTES = 8 << 20
"""Size of a request that is read at all."""
LONGEST_WAIT_S = 3600.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

CALL_THREADS = 16
"""Calls that wait at once for the turn that is under way, to be accepted; further ones wait for these."""

_ToldT = TypeVar("_ToldT")
Health = Callable[[Runtime], Mapping[str, Any]]
Metrics = Callable[[Runtime], bytes]


def app_of(
    world: Runtime,
    token: str,
    operations: Mapping[str, Operation],
    *,
    timeout: float,
    health: Health,
    metrics: Metrics,
    calls: Executor,
    looks: Executor,
) -> Starlette:
    """Return the application.

    Args:
        world: on which it works.
        token: whoever shows it may call.
        operations: what may be called, by name.
        timeout: seconds that a call waits to be durable, where it does not say `?timeout=` itself.
        health: what GET /health tells. Where it says `"healthy": false`, the status is 503.
        metrics: what GET /metrics tells.
        calls: threads in which calls are accepted; a turn may keep all of them waiting.
        looks: threads for health and metrics.
    """
    # A third of a second to import: only where a world listens.
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    pages = _Pages(world, token, operations, timeout, health, metrics, calls, looks)
    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    routes = [
        Route("/health", pages.health, methods=["GET"]),
        Route("/metrics", pages.metrics, methods=["GET"]),
        Route("/call/{operation}", pages.call, methods=["POST"]),
        # Without the token, nobody learns what else there is.
        Route("/{rest:path}", pages.nothing, methods=every),
    ]
    return Starlette(routes=routes, exception_handlers={ControlError: _refusal, Exception: _fault})


class _Pages:
    """What each address does."""

    def __init__(
        self,
        world: Runtime,
        token: str,
        operations: Mapping[str, Operation],
        timeout: float,
        health: Health,
        metrics: Metrics,
        calls: Executor,
        looks: Executor,
    ) -> None:
        self._world = world
        self._expected = f"Bearer {token}".encode()
        self._operations = operations
        self._timeout_s = timeout
        self._health = health
        self._metrics = metrics
        self._calls = calls
        self._looks = looks

    async def health(self, _: Request) -> Response:
        with control_errors():
            told = await _look(self._looks, self._health, self._world)
        return _json(told, status=200 if told.get("healthy", True) else 503)

    async def metrics(self, _: Request) -> Response:
        from starlette.responses import Response  # noqa: PLC0415

        with control_errors():
            told = await _look(self._looks, self._metrics, self._world)
        return Response(told, headers={"content-type": METRICS_TYPE})

    async def call(self, request: Request) -> Response:
        self._check_token(request)
        timeout_s = self._patience(request)
        fields = await _fields(request)
        turn = self._world.turn
        name = request.path_params["operation"]
        until_s = time.monotonic() + timeout_s
        # In a thread: the world may be in the midst of a turn, for which some calls have to wait.
        accepting = self._calls.submit(accept, self._operations, self._world, name, fields)
        if not await _is_done(accepting, until_s):
            raise self._late_to_accept(timeout_s, begun=not accepting.cancel())
        pending = accepting.result()
        if not await _is_done(pending.done, until_s):
            raise self._late_to_commit(timeout_s, turn)
        return _json(pending.result())

    async def nothing(self, request: Request) -> Response:
        self._check_token(request)
        raise ControlError(UNKNOWN, f"there is no {request.method} {request.url.path} here")

    def _check_token(self, request: Request) -> None:
        shown = request.headers.get("authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(shown, self._expected):
            raise ControlError(UNAUTHORIZED, "the token is missing or not the one of this world")

    def _patience(self, request: Request) -> float:
        text = request.query_params.get("timeout")
        if text is None:
            return self._timeout_s
        try:
            timeout_s = float(text)
        except ValueError:
            timeout_s = math.nan
        if not 0 < timeout_s <= LONGEST_WAIT_S:
            raise ControlError(
                BAD_REQUEST, f"timeout is a number of seconds up to {LONGEST_WAIT_S:g}, not {text!r}"
            )
        return timeout_s

    def _late_to_accept(self, timeout_s: float, *, begun: bool) -> ControlError:
        """Return what is said of a call that waited in vain for the end of a turn."""
        outcome = (
            "it may still accept this afterwards: look before asking again"
            if begun
            else "nothing was accepted: ask again when its loop goes on"
        )
        return ControlError(
            LATE,
            f"the world has been in one turn for {timeout_s:g} s (its last finished one is {self._world.turn}); "
            f"{outcome}",
        )

    def _late_to_commit(self, timeout_s: float, turn: int) -> ControlError:
        """Return what is said of a call that was accepted when the last turn was `turn`, and is not durable."""
        still = "not been pumped" if self._world.turn == turn else "not committed it"
        return ControlError(
            LATE,
            f"the world has {still} for {timeout_s:g} s (its last turn is {self._world.turn}); what was asked is "
            "accepted and waits for its next turn: see that its loop runs, and do not ask again without an input id",
        )


async def _look(threads: Executor, look: Callable[[Runtime], _ToldT], world: Runtime) -> _ToldT:
    """Look at a world in one of these threads."""
    return await asyncio.get_running_loop().run_in_executor(threads, look, world)


async def _is_done(future: Future[Any], until_s: float) -> bool:
    """Wait until it is done, however it ends, or until a time of `time.monotonic`; say whether it is."""
    done = asyncio.wrap_future(future)
    # Its error is looked at here or nowhere: nobody is left for what fails after the time.
    done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    # Not `wait_for`, which would cancel what may still come.
    await asyncio.wait((done,), timeout=max(0.0, until_s - time.monotonic()))
    return done.done()


async def _fields(request: Request) -> dict[str, Any]:
    """Read the body: a JSON object."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise ControlError(TOO_LARGE, f"a request has at most {MOST_BYTES} bytes")
    try:
        fields = read_json(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ControlError(BAD_REQUEST, f"the body of the request is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ControlError(BAD_REQUEST, "the body of the request is not a JSON object")
    return fields


def _json(value: Mapping[str, Any], *, status: int = 200) -> Response:
    from starlette.responses import JSONResponse  # noqa: PLC0415

    return JSONResponse(value, status_code=status)


def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, ControlError)
    return _json({"error": str(error)}, status=error.status)


def _fault(request: Request, error: Exception) -> Response:
    get_logger().error("control_failed", path=request.url.path, exc_info=error)
    return _json({"error": "this failed for a reason that is in the world's log"}, status=FAULT)
