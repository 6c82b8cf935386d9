"""Metrics for Prometheus: as text, and over HTTP.

prometheus_client writes the text and serves it: what Prometheus accepts is its maintainers' business. By hand it would
be fifty lines, and one more format to keep up with.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...runtime import Runtime
from .collector import WorldCollector
from .picture import OpenWorld, SavedWorld, Subject

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

LOCALHOST = "127.0.0.1"


def exposition(world: Runtime | str | os.PathLike[str]) -> bytes:
    """Return the metrics of a world in the text format of Prometheus.

    Args:
        world: an open one, from any thread; or the path of one that another process runs, or nobody: then only what its
            file tells is among them.
    """
    from prometheus_client import generate_latest  # noqa: PLC0415 - it takes long to import.

    return generate_latest(registry_of(world))


@contextlib.contextmanager
def serve_metrics(
    world: Runtime | str | os.PathLike[str], port: int, address: str = LOCALHOST
) -> Iterator[int]:
    """Serve the metrics of a world over HTTP while the `with` lasts; a thread of its own listens.

        with Runtime("world.deathless", [buff]) as world, serve_metrics(world, 9464):
            world.run()

    Args:
        world: as of `exposition`.
        port: 0 takes a free one.
        address: on which to listen. Whoever can reach it may read the names of workflow types, and no state.

    Yields:
        The port.

    Raises:
        OSError: it cannot listen there.
    """
    from prometheus_client import start_http_server  # noqa: PLC0415

    server, thread = start_http_server(port, address, registry_of(world))
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def registry_of(world: Runtime | str | os.PathLike[str]) -> CollectorRegistry:
    """Return a registry that has the metrics of one world and nothing else."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415

    subject: Subject = OpenWorld(world) if isinstance(world, Runtime) else SavedWorld(world)
    registry = CollectorRegistry()
    registry.register(WorldCollector(subject))
    return registry
