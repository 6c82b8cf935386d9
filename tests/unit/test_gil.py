"""The switch interval is short inside, and what it was before afterwards."""

import os
import sys
import threading

import pytest

from deathless.runtime.gil import SWITCH_S, short_switches


@pytest.fixture(autouse=True)
def interval():
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_the_interval_is_short_inside_only(interval):
    with short_switches():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    assert sys.getswitchinterval() == interval


@pytest.mark.parametrize("microseconds", [15, 19, 1000, 4999, 5000])
def test_the_interval_does_not_drift(microseconds):
    """CPython keeps whole microseconds and cuts: restored naively, 19 became 18, commit by commit down to nothing."""
    sys.setswitchinterval((microseconds + 0.5) * 1e-6)
    for _ in range(100):
        with short_switches():
            pass
    assert round(sys.getswitchinterval() * 1e6) == microseconds


def test_an_interval_that_is_shorter_already_stays():
    sys.setswitchinterval(5.5e-6)
    with short_switches():
        assert sys.getswitchinterval() == pytest.approx(5e-6)
    assert sys.getswitchinterval() == pytest.approx(5e-6)


def test_an_error_inside_restores_it(interval):
    with pytest.raises(KeyError), short_switches():
        raise KeyError
    assert sys.getswitchinterval() == interval


def test_overlapping_users_restore_it_once(interval):
    """The first to enter leaves first; the interval stays short until the second one leaves."""
    entered, leave = threading.Event(), threading.Event()

    def other():
        with short_switches():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with short_switches():
        thread.start()
        entered.wait()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    leave.set()
    thread.join()
    assert sys.getswitchinterval() == interval


def test_a_child_forked_inside_gets_it_back(interval):
    with short_switches():
        child = os.fork()
        if child == 0:
            os._exit(0 if sys.getswitchinterval() == interval else 1)
    assert os.waitpid(child, 0)[1] == 0
