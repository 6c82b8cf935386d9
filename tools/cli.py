"""The `deathless` command."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence

from .. import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="deathless",
        description="Durable actors for game entities: what an NPC does outlives a crash.",
        epilog="The village demo runs with `make demo` from a checkout.",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"deathless {__version__} (Python {platform.python_version()}, {sys.platform})",
    )
    parser.parse_args(arguments)
    parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())
