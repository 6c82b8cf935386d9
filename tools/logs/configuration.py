"""Setting the log up: lines of JSON into a rotating file, and lines for people on standard error."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from .log_files import log_path

LEVELS = ("debug", "info", "warning", "error", "critical")
MAX_BYTES = 10 << 20
BACKUPS = 5


def configure_log(
    directory: str | os.PathLike[str],
    *,
    format: Literal["console", "json"] | None = "console",  # noqa: A002 - the word that the command line has for it.
    file: bool = True,
    max_bytes: int = MAX_BYTES,
    backups: int = BACKUPS,
    level: str = "info",
) -> Callable[[], None]:
    """Set structlog and the standard library's logging up for a world, for the whole process.

    All that is logged through either goes to DIRECTORY/logs/deathless.jsonl and to standard error. A line that cannot
    be written, to a full disk for one, is lost and stops nothing. Values of signals are in no line of the engine's.

    Args:
        directory: the world's, which need not be there yet.
        format: of the lines on standard error: "console" for people, "json" for collectors of logs; None for no lines.
        file: whether to write the file.
        max_bytes: from where on a file is put aside, and a new one begun.
        backups: files put aside that are kept; the oldest is deleted.
        level: the least level that is logged: debug, info, warning, error or critical.

    Returns:
        A function that ends it: the file is closed, and structlog is as if nobody had set it up.

    Raises:
        ValueError: an option out of range.
        OSError: the directory of the logs cannot be made.
    """
    # It takes long to import; see `runtime.log`.
    import structlog  # noqa: PLC0415

    _check(format, max_bytes, backups, level)
    handlers: list[logging.Handler] = []
    if format is not None:
        shown = logging.StreamHandler(sys.stderr)
        shown.setFormatter(_formatter(format, colors=sys.stderr.isatty()))
        handlers.append(shown)
    if file:
        path = log_path(directory)
        path.parent.mkdir(parents=True, exist_ok=True)
        written = _RotatingFile(path, max_bytes, backups)
        written.setFormatter(_formatter("json", colors=False))
        handlers.append(written)
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    return _attach(handlers, least)


def _check(format_: str | None, max_bytes: int, backups: int, level: str) -> None:
    if format_ not in ("console", "json", None):
        raise ValueError(f"format is 'console', 'json' or None, not {format_!r}")
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(LEVELS)}, not {level!r}")
    for name, value in (("max_bytes", max_bytes), ("backups", backups)):
        # With 0 the standard library would not rotate, and the file would grow without end.
        if type(value) is not int or value < 1:
            raise ValueError(f"{name} is a whole number from 1 up, not {value!r}")


def _attach(handlers: list[logging.Handler], level: int) -> Callable[[], None]:
    import structlog  # noqa: PLC0415

    root = logging.getLogger()
    before = root.level
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)

    def end() -> None:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(before)
        structlog.reset_defaults()

    return end


def _shared() -> list[Any]:
    """Return the processors of every line, be it structlog's or the standard library's."""
    import structlog  # noqa: PLC0415

    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
    ]


def _formatter(format_: str, *, colors: bool) -> logging.Formatter:
    import structlog  # noqa: PLC0415

    last: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if format_ == "json":
        # Names of workflows and errors stay readable; what JSON has no word for is written as Python would.
        last += [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json),
        ]
    else:
        last.append(structlog.dev.ConsoleRenderer(colors=colors))
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared(), processors=last)


def _json(fields: dict[str, Any], **_: Any) -> str:
    """Return a line as JSON, with a text for a value that has no form in it: keys that are tuples, a list in itself."""
    try:
        return json.dumps(fields, ensure_ascii=False, default=repr)
    except (TypeError, ValueError, RecursionError):
        return (
            "{"
            + ", ".join(f"{json.dumps(str(name))}: {_value(value)}" for name, value in fields.items())
            + "}"
        )


def _value(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=repr)
    except (TypeError, ValueError, RecursionError):
        try:
            return json.dumps(repr(value), ensure_ascii=False)
        except ValueError:
            # A number of thousands of digits.
            return json.dumps(object.__repr__(value))


class _RotatingFile(logging.handlers.RotatingFileHandler):
    """A rotating file that goes on where it cannot rotate: on Windows, while somebody has it open."""

    def __init__(self, path: Path, max_bytes: int, backups: int) -> None:
        # Opened at the first line. What UTF-8 has no form for, half of a surrogate pair, is escaped.
        super().__init__(
            path,
            maxBytes=max_bytes,
            backupCount=backups,
            encoding="utf-8",
            delay=True,
            errors="backslashreplace",
        )

    def doRollover(self) -> None:  # noqa: N802 - the standard library's name.
        """Put the file aside, or, where that is refused, leave it and try again with the next line."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        aside = f"{self.baseFilename}.0"
        with contextlib.suppress(OSError):
            # Before the older ones move on: each refusal would move them once more.
            Path(self.baseFilename).replace(aside)
            super().doRollover()
            Path(aside).replace(f"{self.baseFilename}.1")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name.
        """Lose a line that cannot be written: the game goes on."""
