"""A client of asyncio_server.py: type a line, and it goes out as a request; whatever comes is printed.

    python examples/asyncio_client.py    # type  join ada, dig, give bob 3, look, stats

At the end of its input (`echo join ada | ...`) it waits for the last answer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import threading

FIELDS = {"join": ("name",), "give": ("to", "amount")}
"""What the words after the first one mean."""


def request(number: int, typed: str) -> dict[str, str | int]:
    """Return the request that a line stands for; what is wrong with it the server will say."""
    verb, *words = typed.split() or [""]
    fields: dict[str, str | int] = {"id": number, "do": verb}
    for field, word in zip(FIELDS.get(verb, ()), words, strict=False):
        fields[field] = int(word) if field == "amount" and word.isdecimal() else word
    return fields


def print_lines(connection: socket.socket) -> None:
    """Print what comes until nothing does any more."""
    with contextlib.suppress(ConnectionError), connection.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            print(line, end="", flush=True)


def main() -> int:
    """Send what is typed; return the exit code."""
    parser = argparse.ArgumentParser(description="A client of asyncio_server.py.")
    parser.add_argument("--port", type=int, default=4000, help="where the server listens (%(default)s)")
    try:
        connection = socket.create_connection(("127.0.0.1", parser.parse_args().port))
    except OSError as error:
        print(f"asyncio_client.py: {error}; is asyncio_server.py running?", file=sys.stderr)
        return 1
    with connection, contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        printer = threading.Thread(target=print_lines, args=(connection,), daemon=True)
        printer.start()
        for number, typed in enumerate(sys.stdin, start=1):
            connection.sendall(json.dumps(request(number, typed)).encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        printer.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
