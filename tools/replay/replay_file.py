"""Replay files: the recorded steps of one workflow in one file, to attach to a bug report or to keep as a test.

A file is lines of JSON: a head, the descriptions of code that the rows refer to, the steps, and an end with a hash of
what stands before it, so that a file that was cut off or edited is known. Lines rather than one msgpack value, because
such a file leaves the house: who attaches it sees first what is in it, trackers and mail take it as text, and two of
them in a repository differ by lines. Rows, and payloads of messages, are msgpack all the same, in base64: to look into
those, make a world of the file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from ... import __version__
from ...runtime.history.steps import StepRecord
from ...workflows import rows
from ...workflows.limits import Limits
from ..output import BadInput
from .saved_world import Step

KIND = "replay"
FORMAT = 1
SUFFIX = ".replay"
_BYTES = "base64"
"""Stands in for bytes: an object of this one name."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The recorded steps of a workflow, and what it takes to run them again.

    Attributes:
        workflow_id, type: of the workflow.
        seed, limits: of the world; limits are None where they are not known.
        next_id: the workflow id from which on the world had handed out none.
        codes: the descriptions of code that the rows refer to, by number.
        steps: in their order, numbered from 1.
        version, python: of Deathless and of Python, by which it was written.
    """

    workflow_id: int
    type: str
    seed: int
    limits: Limits | None
    next_id: int
    codes: dict[int, dict[str, Any]]
    steps: tuple[Step, ...]
    version: str = field(default=__version__, compare=False)
    python: str = field(default_factory=platform.python_version, compare=False)

    @property
    def summary(self) -> str:
        """What it holds, in words."""
        steps = len(self.steps)
        return f"{steps:,} step{'' if steps == 1 else 's'} of workflow {self.workflow_id} ({self.type})"


def write_replay(replay: Replay, path: Path) -> None:
    """Write a file, where there is none.

    Raises:
        BadInput: there is one, or it cannot be written.
    """
    lines = [*_lines(replay)]
    lines.append(_dump({"sha256": _hash(lines)}))
    try:
        with path.open("xb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
    except FileExistsError:
        raise BadInput(f"{path} is there already; give another name, or remove it") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error


def read_replay(path: Path) -> Replay:
    """Read a file.

    Raises:
        BadInput: there is none; or it is of another program, of a newer format, cut off or damaged.
    """
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    # The way of Windows to end a line is none of the content: files travel.
    lines = [line.removesuffix(b"\r") for line in stored.removesuffix(b"\n").split(b"\n")]
    head = _require_ours(path, lines[0])
    end = _parsed(lines[-1])
    if type(end) is not dict or end.get("sha256") != _hash(lines[:-1]):
        raise BadInput(f"{path} is cut off or was changed since it was written; export it again")
    try:
        return _replay(head, [_parsed(line) for line in lines[1:-1]])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is damaged ({error!r}); export it again") from error


# -- to lines ----------------------------------------------------------------------------------------------------


def _lines(replay: Replay) -> Iterator[bytes]:
    yield _dump(
        {
            "deathless": KIND,
            "format": FORMAT,
            "version": replay.version,
            "python": replay.python,
            "type": replay.type,
            "workflow": replay.workflow_id,
            "seed": replay.seed,
            "limits": None if replay.limits is None else asdict(replay.limits),
            "next_id": replay.next_id,
            "before": replay.steps[0].record.before,
        }
    )
    for number, code in replay.codes.items():
        yield _dump({"code": number, **code})
    for step in replay.steps:
        record = step.record
        yield _dump(
            {
                "turn": record.turn,
                "now_us": record.now_us,
                "message": record.message,
                "answers": record.answers,
                "row": step.after,
            }
        )


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=_as_text).encode()


def _as_text(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"a recorded step has no {type(value).__name__}")
    return {_BYTES: base64.b64encode(value).decode()}


def _hash(lines: Sequence[bytes]) -> str:
    return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()


# -- and back ----------------------------------------------------------------------------------------------------


def _require_ours(path: Path, line: bytes) -> dict[str, Any]:
    """Return the head of a file."""
    head = _parsed(line)
    if type(head) is not dict or head.get("deathless") != KIND:
        raise BadInput(f"{path} is no replay file, or cut off at once; `deathless replay export` makes one")
    if head.get("format") != FORMAT:
        raise BadInput(
            f"{path} has format {head.get('format')}, and this version of Deathless reads format {FORMAT}; it was "
            f"written by Deathless {head.get('version')}: use that"
        )
    return cast("dict[str, Any]", head)


def _parsed(line: bytes) -> Any:
    """Return a line's value; None where it is none."""
    try:
        return json.loads(line, object_hook=_from_text)
    except (ValueError, RecursionError):
        return None


def _from_text(value: dict[str, Any]) -> Any:
    return base64.b64decode(value[_BYTES], validate=True) if value.keys() == {_BYTES} else value


def _replay(head: dict[str, Any], lines: list[Any]) -> Replay:
    codes: dict[int, dict[str, Any]] = {line.pop("code"): line for line in lines if "code" in line}
    steps = tuple(_steps(head, [line for line in lines if "turn" in line]))
    if not steps:
        raise ValueError("it has no steps")
    limits = None if head["limits"] is None else Limits(**head["limits"])
    return Replay(
        head["workflow"],
        head["type"],
        head["seed"],
        limits,
        head["next_id"],
        codes,
        steps,
        head["version"],
        head["python"],
    )


def _steps(head: dict[str, Any], lines: list[Any]) -> Iterator[Step]:
    workflow_id, before = head["workflow"], head["before"]
    for number, line in enumerate(lines, 1):
        message, after = line["message"], line["row"]
        if (before is None and message is not None) or (after is None and (message or before is None)):
            raise ValueError(f"step {number} has no row")
        for row in (before, after):
            if row is not None and rows.read_head(row).type_name != head["type"]:
                raise ValueError(f"step {number} is of another workflow")
        cause = None if message is None else tuple(message)
        yield Step(
            number,
            StepRecord(line["turn"], line["now_us"], workflow_id, cause, line["answers"], before),
            after,
        )
        before = after
