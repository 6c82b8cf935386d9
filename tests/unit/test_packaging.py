"""What a built wheel holds."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deathless.tools.starter.creation import IGNORED

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


def test_its_only_top_level_package_is_deathless(wheel):
    with zipfile.ZipFile(wheel) as files:
        top = {name.split("/")[0] for name in files.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"deathless"}


def test_every_module_of_the_package_ships_and_no_test_does(wheel):
    with zipfile.ZipFile(wheel) as files:
        shipped = {
            name for name in files.namelist() if name.startswith("deathless/") and name.endswith(".py")
        }
    folders = ("workflows", "actors", "runtime", "tools")
    wanted = {
        path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder).rglob("*.py")
    }
    assert shipped == {f"deathless/{name}" for name in wanted | {"__init__.py"}}


def test_the_ready_made_scenarios_ship(wheel):
    with zipfile.ZipFile(wheel) as files:
        shipped = {
            Path(name).stem
            for name in files.namelist()
            if name.startswith("deathless/tools/loadtest/scenarios/")
        }
    assert shipped == {"default", "village", "raid", "city", "million"}


def test_the_starter_game_ships_whole(wheel):
    template = ROOT / "tools/starter/template"
    with zipfile.ZipFile(wheel) as files:
        shipped = {
            name.removeprefix("deathless/tools/starter/template/")
            for name in files.namelist()
            if name.startswith("deathless/tools/starter/template/")
        }
    assert {"pyproject.toml", "README.md", "gitignore", "loadtest.toml"} < shipped
    paths = [path.relative_to(template) for path in template.rglob("*") if path.is_file()]
    # What running and linting it leaves behind in a checkout stays there.
    assert shipped == {path.as_posix() for path in paths if IGNORED.isdisjoint(path.parts)}


def test_the_starter_game_is_made_from_the_wheel_alone(wheel, tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from deathless.tools.starter import create_game\n"
        "print(create_game('night_watch'))"
    )
    command = [sys.executable, "-c", script, str(wheel)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "night_watch/night_watch/guard.py").is_file()
    assert (tmp_path / "night_watch/.gitignore").is_file()


def test_it_tells_type_checkers_that_it_is_typed(wheel):
    with zipfile.ZipFile(wheel) as files:
        assert "deathless/py.typed" in files.namelist()


def test_it_works_where_only_the_wheel_is(wheel, tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import deathless, deathless.tools.cli\n"
        "assert sys.argv[1] in deathless.__file__, deathless.__file__\n"
        "print(deathless.__version__)"
    )
    command = [sys.executable, "-c", script, str(wheel)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_dashboard_and_the_alert_rules_ship(wheel):
    with zipfile.ZipFile(wheel) as files:
        shipped = set(files.namelist())
    assert "deathless/tools/metrics/grafana/deathless.json" in shipped
    assert "deathless/tools/metrics/prometheus/alerts.yml" in shipped
