"""The client against servers that are no world, and worlds that go away."""

import socket
import threading
from contextlib import contextmanager

import pytest

from deathless.tools.control.client import RemoteOperator
from deathless.tools.control.errors import ControlError


@contextmanager
def answering(answer):
    """Listen, and answer one request with these bytes; None leaves it without an answer."""
    seen = []
    over = threading.Event()

    def serve():
        connection, _ = listener.accept()
        with connection:
            seen.append(connection.recv(1 << 16))
            if answer is None:
                over.wait(60)
            else:
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield "http://127.0.0.1:%d" % listener.getsockname()[1], seen
        finally:
            over.set()
            thread.join()


def reply(status, body, *headers):
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("answer", "exit_code", "problem"),
    [
        (reply("200 OK", b"<html>"), 2, "does not answer as a world does; check the address"),
        (reply("200 OK", b"[1]"), 2, "does not answer as a world does"),
        (reply("404 Not Found", b"<html>"), 2, "answered 404 Not Found; is that the address of a world"),
        (reply("409 Conflict", b'{"error": "no"}'), 1, "^no$"),
        (reply("302 Found", b"", "Location: http://127.0.0.1:1/"), 2, "answered 302 Found"),
        (b"", 1, "the connection broke .*; whether the operation was accepted is not known"),
        (b"what?\r\n\r\n", 1, "the connection broke"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", 1, "the connection broke"),
    ],
)
def test_an_answer_that_no_world_gives_is_one_line(answer, exit_code, problem):
    with answering(answer) as (url, _), pytest.raises(ControlError, match=problem) as raised:
        RemoteOperator(url, "t", timeout=60.0).do("state")
    assert raised.value.exit_code == exit_code
    assert "\n" not in str(raised.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr("deathless.tools.control.client.GRACE_S", 0.0)
    with (
        answering(None) as (url, _),
        pytest.raises(ControlError, match="it did not answer in time") as raised,
    ):
        RemoteOperator(url, "t", timeout=0.05).do("state")
    assert raised.value.exit_code == 1


def test_a_request_carries_the_token_and_how_long_to_wait():
    with answering(reply("200 OK", b'{"turn": 1}')) as (url, seen):
        assert RemoteOperator(url + "/", "word", timeout=7.5).do("a/b", x=1) == {"turn": 1}
    assert seen[0].startswith(b"POST /call/a%2Fb?timeout=7.5 HTTP/1.1\r\n")
    assert b"Authorization: Bearer word\r\n" in seen[0]
    assert seen[0].endswith(b'{"x": 1}') or b"Content-Length: 8" in seen[0]


@pytest.mark.parametrize(
    "url", ["", "localhost:3000", "file:///etc/passwd", "http://", "http://[::1", "http://x:y", "http://x/\n"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ControlError, match="is not the address of a world; write http://HOST:PORT"):
        RemoteOperator(url, "t", timeout=1.0)


@pytest.mark.parametrize("token", ["a\r\nX: y", "ü"])
def test_what_is_no_token_is_refused(token):
    with pytest.raises(ControlError, match="the token has characters that no token has"):
        RemoteOperator("http://127.0.0.1:1", token, timeout=1.0)
