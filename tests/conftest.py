"""Options that several test folders share."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--programs",
        type=int,
        default=300,
        help="random programs per run of the coroutine fuzz (default 300)",
    )
    parser.addoption(
        "--games", type=int, default=200, help="games of a Runtime against its model (default 200)"
    )
    parser.addoption(
        "--rounds", type=int, default=3, help="rounds of kill and recovery in the crash tests (default 3)"
    )
    parser.addoption("--seed", type=int, default=1, help="the first seed of randomized tests (default 1)")
