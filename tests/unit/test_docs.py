"""What the documents say is so: the README's example runs, and tests that pages name exist."""

import re
import subprocess
import sys
from pathlib import Path

from deathless import ActivityContext, Context, Runtime, Table, activity, reducer, workflow
from deathless.runtime.history import step_index
from deathless.runtime.storage.world_format import FORMAT_VERSION

ROOT = Path(__file__).parents[2]

notes = Table("note", key=int, value=str)


@activity
def ring(ctx: ActivityContext) -> None:
    pass


@reducer
def write_down(ctx, number, text):
    ctx.table(notes)[number] = text


@workflow(history=1)
async def tolling(ctx: Context) -> None:
    await ctx.sleep(1.0)


@workflow
async def ringing(ctx: Context) -> None:
    ctx.call(write_down, 1, "rung")
    await ctx.run(ring())


def test_the_example_of_the_readme_runs_as_written(tmp_path):
    (source,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    script = tmp_path / "example.py"
    script.write_text(source, encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3"


def test_every_promise_names_tests_that_exist():
    page = (ROOT / "docs/explanation/guarantees.md").read_text(encoding="utf-8")
    promises = [line for line in page.splitlines() if re.match(r"\| (?!promise|-|durability|`)", line)]
    assert len(promises) > 50
    for promise in promises:
        named = re.findall(r"`((?:unit|property|crash)/[\w/]+(?:\.py)?/?)(?:::(\w+))?`", promise)
        assert named, promise
        for path, test in named:
            assert (ROOT / "tests" / path).exists(), path
            if test:
                text = (ROOT / "tests" / path).read_text(encoding="utf-8")
                assert re.search(rf"^def {test}\(", text, re.M), test


def test_each_of_the_ten_promises_has_a_section():
    page = (ROOT / "docs/explanation/guarantees.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d+)\. ", page, re.M) == [str(number) for number in range(1, 11)]


def anchors_of(page):
    """Return what its headings are called in links, as GitHub makes it of them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_between_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                place = page.parent / target if target else page
                assert place.exists(), f"{page.name}: {target}"
                assert not anchor or anchor in anchors_of(place), f"{page.name}: {target}#{anchor}"


def test_the_index_lists_every_page():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    listed = {(ROOT / "docs" / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)", index)}
    pages = {page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "library"}
    assert pages - {ROOT / "docs/README.md"} <= listed


def test_the_page_of_the_format_describes_every_table_of_a_world(tmp_path, monkeypatch):
    monkeypatch.setattr(step_index, "SEGMENT", 1)
    page = (ROOT / "docs/FORMAT.md").read_text(encoding="utf-8")
    assert f"Format version: **{FORMAT_VERSION}**" in page
    described = set(re.findall(r"^## Table `([^`]+)`", page, re.M))
    types = [ringing, tolling, ring, write_down, notes]
    with Runtime(tmp_path / "world", types, durability="process", history="all", audit=True) as world:
        world.start(tolling())
        world.start(ringing(), entity_id=1, correlation_id="bells", input_id="once")
        world.pump()
        world.cancel(entity_id=1)
        world.pump()
        tables = set(world._engine.store.stats().entries)
    # What a turn carries over is in table `turn`, which this world has not needed; and the log is no table of its own.
    assert {name.replace(":note", ":<name>") for name in tables} | {"turn", "log"} == described
