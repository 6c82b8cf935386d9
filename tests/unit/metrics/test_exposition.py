"""What a world tells Prometheus, read back by the parser of prometheus_client."""

import threading
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from deathless import NotAWorldError
from deathless.tools.metrics import exposition, serve_metrics
from deathless.tools.metrics.collector import WorldCollector
from deathless.tools.metrics.families import FAMILIES, UP
from deathless.tools.metrics.picture import Picture, SavedWorld


def parsed(told):
    """Return {name: {labels: value}} of all samples."""
    found = {}
    for family in text_string_to_metric_families(told.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def alone(found, name):
    ((labels, value),) = found[name].items()
    assert labels == ()
    return value


def test_the_metrics_of_the_guide_are_told(world):
    found = parsed(exposition(world))
    workflows = found["deathless_workflows"]
    active = sum(value for labels, value in workflows.items() if ("status", "Suspended") in labels)
    failed = sum(value for labels, value in workflows.items() if ("status", "Failed") in labels)
    sleepers = sum(value for labels, value in workflows.items() if ("type", "sleeper") in labels)
    assert (active, failed, sleepers) == (3, 1, 3)
    assert alone(found, "deathless_timers_pending") == 2


def test_an_open_world_tells_every_metric(world):
    found = parsed(exposition(world))
    for family in FAMILIES:
        name = family.full_name + ("_count" if family.kind == "histogram" else "")
        assert name in found, family.name
    assert alone(found, UP) == 1


def test_counters_and_histograms_are_those_of_the_runtime(world):
    found, metrics = parsed(exposition(world)), world.metrics()
    assert alone(found, "deathless_steps_total") == metrics.steps
    assert alone(found, "deathless_turns_total") == metrics.turns
    assert found["deathless_workflows_ended_total"][(("status", "Completed"),)] == 1
    assert found["deathless_inputs_accepted_total"][(("kind", "start"),)] == 5
    assert alone(found, "deathless_step_seconds_count") == metrics.step_s.count
    assert alone(found, "deathless_step_seconds_sum") == pytest.approx(metrics.step_s.total)
    buckets = [value for _, value in found["deathless_step_seconds_bucket"].items()]
    assert buckets == sorted(buckets)
    assert found["deathless_step_seconds_bucket"][(("le", "+Inf"),)] == metrics.step_s.count


def test_turn_and_time_are_those_of_the_last_turn_however_old_the_count_is(world, monkeypatch):
    monkeypatch.setattr("deathless.runtime.census.SHARE", 1e-9)
    exposition(world)
    world.advance(2.0)
    found = parsed(exposition(world))
    assert alone(found, "deathless_turn") == world.metrics().turn
    assert alone(found, "deathless_world_time_seconds") == 3.0


def test_a_saved_world_tells_what_its_file_knows(saved):
    found = parsed(exposition(saved))
    for family in FAMILIES:
        assert (family.full_name in found) == (not family.inside), family.name
    assert alone(found, "deathless_timers_pending") == 2
    assert alone(found, "deathless_running") == 0
    assert found["deathless_table_bytes"][(("table", "workflow"),)] > 0


def test_a_world_that_cannot_be_read_is_not_up(tmp_path):
    assert parsed(exposition(tmp_path / "nowhere")) == {UP: {(): 0.0}}


def test_labels_with_quotes_and_lines_are_told_as_they_are(world):
    class Odd:
        def picture(self):
            return Picture(1, 1.0, world.census(), 1, 0, 1, {'a"b\\c\nd': 7}, 0.0, running=True, metrics=None)

    registry = CollectorRegistry()
    registry.register(WorldCollector(Odd()))
    found = parsed(generate_latest(registry))
    assert found["deathless_table_bytes"] == {(("table", 'a"b\\c\nd'),): 7}


def test_a_game_serves_its_metrics_and_ends(world):
    before = threading.active_count()
    with serve_metrics(world, 0) as port:
        first = read(port)
        world.advance(1.0)
        second = read(port)
    assert alone(second, "deathless_turns_total") == alone(first, "deathless_turns_total") + 1
    assert threading.active_count() == before
    with pytest.raises(OSError):
        read(port)


def test_a_scrape_of_a_busy_world_never_sees_less_than_the_one_before(world):
    stop = threading.Event()

    def scrape():
        while not stop.is_set():
            steps.append(alone(parsed(exposition(world)), "deathless_turns_total"))

    steps = []
    thread = threading.Thread(target=scrape)
    thread.start()
    while len(steps) < 20 and thread.is_alive():
        world.advance(0.01)
    stop.set()
    thread.join()
    assert len(steps) >= 20
    assert steps == sorted(steps)


def read(port):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return parsed(answer.read())


def test_a_picture_of_no_world_is_refused(tmp_path):
    with pytest.raises(NotAWorldError):
        SavedWorld(tmp_path / "nowhere").picture()
