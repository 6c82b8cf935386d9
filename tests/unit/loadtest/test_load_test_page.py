"""The how-to page says what is so."""

import re
from pathlib import Path

import pytest

from deathless.tools.commands.loadtest import command
from deathless.tools.loadtest.report import SCHEMA
from deathless.tools.loadtest.scenario_file import _KEYS, READY_MADE, read_scenario
from deathless.tools.loadtest.thresholds import NAMES

PAGE = (Path(__file__).parents[3] / "docs/how-to/load-test.md").read_text(encoding="utf-8")


def test_its_scenario_can_be_run(tmp_path):
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (tmp_path / "my-game.toml").write_text(text, encoding="utf-8")
    scenario = read_scenario(str(tmp_path / "my-game.toml"), {})
    assert (scenario.count, scenario.kill_every_s) == (820, 5.0)


@pytest.mark.parametrize("key", _KEYS)
def test_it_names_every_key_of_a_scenario(key):
    assert re.search(rf"^\| `{key}[`.\[]", PAGE, re.M)


def test_it_names_every_flag():
    flags = {flag for option in command.params for flag in option.opts if flag.startswith("--")}
    assert len(flags) == 12
    assert all(flag in PAGE for flag in flags)


def test_it_names_every_ready_made_scenario():
    assert all(f"| `{name}` |" in PAGE for name in READY_MADE if name != "default")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_it_names_every_threshold(name):
    found = re.fullmatch(r"(p\d\d_|max_)((?:frame|commit|latency|lateness)_ms)", name)
    assert all(f"`{part}`" in PAGE for part in (found.groups() if found else [name]))


def test_it_names_every_key_of_the_report(loadtest, scenario):
    _, report, _ = loadtest(scenario())
    assert report["schema"] == SCHEMA == 1
    assert all(f"`{key}`" in PAGE for key in report)
