"""Type checkers see what the runtime would refuse: both accept the right uses, and both refuse each of the wrong ones."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests/typing"
ACCEPTED, REFUSED = FOLDER / "accepted.py", FOLDER / "refused.py"
MARK = re.compile(r"  # refused: ")


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def complaints(request):
    """Return what a checker says of both files: by file name, by line."""
    said = {"mypy": mypy, "pyright": pyright}[request.param]()
    found = {path.name: {} for path in (ACCEPTED, REFUSED)}
    for path, line, text in said:
        found.setdefault(Path(path).name, {}).setdefault(line, text)
    return found


def run(*command):
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )


def mypy():
    # By name: below the package's own `__init__.py` mypy takes files for modules of a package.
    done = run("mypy", "--no-error-summary", "--no-pretty", "-m", "accepted", "-m", "refused")
    assert done.returncode == 1, done.stdout + done.stderr
    for line in done.stdout.splitlines():
        path, number, text = re.fullmatch(r"(.+?):(\d+): (.*)", line).groups()
        if not text.startswith("note: "):
            yield path, int(number), text


def pyright():
    done = run("pyright", "--outputjson", str(ACCEPTED), str(REFUSED))
    assert done.returncode == 1, done.stdout + done.stderr
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        if each["severity"] == "error":
            yield each["file"], each["range"]["start"]["line"] + 1, each["message"]


def marked_lines():
    lines = REFUSED.read_text(encoding="utf-8").splitlines()
    return {number: line.strip() for number, line in enumerate(lines, 1) if MARK.search(line)}


def test_right_uses_are_accepted(complaints):
    assert complaints["accepted.py"] == {}


def test_each_wrong_use_is_refused(complaints):
    missed = marked_lines().keys() - complaints["refused.py"].keys()
    assert not missed, "\n".join(f"{number}: {marked_lines()[number]}" for number in sorted(missed))


def test_nothing_but_the_wrong_uses_is_refused(complaints):
    others = complaints["refused.py"].keys() - marked_lines().keys()
    assert not others, "\n".join(f"{number}: {complaints['refused.py'][number]}" for number in sorted(others))


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_examples_of_the_reference_are_accepted(checker, tmp_path):
    for page in (ROOT / "docs/reference").glob("*.md"):
        source = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
        if source:
            script = tmp_path / f"{page.stem.replace('-', '_')}_page.py"
            script.write_text("\n\n".join(source), encoding="utf-8")
    done = run(checker, *map(str, tmp_path.glob("*.py")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_many_wrong_uses():
    assert len(marked_lines()) > 100


def test_what_is_accepted_is_also_what_python_loads():
    assert "raid" in runpy.run_path(str(ACCEPTED))


def test_make_lint_covers_each_example():
    (line,) = re.findall(r"^EXAMPLES := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    programs = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert programs
    assert programs <= set(re.findall(r"-m (\S+)", line))
