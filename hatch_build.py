"""Build hook: the top-level folders ship as sub-packages of ``deathless``.

A wheel with a top-level ``tools`` or ``runtime`` would collide with every game that has its own, so the
folders are mapped under ``deathless/``. An editable install gets a link ``.dev/deathless`` to the checkout
instead, which both Python and the type checkers follow.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = ("__init__.py", "py.typed", "workflows", "actors", "runtime", "tools")


class DeathlessBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Map the checkout's folders under one package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Link the checkout for an editable install, or place each folder under ``deathless/``."""
        root = Path(self.root)
        if version == "editable":
            link_package(root)
            return
        for name in SHIPPED:
            if (root / name).exists():
                build_data["force_include"][str(root / name)] = f"deathless/{name}"


def link_package(root: Path) -> None:
    """Make ``.dev/deathless`` a link to the checkout (a junction on Windows, which needs no rights)."""
    link = root / ".dev" / "deathless"
    link.parent.mkdir(exist_ok=True)
    if link.is_symlink() or link.exists():
        return
    if sys.platform == "win32":
        subprocess.run(["cmd", "/c", "mklink", "/J", str(link), str(root)], check=True)  # noqa: S603, S607
    else:
        os.symlink("..", link, target_is_directory=True)  # noqa: PTH211
