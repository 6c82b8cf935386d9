"""Imports point one way: tools -> runtime -> actors -> workflows -> (stdlib, msgpack)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ["workflows", "actors", "runtime", "tools"]
ALLOWED = {
    "workflows": {"msgpack"},
    "actors": {"pykka"},
    "runtime": {"apsw", "lmdb", "msgpack", "structlog"},
    # pytest: the plugin alone, which nobody else loads. All of extras: plotly: the load test's page alone; textual:
    # `replay ui` and `top` alone; starlette and uvicorn: the endpoint of a running world alone; prometheus_client:
    # `metrics` alone.
    "tools": {
        *("click", "msgpack", "plotly", "prometheus_client", "pytest", "rich", "starlette", "structlog"),
        *("textual", "uvicorn"),
    },
}
# Pieces of the standard library that the pure heart does without: threads, clocks, files, processes.
IMPURE = {"threading", "asyncio", "time", "socket", "subprocess", "multiprocessing", "concurrent"}


def imports_of(path):
    """Yield (level, first name) for each import of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom):
            yield node.level, (node.module or "").split(".")[0]


STARTER = ROOT / "tools/starter/template"
"""A game beside the package, which imports `deathless` as any game does."""


def files():
    paths = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
    return [path for path in paths if not path.is_relative_to(STARTER)]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_imports_only_from_its_layer_and_below(path):
    parts = path.relative_to(ROOT).parts
    layer = parts[0]
    below = set(LAYERS[: LAYERS.index(layer)])
    for level, name in imports_of(path):
        if level == 0:
            assert name != "deathless", "inside the package imports are relative"
            assert name in sys.stdlib_module_names or name in ALLOWED[layer], (
                f"{layer} does not import {name}"
            )
            if layer == "workflows":
                assert name not in IMPURE, f"the pure heart does not import {name}"
        elif level > len(parts) - 1:
            # As many dots as lead out of the layer: another layer, or the root.
            assert level == len(parts), f"{path} imports from outside of the package"
            assert name in below or (layer == "tools" and name == ""), f"{layer} does not import {name}"


def test_the_root_only_re_exports():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        assert isinstance(node, ast.Expr | ast.ImportFrom | ast.Assign), ast.unparse(node)
