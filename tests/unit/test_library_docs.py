"""The pages of the library say what is so: each names what its workflow takes, and its example runs as printed."""

import importlib
import inspect
import pkgutil
import re
import runpy
from pathlib import Path

import pytest

from deathless.workflows import WorkflowType, library

PAGES = Path(__file__).parents[2] / "docs/reference/library"
WORKFLOWS = {value.name: value for value in vars(library).values() if isinstance(value, WorkflowType)}
NAMES = sorted(WORKFLOWS)


def page_of(name):
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def module_of(name):
    return importlib.import_module(f"deathless.workflows.library.{name}")


def sent_by(name):
    """Return the signal classes that a module defines and its workflow does not await: those it sends."""
    from deathless import Signal

    module = module_of(name)
    return {
        value.__name__
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Signal) and value.__module__ == module.__name__
    } - {signal.__name__ for signal in WORKFLOWS[name].accepts}


def test_there_are_twelve_workflows_each_in_a_module_of_its_name():
    modules = {module.name for module in pkgutil.iter_modules(library.__path__)} - {"arguments", "notices"}
    assert len(NAMES) == 12
    assert modules == set(NAMES)
    for name in NAMES:
        assert getattr(module_of(name), name) is WORKFLOWS[name]


def test_what_the_library_exports_is_in_order_and_complete():
    assert library.__all__ == sorted(library.__all__)
    assert set(NAMES) <= set(library.__all__)
    for name in NAMES:
        assert {signal.__name__ for signal in WORKFLOWS[name].accepts} | sent_by(name) <= set(library.__all__)


def test_each_workflow_has_a_page_and_each_page_a_workflow_and_a_line_in_the_index():
    assert {page.stem for page in PAGES.glob("*.md")} == {*NAMES, "README"}
    listed = re.findall(r"^\| \[`(\w+)`\]\((\w+)\.md\)", page_of("README"), re.M)
    assert listed == [(name, name) for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_names_each_signal_with_its_fields_and_each_parameter_in_a_table(name):
    rows = [line for line in page_of(name).splitlines() if line.startswith("|")]
    first_cells = " ".join(row.split("|")[1] for row in rows)
    classes = {signal.__name__: signal for signal in WORKFLOWS[name].accepts}
    for signal in {*classes, *sent_by(name)}:
        row = next((row for row in rows if row.startswith(f"| `{signal}` ")), "")
        assert row, f"no row of {signal}"
        for field in getattr(library, signal).field_names:
            assert f"`{field}`" in row, f"{field} of {signal}"
    _, *parameters = inspect.signature(WORKFLOWS[name].program.original).parameters
    for parameter in parameters:
        assert f"`{parameter}`" in first_cells, parameter


@pytest.mark.parametrize("name", NAMES)
def test_a_page_names_each_key_of_the_result(name):
    annotation = inspect.signature(WORKFLOWS[name].program.original).return_annotation
    page = page_of(name)
    assert f"`{annotation}`" in page
    for key in getattr(library, annotation).__annotations__:
        assert f"`{key}`" in page.split("## Result")[1], key


@pytest.mark.parametrize("name", NAMES)
def test_the_drawn_states_and_signals_are_those_of_the_diagram_in_the_source(name):
    (drawn,) = blocks(page_of(name), "mermaid")
    first, *lines = drawn.splitlines()
    assert first == "stateDiagram-v2"
    text = module_of(name).__doc__
    aliases = dict(re.findall(r'state "([^"]+)" as (\w+)', drawn))
    states = set(re.findall(r"^ +(\w+) -->", drawn, re.M)) - set(aliases.values())
    for state in states | set(aliases):
        assert re.search(rf"\b{state}\b", text), state
    for signal in {each.__name__ for each in WORKFLOWS[name].accepts} | sent_by(name):
        assert re.search(rf"\b{signal}\b", drawn), f"{signal} is not drawn"
        assert re.search(rf"\b{signal}\b", text), f"{signal} is not in the docstring"
    for line in lines:
        # What the mermaid grammar takes: no second colon and no semicolon in a label.
        assert re.fullmatch(r' +(state "[^"]+" as \w+|(\w+|\[\*\]) --> (\w+|\[\*\])(: [^:;]+)?)', line), line


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_page_prints_what_it_says(name, tmp_path, monkeypatch, capsys):
    (source,) = blocks(page_of(name), "python")
    expected = re.findall(r"^ *print\(.*\)  # (.*)$", source, re.M)
    assert expected
    assert "clock=GameClock()" in source
    script = tmp_path / f"example_of_{name}.py"
    script.write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name=script.stem)
    printed = [line for line in capsys.readouterr().out.splitlines() if "[info " not in line]
    assert printed == expected
