"""`RemoteOperator`: asks a running world, over HTTP, with the standard library alone."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any, NoReturn
from urllib.parse import SplitResult, quote, urlsplit

from .errors import LATE, UNKNOWN, ControlError

GRACE_S = 5.0
"""How much longer than the world the client waits, so that it is the world that says what took long."""
_HERE = ("127.0.0.1", "::1", "localhost")


class RemoteOperator:
    """An `Operator` of a world that another process runs.

    Attributes:
        running: True; see `Operator`.
    """

    running = True

    def __init__(self, url: str, token: str, *, timeout: float) -> None:
        """Create it; nothing is asked yet.

        Args:
            url: `http://HOST:PORT`, or `https://` where a proxy adds TLS.
            token: the word of that world.
            timeout: seconds that the world may take to make an operation durable.

        Raises:
            ControlError: no such URL, or no such token.
        """
        parts = _parts(url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise ControlError(UNKNOWN, f"{url!r} is not the address of a world; write http://HOST:PORT")
        if not is_token(token):
            raise ControlError(UNKNOWN, "the token has characters that no token has")
        self._url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout
        handlers: list[Any] = [_NoRedirects]
        if parts.hostname in _HERE:
            # Whatever proxy the environment names, it does not see this computer's own addresses.
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def do(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Ask for an operation, and return its answer; see `Operator.do`."""
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked.
            f"{self._url}/call/{quote(operation, safe='')}?timeout={self._timeout_s!r}",
            data=json.dumps(fields).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method="POST",
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s + GRACE_S) as answer:
                return self._read(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except TimeoutError:
            self._unanswered("it did not answer in time")
        except urllib.error.URLError as error:
            # Before anything was sent, but for a timeout, which may come while a connection is made.
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise ControlError(UNKNOWN, f"{self._url} cannot be reached: {reason}") from error
        except (OSError, http.client.HTTPException) as error:
            self._unanswered(f"the connection broke ({type(error).__name__})")

    def _read(self, body: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ControlError(UNKNOWN, f"{self._url} does not answer as a world does; check the address")
        return answer

    def _refused(self, error: urllib.error.HTTPError) -> NoReturn:
        try:
            problem = str(json.loads(error.read())["error"])
        except (ValueError, TypeError, KeyError, OSError):
            problem = f"{self._url} answered {error.code} {error.reason}; is that the address of a world?"
        raise ControlError(error.code, problem) from None

    def _unanswered(self, why: str) -> NoReturn:
        raise ControlError(
            LATE,
            f"{self._url}: {why}; whether the operation was accepted is not known: look before asking again",
        ) from None


def is_token(text: str) -> bool:
    """Say whether a text can be a token: a header does not keep the blanks around it, nor what is not ASCII."""
    return text.isascii() and text.isprintable() and text == text.strip() != ""


def _parts(url: str) -> SplitResult | None:
    """Take an address apart; None where it is none."""
    try:
        parts = urlsplit(url)
        # Looked at here, since it is read no sooner.
        _ = parts.port
    except ValueError:
        return None
    return parts if url.isprintable() and " " not in url else None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes the token to no other address than the one that was given."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: Any,
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> None:
        """Follow none; then the redirect itself is the error."""
