"""The endpoint's web application: operations on one world, for whoever has the token.

    GET  /health            whether the world is well
    GET  /metrics           what Prometheus reads
    POST /call/<operation>  a JSON object in, a JSON object out; `Authorization: Bearer TOKEN`

An answer is given when it is durable. What went wrong is said as {"error": "..."}, with a status as in `errors`; never
with a traceback, which belongs in the world's log.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...runtime import Runtime
from ...runtime.log import get_logger
from .errors import BAD_REQUEST, FAULT, LATE, TOO_LARGE, UNAUTHORIZED, UNKNOWN, ControlError, control_errors
from .operations import Operation, Pending, accept

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BYTES = 8 << 20
"""Size of a request that is read at all."""
LONGEST_WAIT_S = 3600.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

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
) -> Starlette:
    """Return the application.

    Args:
        world: on which it works.
        token: whoever shows it may call.
        operations: what may be called, by name.
        timeout: seconds that a call waits to be durable, where it does not say `?timeout=` itself.
        health: what GET /health tells. Where it says `"healthy": false`, the status is 503.
        metrics: what GET /metrics tells.
    """
    # A third of a second to import: only where a world listens.
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    pages = _Pages(world, token, operations, timeout, health, metrics)
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
    ) -> None:
        self._world = world
        self._expected = f"Bearer {token}".encode()
        self._operations = operations
        self._timeout_s = timeout
        self._health = health
        self._metrics = metrics

    async def health(self, _: Request) -> Response:
        with control_errors():
            told = await asyncio.to_thread(self._health, self._world)
        return _json(told, status=200 if told.get("healthy", True) else 503)

    async def metrics(self, _: Request) -> Response:
        from starlette.responses import Response  # noqa: PLC0415

        with control_errors():
            told = await asyncio.to_thread(self._metrics, self._world)
        return Response(told, headers={"content-type": METRICS_TYPE})

    async def call(self, request: Request) -> Response:
        self._check_token(request)
        timeout_s = self._patience(request)
        fields = await _fields(request)
        turn = self._world.turn
        name = request.path_params["operation"]
        # In a thread: the world may be in the midst of a turn, for which a call has to wait.
        pending = await asyncio.to_thread(accept, self._operations, self._world, name, fields)
        await self._wait(pending, timeout_s, turn)
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

    async def _wait(self, pending: Pending, timeout_s: float, turn: int) -> None:
        """Wait until it is done, however it ends."""
        done = asyncio.wrap_future(pending.done)
        # Not `wait_for`, which would cancel what may still come.
        await asyncio.wait((done,), timeout=timeout_s)
        if done.done():
            done.exception()
            return
        still = "not been pumped" if self._world.turn == turn else "not committed it"
        raise ControlError(
            LATE,
            f"the world has {still} for {timeout_s:g} s (its last turn is {self._world.turn}); what was asked is "
            "accepted and waits for its next turn: see that its loop runs, and do not ask again without an input id",
        )


async def _fields(request: Request) -> dict[str, Any]:
    """Read the body: a JSON object."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise ControlError(TOO_LARGE, f"a request has at most {MOST_BYTES} bytes")
    try:
        fields = json.loads(body or b"{}")
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
