"""What the documents say is so: the README's example runs, and tests that pages name exist."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_readme_runs_as_written(tmp_path):
    (source,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    script = tmp_path / "example.py"
    script.write_text(source, encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3"


def test_the_guarantees_name_tests_that_exist():
    page = (ROOT / "docs/explanation/guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:unit|property|crash)/[\w/]+(?:\.py)?/?)(?:::(\w+))?`", page)
    assert len(named) > 20
    for path, test in named:
        assert (ROOT / "tests" / path).exists(), path
        if test:
            assert f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), test


def test_links_between_documents_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
