"""`serve`: let a running world take commands over HTTP, while its own loop goes on."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING

from ...runtime import Runtime
from ...runtime.log import get_logger
from ...workflows.registry import Registry
from ..fit import require_fit
from ..health import told_health
from ..metrics import exposition
from .app import CALL_THREADS, Health, Metrics, app_of
from .client import is_token
from .endpoint import Endpoint
from .errors import EndpointError
from .operations import OPERATIONS, Operation, reload_of

if TYPE_CHECKING:
    from starlette.applications import Starlette

ANY_PORT = "127.0.0.1:0"
LOOK_THREADS = 2
"""For health and metrics, which no call may keep waiting."""
SHUTDOWN_S = 2
"""Whole seconds that requests have to end when the endpoint does."""


@contextlib.contextmanager
def serve(
    world: Runtime,
    address: str | socket.socket = ANY_PORT,
    *,
    token: str | None = None,
    modules: Iterable[ModuleType] = (),
    timeout: float = 10.0,
    operations: Mapping[str, Operation] | None = None,
    health: Health = told_health,
    metrics: Metrics = exposition,
) -> Iterator[Endpoint]:
    """Take commands for a world while the `with` lasts.

        with Runtime("world.deathless", [buff], clock=GameClock()) as world, serve(world):
            while playing:
                world.advance(dt)

    A thread of its own listens. What comes is accepted by the world as from any other thread, and is answered when the
    loop inside of the `with` has committed it. Where it listens is in `control.json` in the world's directory, which
    the `deathless` commands look for. Close the world inside of the `with` to answer those who still wait; at the end
    of the `with` they are cut off.

    Args:
        world: an open one.
        address: "HOST:PORT"; port 0 takes a free one. Whoever can reach it and has the token may do anything with the
            world; there is no encryption, so beyond this computer put it behind a proxy with TLS. Or a socket that
            `listen` made, which is closed at the end.
        token: the word that commands show; a random one by default.
        modules: what `deathless publish` loads anew: all in which the workflows stand.
        timeout: seconds that a command waits to be durable, where it does not say otherwise.
        operations: what may be asked; `OPERATIONS` by default.
        health: what GET /health tells, without a token.
        metrics: what GET /metrics tells, without a token.

    Raises:
        EndpointError: it cannot listen at the address, the token is none, or starlette and uvicorn are missing.
        WorldError: `control.json` cannot be written.
    """
    require_servable(token)
    word = secrets.token_urlsafe(32) if token is None else token
    offered = {**(OPERATIONS if operations is None else operations)}
    offered["reload"] = reload_of(modules, lambda registry: _check_fit(world, registry))
    path = world._engine.store.path
    with (
        listen(address) if isinstance(address, str) else address as listener,
        ThreadPoolExecutor(CALL_THREADS, thread_name_prefix="deathless-call") as calls,
        ThreadPoolExecutor(LOOK_THREADS, thread_name_prefix="deathless-look") as looks,
    ):
        app = app_of(
            world, word, offered, timeout=timeout, health=health, metrics=metrics, calls=calls, looks=looks
        )
        endpoint = Endpoint.here(_url_of(listener), word)
        with _answering(app, listener):
            try:
                endpoint.write(path)
                _note(endpoint, listener)
                yield endpoint
            finally:
                endpoint.remove(path)


@contextlib.contextmanager
def _answering(app: Starlette, listener: socket.socket) -> Iterator[None]:
    """Answer those who come, in a thread of its own, while the `with` lasts."""
    import uvicorn  # noqa: PLC0415

    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = uvicorn.Server(config)
    # It is no main thread, so that uvicorn leaves the signals of the process alone.
    thread = threading.Thread(target=server.run, args=([listener],), name="deathless-control", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _check_fit(world: Runtime, registry: Registry) -> None:
    """Check that what is suspended in a world goes on with this code; between two turns, on the thread that pumps."""
    # The store is asked, so all finished turns have to be in it.
    world.commit()
    require_fit(world._engine.store, registry.workflows)


def split_address(address: str) -> tuple[str, int]:
    """Return the host and the port of "HOST:PORT".

    Raises:
        EndpointError: it is not of that form.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not host.isprintable() or not port.isdecimal() or int(port) > 0xFFFF:
        raise EndpointError(f"an address to listen at is HOST:PORT, as 127.0.0.1:3000, not {address!r}")
    return host, int(port)


def require_servable(token: str | None) -> None:
    """Check, before a world is opened, that it can take commands.

    Raises:
        EndpointError: starlette and uvicorn are missing, or the token is none.
    """
    try:
        # Only where a world listens: it takes long to import, and is an extra.
        import uvicorn  # noqa: F401, PLC0415
    except ImportError as error:
        raise EndpointError(
            f"a world takes commands with starlette and uvicorn ({error}); install deathless[operate]"
        ) from error
    if token is not None and not is_token(token):
        raise EndpointError("a token is a text of ASCII characters, without blanks around it, and not empty")


def listen(address: str) -> socket.socket:
    """Return a socket that listens at "HOST:PORT", for `serve`; whoever comes waits until that answers.

    Raises:
        EndpointError: the address is none, or cannot be listened at.
    """
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        # What is no text of a host name has no `strerror`.
        why = getattr(error, "strerror", None) or "no such host"
        raise EndpointError(f"cannot listen at {address!r} ({why}); give another address") from error


def _url_of(listener: socket.socket) -> str:
    """Return how this computer reaches it."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "::1" if listener.family == socket.AF_INET6 else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _note(endpoint: Endpoint, listener: socket.socket) -> None:
    host = listener.getsockname()[0]
    log = get_logger()
    log.info("control_listening", url=endpoint.url, host=host)
    if not ipaddress.ip_address(host).is_loopback:
        log.warning(
            "control_open_to_network",
            host=host,
            remedy="let only a proxy with TLS and those you trust reach it",
        )
