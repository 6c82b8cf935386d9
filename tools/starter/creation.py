"""`create_game`: copy the starter game under a name of its own.

The template is a game that runs as it stands, called `starter_game`; linters and its own tests see it so. A copy
differs in that name alone. It is made in a folder beside the place and moved there whole, so that nothing half-made
is left whatever happens.
"""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import sys
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from ..output import BadInput

TEMPLATE = "template"
TEMPLATE_NAME = "starter_game"
RENAMED = {"gitignore": ".gitignore"}
"""In the checkout under another name, where git would heed it."""
IGNORED = {"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
MAX_NAME = 30
"""Characters of a name. Windows has some 250 for a path; and lines of the template that name it stay in bounds."""
TESTS = "tests"
DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
"""What Windows takes for a device, whatever folder it is in."""


def create_game(name: str, into: str | os.PathLike[str] = ".") -> Path:
    """Make a small game that runs and tests at once, and return its folder.

    Args:
        name: of the package, of its folder, and of the folder around both.
        into: the folder to make it in.

    Raises:
        BadInput: the name cannot be a package's, `into` is no folder, or something is at that place already.
        OSError: it cannot be written there.
    """
    _require_name(name)
    around = Path(into)
    if not around.is_dir():
        raise BadInput(f"{around}: there is no such directory; make it first, or name another with --into")
    place = around / name
    _require_free(place)
    template = resources.files(__name__.rpartition(".")[0]) / TEMPLATE
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=around) as scratch:
        made = Path(scratch) / name
        _copy(template, made, name)
        if place.exists():
            # An empty one, which Windows would not put another in place of.
            place.rmdir()
        made.rename(place)
    return place


def _require_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?", name) or len(name) > MAX_NAME:
        raise BadInput(
            f"{name!r} cannot be the name of a Python package here: it takes up to {MAX_NAME} letters, digits and "
            f"_, a letter first and no _ last; try {_similar(name)!r}"
        )
    why = None
    if name.lower() == TESTS:
        why = "its tests are in a folder of that name"
    elif name.lower() in {known.lower() for known in sys.stdlib_module_names}:
        why = "a module of Python's own has that name"
    elif keyword.iskeyword(name) or keyword.issoftkeyword(name):
        why = "it is a word of the language"
    elif DEVICE.fullmatch(name):
        why = "Windows has a device of that name"
    elif _is_installed(name):
        why = "a package of that name is installed here, and one would hide the other"
    if why is not None:
        raise BadInput(f"{name!r} cannot be the name of the game: {why}; try {name.lower() + '_game'!r}")


def _is_installed(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    # A folder without code, here or anywhere on the path, is found too, but without an origin.
    return spec is not None and spec.origin is not None


def _similar(name: str) -> str:
    """Return a name that will do, made of what was given."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_0123456789")[:MAX_NAME]
    return words.lower().rstrip("_") or "my_game"


def _require_free(place: Path) -> None:
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise BadInput(f"{place} exists and is no directory; take another name, or move it away")
    if place.is_dir() and any(place.iterdir()):
        raise BadInput(f"{place} exists and is not empty; take another name, or move it away")


def _copy(source: Traversable, target: Path, name: str) -> None:
    """Copy a folder or a file of the template with the game's name in place of its own."""
    if source.is_file():
        text = source.read_text(encoding="utf-8").replace(TEMPLATE_NAME, name)
        target.write_text(text, encoding="utf-8", newline="\n")
        return
    target.mkdir()
    for each in source.iterdir():
        if each.name not in IGNORED:
            copied = RENAMED.get(each.name, each.name).replace(TEMPLATE_NAME, name)
            _copy(each, target / copied, name)
