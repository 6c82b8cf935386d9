"""Scenarios: what is read, and what each error names."""

import dataclasses

import pytest

from deathless.tools.loadtest.scenario import scaled
from deathless.tools.loadtest.scenario_file import READY_MADE, read_scenario
from deathless.tools.loadtest.toml_lines import line_of
from deathless.tools.output import BadInput

SMALL = """\
title = "Small"
seconds = 5

[[workflows]]
type = "buff"
count = 10
arguments = { duration = { from = 1.0, to = 2.0 } }

[[workflows]]
name = "works"
type = "production"
count = 30
[workflows.arguments]
product = "axe"
inputs = { iron = 2 }
craft_time = 0.5

[signals]
per_second = 10

[[signals.mix]]
to = "buff"
signal = "Stack"
fields = { amount = 2 }

[thresholds]
p99_frame_ms = 8
"""


def read(tmp_path, text, **flags):
    path = tmp_path / "small.toml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(str(path), flags)


def problem_of(tmp_path, text, **flags):
    with pytest.raises(BadInput) as caught:
        read(tmp_path, text, **flags)
    assert "\n" not in caught.value.message
    return caught.value.message.removeprefix(f"{tmp_path / 'small.toml'}")


def test_a_scenario_is_read_whole(tmp_path):
    scenario = read(tmp_path, SMALL)
    assert (scenario.title, scenario.seconds, scenario.clock, scenario.durability) == (
        "Small",
        5.0,
        "real",
        "power",
    )
    assert [(entry.name, entry.type, entry.count) for entry in scenario.workflows] == [
        ("buff", "buff", 10),
        ("works", "production", 30),
    ]
    assert [(entry.to, entry.signal, entry.fields) for entry in scenario.signals] == [
        ("buff", "Stack", {"amount": 2})
    ]
    assert scenario.thresholds == {"p99_frame_ms": 8.0}


@pytest.mark.parametrize("name", READY_MADE)
def test_each_ready_made_scenario_reads(name):
    assert read_scenario(name, {}).count > 100


def test_without_a_name_there_is_a_default_mix():
    assert read_scenario(None, {}) == read_scenario("default", {})


@pytest.mark.parametrize(
    ("flag", "value", "field"),
    [
        ("seconds", 2.5, "seconds"),
        ("seed", 7, "seed"),
        ("clock", "virtual", "clock"),
        ("frame_rate", 30.0, "frame_rate"),
        ("durability", "process", "durability"),
        ("max_resident", 5, "max_resident"),
        ("kill_every", 3.0, "kill_every_s"),
    ],
)
def test_a_flag_overrides_the_scenario_and_nothing_else(tmp_path, flag, value, field):
    plain = read(tmp_path, SMALL)
    changed = read(tmp_path, SMALL, **{flag: value})
    assert getattr(changed, field) == value
    assert dataclasses.replace(changed, **{field: getattr(plain, field)}) == plain


def test_workflows_of_a_flag_keep_the_proportions(tmp_path):
    scenario = read(tmp_path, SMALL, workflows=1000)
    assert [entry.count for entry in scenario.workflows] == [250, 750]
    assert scaled([1, 1, 1], 100) == [34, 33, 33]
    assert scaled([0, 0], 5) == [5, 0]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("count = 10", "count = -3", ":6: workflows[0].count is a whole number from 0 to 10,000,000, not -3"),
        ("count = 10", "count = 1.5", ":6: workflows[0].count is a whole number from 0 to 10,000,000, not 1.5"),
        ("count = 30", "coutn = 30", ":12: workflows[1].coutn is not a key that is known here; is count meant?"),
        ("seconds = 5", "seconds = 0", ":2: seconds is a number from 0.1 to 604,800, not 0"),
        ("seconds = 5", "seconds = nan", ":2: seconds is a number from 0.1 to 604,800, not nan"),
        ("seconds = 5", 'history = "on"', ":2: history is 'off', 'all' or a whole number from 1 to 10,000, not 'on'"),
        ("seconds = 5", 'clock = "game"', ":2: clock is 'real' or 'virtual', not 'game'"),
        ("seconds = 5", "frame_rate = 0\nclock = 'virtual'", ":2: frame_rate is more than 0 with a virtual clock, "),
        ('type = "buff"', 'type = "bluff"', ":5: workflows[0].type names no workflow of the library: 'bluff'; "),
        ('type = "buff"', 'type = "json:loads"', ":5: workflows[0].type names no workflow: json has no @workflow "),
        ('type = "buff"', 'type = "no_such:x"', ":5: workflows[0].type cannot be had: no_such cannot be imported: "),
        ('type = "buff"', "", ":4: workflows[0] needs type"),
        ('name = "works"', 'name = "buff"', ":10: workflows[1].name is 'buff' a second time; "),
        ("duration =", "lasts =", ":7: workflows[0].arguments do not fit: "),
        ("from = 1.0", "from = 3.0", ":7: workflows[0].arguments do not fit: a range goes from a number to one that "),
        ("craft_time = 0.5", "craft_time = 07:32:00", ":13: workflows[1].arguments do not fit: "),
        ('to = "buff"', 'to = "axes"', ":22: signals.mix[0].to names no [[workflows]]: 'axes'; there are buff, works"),
        ('"Stack"', '"Deliver"', ":23: signals.mix[0].signal is no signal that buff takes: 'Deliver'; it takes "),
        ("amount = 2", "amount = 0", ":24: signals.mix[0].fields do not fit Stack: "),
        ("amount = 2", "amuont = 2", ":24: signals.mix[0].fields do not fit Stack: "),
        ("p99_frame_ms", "p99_frames_ms", ":27: thresholds.p99_frames_ms is not a key that is known here; "),
        ("p99_frame_ms = 8", "p99_frame_ms = -1", ":27: thresholds.p99_frame_ms is a number from 0 to "),
        ("[signals]\nper_second = 10", "[signals]\nper_second = -10", ":19: signals.per_second is a number from 0 to "),
        ("seconds = 5", "seconds == 5", ":2: "),
    ],
)  # fmt: skip
def test_an_error_names_line_key_and_value(tmp_path, old, new, problem):
    assert old in SMALL
    assert problem_of(tmp_path, SMALL.replace(old, new, 1)).startswith(problem)


