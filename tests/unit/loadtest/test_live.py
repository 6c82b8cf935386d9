"""What is shown while a run goes on."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from deathless.tools.loadtest import live
from deathless.tools.loadtest.frames import Frame, Late
from deathless.tools.loadtest.inputs import Known
from deathless.tools.loadtest.measures import MOST_SAMPLES, Kill, Measures, merged
from deathless.tools.loadtest.outcome import Phase, Progress
from deathless.tools.loadtest.scenario_file import read_scenario


def frame(**changes):
    values = {
        "now_s": 1.0, "elapsed_s": 0.004, "commit_s": 0.001, "steps": 50, "timers": 3, "carried_over": 0, "live": 1234,
        "failed": 0, "acknowledged": [], "refused": [], "late": [Late(0.007, missed=False)], "memory_b": 30_000_000,
        "world_b": 2_000_000,
    }  # fmt: skip
    return Frame(**{**values, **changes})


@pytest.fixture
def measures():
    made = Measures()
    made.loading(on=True)
    for _ in range(60):
        made.take_frame(frame())
    for _ in range(100):
        made.take_acknowledged(0.010, start=False, killed=False)
    made.take_kill(Kill(0.5, 0.25, 0.05, 1000, 7))
    made.end_sample(1.0)
    return made


def test_a_frame_goes_through_the_pipe_unchanged():
    sent = frame(acknowledged=[Known(3, 7)], refused=[4])
    packed = sent.packed()
    assert (
        Frame.unpacked([list(map(list, item)) if at in (8, 10) else item for at, item in enumerate(packed)])
        == sent
    )


def test_a_second_is_summed_up(measures):
    (sample,) = measures.samples
    assert (sample.steps_per_s, sample.inputs_per_s, sample.frames_per_s) == (3000.0, 100.0, 60.0)
    assert sample.frame_max_ms == pytest.approx(4.0)
    assert sample.latency_p50_ms == pytest.approx(10.0, rel=0.03)
    assert (sample.live, sample.memory_mb, sample.world_mb) == (1234, 30.0, 2.0)
    assert measures.load.steps == 3000


def test_what_comes_outside_of_the_load_is_not_counted_in_it(measures):
    measures.loading(on=False)
    measures.take_frame(frame(elapsed_s=9.0))
    assert measures.end_sample(2.0).frame_max_ms is None
    assert measures.load.frames == 60
    assert measures.frame.worst_s == 0.004


def test_what_a_kill_came_between_is_counted_apart(measures):
    measures.take_acknowledged(0.9, start=True, killed=True)
    measures.take_frame(frame(late=[Late(0.8, missed=True)]))
    measures.take_frame(frame(elapsed_s=0.2), killed=True)
    measures.end_sample(2.0)
    assert (measures.latency.worst_s, measures.frame.worst_s) == (0.010, 0.004)
    assert (measures.frame_kills.count, measures.latency_kills.count, measures.lateness_kills.count) == (
        1,
        1,
        2,
    )


def test_failures_of_lives_before_a_kill_are_remembered(measures):
    measures.take_frame(frame(failed=3))
    measures.take_kill(Kill(1.5, 0.2, 0.1, 10, 0))
    measures.take_frame(frame(failed=1))
    assert measures.failed == 4


def test_samples_are_bounded_and_merged_two_by_two():
    made = Measures()
    for number in range(3 * MOST_SAMPLES):
        made.take_frame(frame(steps=number))
        made.end_sample(float(number + 1))
        assert len(made.samples) <= MOST_SAMPLES
    assert made.period_s > 1.0
    assert made.samples[-1].at_s == 3 * MOST_SAMPLES
    assert merged(made.samples[0]) is made.samples[0]


def test_the_table_shows_what_is_measured(measures):
    shown = io.StringIO()
    drawn = live.drawn(read_scenario("village", {}), Progress(Phase.LOAD, 0.5, 16.0), measures)
    Console(file=shown, width=live.WIDTH).print(drawn)
    for text in (
        "A village, 16 s",
        "3,000",
        "1,234",
        "10.0/10.0",
        "under load, 15 s to go",
        "last recovery s",
        "0.25",
    ):
        assert text in shown.getvalue(), text


def test_the_line_shows_the_same(measures):
    text = live.line(Progress(Phase.LOAD, 0.5, 16.0), measures)
    assert text.startswith("   16.0 s  under load 50%: steps/s 3,000, ")
    assert "signal to commit p50/p99 ms 10.0/10.0" in text
    assert live.line(Progress(Phase.CHECKING, None, 31.0), measures).endswith(
        "checking the world against the ledger"
    )


@pytest.mark.parametrize(
    ("plain", "terminal", "drawn"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_a_live_table_is_for_terminals_and_lines_are_for_the_rest(
    plain, terminal, drawn, measures, monkeypatch
):
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("sys.stderr", shown)
    with live.watching(read_scenario("village", {}), plain=plain, quiet=False) as watch:
        watch(Progress(Phase.LOAD, 0.5, 16.0), measures)
    assert ("under load" in shown.getvalue()) is True
    assert ("╭" in shown.getvalue()) is drawn


def test_nothing_is_shown_to_a_script(measures, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    with live.watching(read_scenario("village", {}), plain=False, quiet=True) as watch:
        watch(Progress(Phase.LOAD, 0.5, 16.0), measures)
    assert shown.getvalue() == ""


def test_it_is_not_shown_more_often_than_anybody_reads(measures, monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: clock.now))
    seen = []
    watch = live._seldom(1.0, lambda progress, _measures: seen.append(progress))
    for elapsed in range(10):
        watch(Progress(Phase.LOAD, None, elapsed), measures)
    clock.now += 1.0
    watch(Progress(Phase.LOAD, None, 11), measures)
    watch(Progress(Phase.CHECKING, None, 12), measures)
    assert [progress.elapsed_s for progress in seen] == [0, 11, 12]
