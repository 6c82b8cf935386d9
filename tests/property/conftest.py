"""Let the property tests import the modules beside them.

The tests run with `--import-mode=importlib`, which leaves `sys.path` alone; the fuzz also stores instances of
classes by module and name, so its kit must have the same module name here as in the worker processes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deathless.runtime import recovery

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True, scope="session")
def short_stretches():
    """Let even a small world have timers that are not armed when it is opened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recovery, "STRETCH", 3)
        yield
