"""What the tests of health share: an open world is counted anew each time."""

import pytest


@pytest.fixture(autouse=True)
def _fresh_censuses(monkeypatch):
    monkeypatch.setattr("deathless.runtime.census.SHARE", 1.0)
