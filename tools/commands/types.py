"""`deathless types`: the workflow types of a module, for a person or a script."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import click

from ...workflows.definition import WorkflowType
from ...workflows.signal import Signal
from ..modules import load_types
from ..output import print_json, short_path, table

EXAMPLES = """\b
Examples:
  deathless types game.npcs
  deathless types game/npcs.py
  deathless types game.npcs --json | jq '.types[].signals[].name'
"""


@click.command(epilog=EXAMPLES)
@click.argument("module")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")
def command(module: str, as_json: bool) -> int:
    """List the workflow types of MODULE: a dotted name, or the path of a .py file.

    Of each: its arguments, the signals that it accepts with their fields, its version, and the fingerprint by which
    a world knows its code. The module is imported, which runs what stands at its top.
    """
    types = [describe_type(kind) for _, kind in sorted(load_types([module]).items())]
    if as_json:
        print_json({"module": module, "types": types})
        return 0
    rows = [
        (
            f"{kind['name']}\nversion {kind['version']}",
            "\n".join(map(_parameter, kind["arguments"])),
            "\n".join(map(_signal, kind["signals"])),
            f"{short_path(kind['file'])}:{kind['line']}\n{kind['fingerprint']}",
        )
        for kind in types
    ]
    table(("type", "arguments", "signals", "source, fingerprint"), rows)
    return 0


_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def describe_type(kind: WorkflowType[Any, Any]) -> dict[str, Any]:
    """Return what is known of a workflow type, as JSON has it."""
    program = kind.program
    parameters = list(program.signature.parameters.values())[1:]  # The context comes first.
    return {
        "name": kind.name,
        "version": kind.version,
        "fingerprint": program.fingerprint,
        "migrates": kind.migrate_function is not None,
        "file": program.filename,
        "line": program.first_line,
        "summary": (inspect.getdoc(program.original) or "").partition("\n")[0],
        "arguments": [_describe_parameter(parameter) for parameter in parameters],
        "signals": [
            _describe_signal(signal) for signal in sorted(kind.accepts, key=lambda cls: cls.__name__)
        ],
    }


def _describe_parameter(parameter: inspect.Parameter) -> dict[str, Any]:
    stars = _STARS.get(parameter.kind, "")
    default = None if parameter.default is parameter.empty else repr(parameter.default)
    described = _described(stars + parameter.name, parameter.annotation, default)
    if stars:
        described["required"] = False
    return {**described, "keyword_only": parameter.kind is parameter.KEYWORD_ONLY}


def _describe_signal(signal: type[Signal]) -> dict[str, Any]:
    fields = dataclasses.fields(signal)
    return {
        "name": signal.__name__,
        "module": signal.__module__,
        "fields": [_described(field.name, field.type, _default_of(field)) for field in fields],
    }


def _described(name: str, annotation: Any, default: str | None) -> dict[str, Any]:
    return {
        "name": name,
        "annotation": _annotation(annotation),
        "required": default is None,
        "default": default,
    }


def _default_of(field: dataclasses.Field[Any]) -> str | None:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return f"{getattr(field.default_factory, '__name__', 'factory')}()"
    return None


def _annotation(annotation: Any) -> str | None:
    """Return an annotation as it was written; it is a text already where annotations are not evaluated."""
    if annotation is inspect.Parameter.empty:
        return None
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _parameter(one: dict[str, Any]) -> str:
    annotation = f": {one['annotation']}" if one["annotation"] else ""
    default = f" = {one['default']}" if one["default"] is not None else ""
    return f"{one['name']}{annotation}{default}"


def _signal(signal: dict[str, Any]) -> str:
    return f"{signal['name']}({', '.join(map(_parameter, signal['fields']))})"
