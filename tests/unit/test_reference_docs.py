"""The pages of the reference and the tutorial say what is so: their examples run as printed, and name all there is."""

import inspect
import re
import runpy
from pathlib import Path

import pytest

from deathless import Context, Handle, Limits, Runtime

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["signals", "timers", "children", "activities", "reducers-and-tables", "failure", "runtime", "audit"]


def text_of(name):
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def public_names(cls):
    return {name for name in dir(cls) if not name.startswith("_")}


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_a_page_are_one_program_that_prints_what_it_says(name, tmp_path, monkeypatch):
    source = "\n\n".join(blocks(text_of(f"reference/{name}"), "python"))
    expected = re.findall(r"^ *print\(.*\)  # (.*)$", source, re.M)
    assert expected
    script = tmp_path / f"{name.replace('-', '_')}_page.py"
    script.write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    # Its own prints alone: what the world logs is none of them.
    printed = []
    names = {"print": lambda *values: printed.append(" ".join(map(str, values)))}
    runpy.run_path(str(script), names, run_name=script.stem)
    assert printed == expected


def test_the_page_of_the_runtime_names_every_call_and_every_argument_of_opening_one():
    page = text_of("reference/runtime")
    first_cells = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    for name in public_names(Runtime) - {"replay_turn"} | (public_names(Handle) - {"turn"}):
        assert re.search(rf"`{name}\b", first_cells), name
    _, *options = inspect.signature(Runtime).parameters
    for name in options:
        assert re.search(rf"`{name}\b", first_cells), name


def test_every_primitive_of_a_workflow_is_on_a_page_of_the_reference():
    everything = "".join(text_of(f"reference/{name}") for name in [*PAGES, "workflows"])
    for name in public_names(Context) - {"draws", "label", "live"}:
        assert re.search(rf"\bctx\.{name}\b", everything), name


def test_every_limit_is_on_a_page_of_the_reference():
    page = text_of("reference/runtime")
    for name in inspect.signature(Limits).parameters:
        assert f"`{name}`" in page, name
