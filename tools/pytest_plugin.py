"""The pytest plugin: fixtures for tests of a game's own workflows. It is there wherever Deathless is installed.

    import pytest
    from game.npcs import Flee, guard

    pytestmark = pytest.mark.deathless(guard)

    def test_a_guard_comes_back(world):
        handle = world.start(guard(post=(3, 4)), entity_id=1)
        world.advance(30)
        world.crash()
        world.signal(Flee(), entity_id=1)
        world.advance(5)
        assert handle.result() == "fled"

    def test_a_crash_changes_nothing(crash_everywhere):
        crash_everywhere(scenario)

Beside them, each `.replay` file is a test where `deathless_replay_code` names the code to run it with.

Every pytest run of the environment loads this module, so it imports the rest only where a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from ..workflows.registry import Registered, Registry
    from .crash_search import CrashReport, Scenario
    from .testing import TestWorld

MARK = "deathless"
SEED_OPTION = "--deathless-seed"
REPLAY_CODE = "deathless_replay_code"
REPLAY_SUFFIX = ".replay"
PROGRESS_LINES = 10
"""Of a crash search with -v; with -vv there is one for each crash."""

NO_WORKFLOWS = """\
no workflows are named for this test's world. Name them in one of these ways:
  @pytest.mark.deathless(guard, patrol)             on the test or its class
  pytestmark = pytest.mark.deathless(guard)         in its module
  make_world(guard), crash_everywhere(..., guard)   in its body
  the fixture deathless_workflows, returning [guard, patrol], in conftest.py, for all tests"""

_WORLDS = pytest.StashKey["list[TestWorld]"]()
_REPLAYED = pytest.StashKey["Registry"]()


class MakeWorld(Protocol):
    """What the fixture `make_world` is."""

    def __call__(self, *workflows: Registered, **options: Any) -> TestWorld:
        """Make a world of its own for these workflows, or for those that the test names; see `TestWorld`."""
        ...


class CrashEverywhere(Protocol):
    """What the fixture `crash_everywhere` is."""

    def __call__(
        self,
        scenario: Scenario,
        *workflows: Registered,
        every: int = 1,
        at: int | None = None,
        **options: Any,
    ) -> CrashReport:
        """Require that a crash after any step of a scenario changes nothing; see `crash_search`."""
        ...


# -- fixtures --------------------------------------------------------------------------------------------------


@pytest.fixture
def deathless_workflows() -> Iterable[Registered]:
    """The workflows of every test's world, beside those that marks name: override it in conftest.py."""
    return ()


@pytest.fixture
def make_world(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    deathless_workflows: Iterable[Registered],
) -> Iterator[MakeWorld]:
    """A function that makes a `TestWorld`; it is closed after the test."""
    from .testing import TestWorld  # noqa: PLC0415 - see the module.

    worlds = request.node.stash[_WORLDS] = []
    ends = ExitStack()

    def make(*workflows: Registered, **options: Any) -> TestWorld:
        __tracebackhide__ = True
        chosen = _workflows(request.node, workflows, deathless_workflows)
        path = tmp_path_factory.mktemp("deathless") / "world.deathless"
        world = TestWorld(path, chosen, **_options(request.node, options))
        ends.callback(world.close)
        worlds.append(world)
        return world

    with ends:
        yield make


@pytest.fixture
def world(make_world: MakeWorld) -> TestWorld:
    """A `TestWorld` for the workflows that the test names."""
    return make_world()


@pytest.fixture
def crash_everywhere(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    deathless_workflows: Iterable[Registered],
) -> CrashEverywhere:
    """A function that runs a scenario with a crash after each of its steps, and requires the same outcome."""
    from .crash_search import crash_everywhere  # noqa: PLC0415 - see the module.

    def search(
        scenario: Scenario, *workflows: Registered, every: int = 1, at: int | None = None, **options: Any
    ) -> CrashReport:
        __tracebackhide__ = True
        chosen = _workflows(request.node, workflows, deathless_workflows)
        options = _options(request.node, options)
        request.node.add_report_section("call", "deathless", f"crash_everywhere with seed {options['seed']}")
        return crash_everywhere(
            scenario,
            chosen,
            directory=tmp_path_factory.mktemp("deathless"),
            every=every,
            at=at,
            progress=_progress(request.config),
            **options,
        )

    return search