def test_an_error_about_a_flag_names_the_flag(tmp_path):
    with pytest.raises(BadInput, match=r"^--seconds is a number from 0\.1 to 604,800, not -1\.0$"):
        read(tmp_path, SMALL, seconds=-1.0)
    with pytest.raises(BadInput, match=r"^--workflows is a whole number from 1 to 10,000,000, not 0$"):
        read(tmp_path, SMALL, workflows=0)
    with pytest.raises(BadInput, match=r"^--kill-every is a number from 0\.1 to 3,600, not 0\.0$"):
        read(tmp_path, SMALL, kill_every=0.0)


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    with pytest.raises(
        BadInput, match=r"no_such\.toml: there is no such file; ready-made scenarios are default, "
    ):
        read_scenario("no_such.toml", {})
    with pytest.raises(BadInput, match="cannot be read"):
        read_scenario(str(tmp_path), {})
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe4"')
    with pytest.raises(BadInput, match="not UTF-8 at byte 9; save the file as UTF-8"):
        read_scenario(str(tmp_path / "latin.toml"), {})


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path):
    assert read(tmp_path, "\ufeff" + SMALL).title == "Small"


def test_a_second_entry_of_a_type_needs_a_name(tmp_path):
    problem = problem_of(tmp_path, SMALL.replace('name = "works"\ntype = "production"', 'type = "buff"'))
    assert problem.startswith(":10: workflows[1].type is 'buff' a second time; give each")


@pytest.mark.parametrize(
    ("duration", "problem"),
    [
        ("{ from = 1, to = 99999999999999999999999 }", "99999999999999999999999 does not fit in 64 bits"),
        ("[" * 150 + "]" * 150, "it is nested more than 100 levels deep"),
        ('"' + "x" * 100_000 + '"', "over the limit of 65536"),
    ],
)
def test_arguments_that_no_world_would_take_are_an_error_of_the_scenario(tmp_path, duration, problem):
    text = SMALL.replace("{ from = 1.0, to = 2.0 }", duration)
    found = problem_of(tmp_path, text)
    assert found.startswith(":7: workflows[0].arguments do not fit: ")
    assert problem in found


def test_a_budget_of_a_frame_in_virtual_time_is_refused(tmp_path):
    text = "clock = 'virtual'\nframe_budget_ms = 4\n" + SMALL
    assert problem_of(tmp_path, text).startswith(":2: frame_budget_ms goes with a real clock only")


def test_a_mix_without_a_rate_is_refused(tmp_path):
    problem = problem_of(tmp_path, SMALL.replace("per_second = 10\n", ""))
    assert problem == ":18: signals needs per_second, without which nothing of [[signals.mix]] is sent"


def test_a_scenario_without_workflows_is_refused(tmp_path):
    assert problem_of(tmp_path, "seconds = 5") == ": needs at least one [[workflows]]"


def test_workflows_of_a_module_are_found_with_all_that_stands_beside_them(tmp_path, monkeypatch):
    (tmp_path / "own_game.py").write_text(
        "from deathless import Context, Signal, workflow\n"
        "class Nudge(Signal):\n    pass\n"
        "@workflow(name='the guard')\nasync def guard(ctx: Context, post: int) -> None:\n    await ctx.receive(Nudge)\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        '[[workflows]]\nname = "guard"\ntype = "own_game:guard"\ncount = 1\narguments = [3]\n'
        '[signals]\nper_second = 1\n[[signals.mix]]\nto = "guard"\nsignal = "Nudge"\n'
    )
    assert read(tmp_path, text).workflows[0].type == "own_game:guard"


def test_lines_are_found_past_comments_strings_and_nested_lists():
    text = '# a = 1\nb = """\na = 2\n"""\n[c.d]\n"e" = 1\n[[f]]\n[[f.g]]\nx = 1\n[[f]]\n[[f.g]]\nx = 2\n[f.h]\ny = 3\n'
    assert line_of(text, ("a",)) == 0
    assert line_of(text, ("b",)) == 2
    assert line_of(text, ("c", "d", "e")) == 6
    assert line_of(text, ("f", 0, "g", 0, "x")) == 9
    assert line_of(text, ("f", 1, "g", 0, "x")) == 12
    assert line_of(text, ("f", 1, "h", "y")) == 14
    assert line_of(text, ("f", 1, "h", "z")) == 13
