"""Parts of a benchmark that run in processes of their own: what they measure is theirs alone.

A benchmark starts its own file again. There `serve` answers the words that come in with JSON, one a line, until the
other side has no more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


def run_child(script: str, *arguments: object) -> Any:
    """Run a script to its end, and return what it printed as JSON."""
    done = subprocess.run(_command(script, arguments), check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


class Child:
    """A script that serves; made, it is ready, which may take it some time."""

    def __init__(self, script: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            _command(script, arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ready = self.hear()

    def tell(self, word: str) -> None:
        """Send a word, and go on at once."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Wait for the answer to the first word that has not been answered yet."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with exit code {self._process.wait()}")
        return json.loads(line)

    def ask(self, word: str) -> Any:
        self.tell(word)
        return self.hear()

    def close(self) -> None:
        """Let it end, and wait until it has."""
        self._process.communicate()
        assert self._process.returncode == 0, f"{self._process.args} ended with {self._process.returncode}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
            self._process.communicate()
        else:
            self.close()


def serve(ready: object, answer: Callable[[str], object]) -> None:
    """Say that this child is ready, then answer each word."""
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line.strip())), flush=True)


def _command(script: str, arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, script, *map(str, arguments)]