def _workflows(
    node: pytest.Item, given: tuple[Registered, ...], everywhere: Iterable[Registered]
) -> list[Registered]:
    """Return the workflows given at the call, or else those of the marks and of the fixture, each once."""
    marked = [named for mark in node.iter_markers(MARK) for named in mark.args]
    chosen: list[Registered] = []
    for named in given or (*marked, *everywhere):
        if named not in chosen:
            chosen.append(named)
    if not chosen:
        pytest.fail(NO_WORKFLOWS, pytrace=False)
    return chosen


def _options(node: pytest.Item, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a world: those given at the call before those of the nearest mark."""
    options = {"seed": node.config.getoption(SEED_OPTION)}
    for mark in reversed(list(node.iter_markers(MARK))):
        options.update(mark.kwargs)
    return {**options, **given}


def _progress(config: pytest.Config) -> Callable[[int, int, str], None] | None:
    """Return what tells of the runs of a search; with -v only."""
    verbosity = config.get_verbosity()
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if verbosity < 1 or reporter is None:
        return None

    def tell(number: int, total: int, place: str) -> None:
        lines = min(total, PROGRESS_LINES)
        if verbosity == 1 and number * lines // total == (number - 1) * lines // total:
            return
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            reporter.ensure_newline()
            reporter.write_line(
                f"  crash {number} of {total}" + (f", after {place}" if verbosity > 1 else "")
            )

    return tell


# -- replay files ----------------------------------------------------------------------------------------------


class ReplayFile(pytest.File):
    """A replay file among the tests: one test."""

    def collect(self) -> Iterable[pytest.Item]:
        """Give the test."""
        yield ReplayItem.from_parent(self, name=self.path.stem)


class ReplayItem(pytest.Item):
    """The test that the steps of a replay file still come to what was recorded."""

    def runtest(self) -> None:
        """Run the steps again; what differs is the failure."""
        from .replay.replay_file import read_replay  # noqa: PLC0415 - see the module.
        from .replay.retest import require_same  # noqa: PLC0415

        require_same(read_replay(self.path), _replayed_code(self.config))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what differs in words; show the traceback only of what nobody expects."""
        from ..workflows.errors import DeathlessError  # noqa: PLC0415 - see the module.
        from .output import BadInput  # noqa: PLC0415
        from .replay.retest import ReplayDiffers  # noqa: PLC0415

        if isinstance(excinfo.value, (ReplayDiffers, BadInput, DeathlessError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the file, and the heading of a failure."""
        return self.path, None, f"replay {self.name}"


def _replayed_code(config: pytest.Config) -> Registry:
    """Return the code that replay files run, loaded once."""
    from .modules import load_registry  # noqa: PLC0415 - see the module.

    if _REPLAYED not in config.stash:
        names = config.getini(REPLAY_CODE)
        paths = [str(config.rootpath / name) if name.endswith(".py") else name for name in names]
        config.stash[_REPLAYED] = load_registry(paths)
    return config.stash[_REPLAYED]


# -- hooks -----------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the seed, and the setting for replay files."""
    parser.getgroup(MARK).addoption(
        SEED_OPTION,
        type=int,
        default=0,
        metavar="N",
        help="seed of the worlds of tests whose mark names none (default 0)",
    )
    parser.addini(
        REPLAY_CODE,
        type="args",
        help="modules, as dotted names or .py files, whose code .replay files are run with; without, none is a test",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ReplayFile | None:
    """Take replay files for tests, where the code to run them with is named."""
    if file_path.suffix != REPLAY_SUFFIX or not parent.config.getini(REPLAY_CODE):
        return None
    return ReplayFile.from_parent(parent, path=file_path)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(*workflows, seed=0, **options): the workflows of the test's `world`, and options of it",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed test's worlds beneath it."""
    report = yield
    if call.when == "call" and report.failed:
        for world in item.stash.get(_WORLDS, ()):
            try:
                text = world.describe()
            except Exception as error:  # noqa: BLE001 - what the test says itself must be seen, whatever this is.
                text = f"seed {world.seed}; the world cannot be read: {error!r}"
            report.sections.append(("deathless world", text))
    return report
