"""Let the crash tests import the modules beside them.

The tests run with `--import-mode=importlib`, which leaves `sys.path` alone; the workflows of these tests must have the
same module name in the test and in the processes that it kills.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import structlog

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True, scope="session")
def quiet_log():
    """Log errors only: a crash test opens many worlds."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    yield
    structlog.reset_defaults()
