"""`deathless metrics`: what a world counts of itself, for Prometheus and Grafana."""

from __future__ import annotations

import importlib.util
import signal
import sys
import threading
from pathlib import Path

import click

from ...runtime.storage.world_reader import WorldReader
from ..metrics.files import ALERTS, DASHBOARD, text_of
from ..output import BadInput

EXAMPLES = """\b
Examples:
  deathless metrics world.deathless
  deathless metrics world.deathless | grep deathless_workflows
  deathless metrics world.deathless --listen 127.0.0.1:9464
  deathless metrics --dashboard > deathless.json
  deathless metrics --alerts > deathless-alerts.yml

\b
Exit codes:
  0    printed, or served until it was terminated
  2    bad input, or the world cannot be read
  130  interrupted
"""


@click.command(epilog=EXAMPLES)
@click.argument("world", type=click.Path(), required=False)
@click.option("--listen", metavar="HOST:PORT", help="Serve them over HTTP instead, as of each request.")
@click.option("--dashboard", is_flag=True, help="Print the dashboard for Grafana instead.")
@click.option("--alerts", is_flag=True, help="Print the alert rules for Prometheus instead.")
def command(world: str | None, listen: str | None, dashboard: bool, alerts: bool) -> int:
    """Print the metrics of WORLD in the text format of Prometheus.

    Of a world that runs and takes commands, they come from its own endpoint, with all that only it knows: steps, turn
    and commit times, lateness. Of any other, and with --listen, they are what its file tells: workflows by type and
    status, timers, what is stuck, and the room that it takes.
    """
    if dashboard + alerts + (world is not None) != 1:
        raise BadInput("give a WORLD, or --dashboard, or --alerts")
    if listen is not None and world is None:
        raise BadInput("--listen serves the metrics of a WORLD; give one")
    if dashboard or alerts:
        click.echo(text_of(DASHBOARD if dashboard else ALERTS), nl=False)
        return 0
    assert world is not None, "there is one, as was just checked"
    _require_client()
    address = None if listen is None else _address(listen)
    with WorldReader(world):
        # It can be read: else this is the time to say so.
        pass
    # Only when there is something to show: prometheus_client takes a while to import.
    from ..metrics import exposition  # noqa: PLC0415
    from ..metrics.endpoint import told_by_endpoint  # noqa: PLC0415

    if address is not None:
        _serve(world, *address)
        return 0
    told = told_by_endpoint(Path(world)) or exposition(world)
    click.echo(told.decode(), nl=False)
    return 0


def _serve(world: str, host: str, port: int) -> None:
    """Serve until SIGTERM comes; an interrupt goes on to the caller."""
    from ..metrics import serve_metrics  # noqa: PLC0415

    ended = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        with serve_metrics(world, port, host) as taken:
            click.echo(f"metrics of {world} on http://{host}:{taken}/metrics", err=True)
            sys.stderr.flush()
            ended.wait()
    except OSError as error:
        raise BadInput(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise BadInput(f"--listen is HOST:PORT, for example 127.0.0.1:9464, not {text!r}")
    return host.strip("[]"), int(port)


def _require_client() -> None:
    if importlib.util.find_spec("prometheus_client") is None:
        raise BadInput(
            "metrics are written with prometheus-client; install it: pip install 'deathless[operate]'"
        )
