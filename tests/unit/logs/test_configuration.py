"""Setting the log up: what is written where, how it rotates, and that it stops nothing."""

import json
import logging
import re
from pathlib import Path

import pytest
import structlog

from deathless.tools.logs import configure_log, log_path, read_log
from deathless.tools.logs.configuration import _json
from deathless.tools.logs.log_files import log_files


def events(directory):
    return [line.fields["event"] for line in read_log(directory)]


def test_lines_go_to_the_file_as_json_with_time_and_level(configured, tmp_path):
    configured()
    structlog.get_logger("game").info("orc_seen", entity_id=7, name="Grüße", odd={1, 1})
    (text,) = log_path(tmp_path).read_text(encoding="utf-8").splitlines()
    fields = json.loads(text)
    assert fields.pop("timestamp").endswith("Z")
    assert fields == {"event": "orc_seen", "entity_id": 7, "name": "Grüße", "odd": "{1}", "level": "info"}


def test_what_the_standard_library_logs_is_there_too(configured, tmp_path):
    configured()
    logging.getLogger("somebody").warning("look out, %s", "orc")
    (line,) = read_log(tmp_path)
    assert (line.fields["event"], line.fields["level"]) == ("look out, orc", "warning")


def test_a_traceback_is_a_part_of_its_line(configured, tmp_path):
    configured()
    try:
        raise ValueError("no such orc")
    except ValueError:
        structlog.get_logger().exception("search_failed")
    (line,) = read_log(tmp_path)
    assert "ValueError: no such orc" in line.fields["exception"]


def test_what_has_no_form_in_utf_8_is_escaped(configured, tmp_path):
    configured()
    structlog.get_logger().info("odd_name", name="a\ud800b")
    (line,) = read_log(tmp_path)
    assert line.fields["name"] == "a\ud800b"


@pytest.mark.parametrize(("level", "wanted"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_a_level_keeps_out_what_is_below_it(configured, tmp_path, level, wanted):
    configured(level=level)
    log = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)("said")
    assert len(events(tmp_path)) == wanted


def test_standard_error_gets_lines_for_people_or_json(configured, tmp_path, capsys):
    configured(format="console", file=False)()
    configured(format="console", file=False)
    structlog.get_logger().info("orc_seen", entity_id=7)
    said = capsys.readouterr()
    assert said.out == ""
    assert "orc_seen" in said.err
    assert "entity_id=7" in said.err
    assert not log_path(tmp_path).parent.exists()


def test_standard_error_gets_json_where_it_is_asked_for(configured, capsys):
    configured(format="json", file=False)
    structlog.get_logger().info("orc_seen", entity_id=7)
    assert json.loads(capsys.readouterr().err)["entity_id"] == 7


def test_a_full_file_is_put_aside_and_so_many_are_kept(configured, tmp_path):
    configured(max_bytes=1000, backups=3)
    log = structlog.get_logger()
    for number in range(100):
        log.info("counted", number=number)
    files = log_files(log_path(tmp_path))
    assert [file.name for file in files] == [
        "deathless.jsonl.3",
        "deathless.jsonl.2",
        "deathless.jsonl.1",
        "deathless.jsonl",
    ]
    assert all(file.stat().st_size <= 1000 for file in files)
    numbers = [line.fields["number"] for line in read_log(tmp_path)]
    assert numbers == list(range(numbers[0], 100))


def test_a_file_that_cannot_be_put_aside_grows_and_the_older_ones_stay(configured, tmp_path, monkeypatch):
    """As on Windows, while somebody has it open."""
    configured(max_bytes=1000, backups=3)
    log = structlog.get_logger()
    for number in range(20):
        log.info("counted", number=number)
    before = [file.name for file in log_files(log_path(tmp_path))]

    def refuse(*_):
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", refuse)
        for number in range(20, 60):
            log.info("counted", number=number)
    assert [file.name for file in log_files(log_path(tmp_path))] == before
    assert log_path(tmp_path).stat().st_size > 1000
    log.info("counted", number=60)
    assert [line.fields["number"] for line in read_log(tmp_path)][-41:] == list(range(20, 61))
    assert log_path(tmp_path).stat().st_size < 1000


def test_a_line_that_cannot_be_written_stops_nothing(configured, tmp_path, capsys):
    configured()
    log_path(tmp_path).mkdir()
    structlog.get_logger().info("lost")
    assert capsys.readouterr() == ("", "")


def test_the_example_of_the_page_writes_a_log(tmp_path, monkeypatch):
    page = (Path(__file__).parents[3] / "docs/how-to/logs.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", page, re.S)
    monkeypatch.chdir(tmp_path)
    exec(source, {})
    assert events("my-world")[-1] == "world_closed"
    assert not structlog.is_configured()


def test_ending_it_leaves_everything_as_it_was(tmp_path):
    before = logging.getLogger().handlers[:], logging.getLogger().level
    end = configure_log(tmp_path, level="debug")
    assert structlog.is_configured()
    end()
    assert not structlog.is_configured()
    assert (logging.getLogger().handlers, logging.getLogger().level) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "xml"}, "format is 'console', 'json' or None, not 'xml'"),
        ({"level": "loud"}, "level is one of debug, info, warning, error, critical, not 'loud'"),
        ({"max_bytes": 0}, "max_bytes is a whole number from 1 up, not 0"),
        ({"backups": 0}, "backups is a whole number from 1 up, not 0"),
    ],
)
def test_options_out_of_range_are_refused_before_anything_is_set_up(tmp_path, options, said):
    with pytest.raises(ValueError) as caught:
        configure_log(tmp_path / "world", **options)
    assert str(caught.value) == said
    assert not structlog.is_configured()
    assert not (tmp_path / "world").exists()


def test_a_line_with_a_value_that_json_has_no_form_for_is_written(configured, tmp_path):
    configured()
    endless = []
    endless.append(endless)
    for value, shown in (({(1, 2): "rock"}, "{(1, 2): 'rock'}"), (endless, "[[...]]")):
        structlog.get_logger().info("odd", value=value, workflow_id=7)
        last = list(read_log(tmp_path))[-1].fields
        assert (last["event"], last["workflow_id"]) == ("odd", 7)
        assert last["value"] == shown
    # Not logged: what shows the logs of tests cannot write such a number.
    assert json.loads(_json({"value": 10**5000, "workflow_id": 7}))["workflow_id"] == 7
