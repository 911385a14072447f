"""HTTP to one server: what fails on the way is repeated, every other failure is one error with one sentence."""

import random
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from dreamer_core.errors import UsageError
from dreamer_core.metrics.jsonsafe import dumps, loads
from dreamer_core.program import command
from dreamer_core.remote.address import is_here
from dreamer_core.remote.errors import RemoteError, Unreachable, Unreadable, error_of, no_token

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

API = "/api/v1"
LEASE = "X-Dreamgate-Lease"
KEY = "Idempotency-Key"
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_CONNECT_S = 5.0
_SILENCE_S = 45.0  # a stream says at least a word in 15 s


class Transport:
    """Safe to use from several threads. Connects at the first call, not before.

    Every call may reach the server twice, when an answer is lost. That is harmless: reading, offsets, leases and
    final states repeat by nature, and what makes something new carries a key by which the server knows it again.
    """

    def __init__(
        self, url: str, token: str | None, *, timeout_s: float, patience_s: float, http: "httpx2.Client | None" = None
    ) -> None:
        self.url = url
        self.timeout_s = timeout_s
        self.patience_s = patience_s
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._made = http
        self._making = threading.Lock()

    def json(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, Any] | None = None,
        lease: str | None = None,
        makes: bool = False,
        key: str | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """Send `body` as JSON and decode the answer; None for an empty one. `makes`: doing it twice would make two.

        `key`: by which the server knows a request of the caller's that comes again.
        """
        content = None if body is None else dumps(body).encode(errors="replace")  # half of a pair of UTF-16, alone
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if makes or key:
            headers[KEY] = key or uuid.uuid4().hex
        return decoded(
            self.call(method, path, content=content, headers=headers, params=params, lease=lease, timeout_s=timeout_s)
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | Callable[[], Iterable[bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        lease: str | None = None,
        timeout_s: float | None = None,
    ) -> "httpx2.Response":
        """The whole answer. `content` may be a callable that gives the body anew at each attempt."""

        def once() -> "httpx2.Response":
            request = self._request(method, path, content, headers, params, lease)
            if timeout_s is not None:
                request.extensions["timeout"] = request.extensions["timeout"] | {"read": timeout_s}
            return self._checked(self._http().send(request))

        return self.patiently(once)

    def open(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> "httpx2.Response":
        """The beginning of an answer, to read on from and to close. One attempt; `patiently` is for the caller."""
        import httpx2

        request = self._request("GET", path, None, headers, params, None)
        request.extensions["timeout"] = httpx2.Timeout(self.timeout_s, read=max(self.timeout_s, _SILENCE_S)).as_dict()
        response = self._http().send(request, stream=True)
        try:
            if response.is_error:
                response.read()
            return self._checked(response)
        except BaseException:
            response.close()
            raise

    def patiently(self, once: Callable[[], T], patience_s: float | None = None) -> T:
        """Do it, and again while the server cannot be reached, for as long as our patience lasts."""
        deadline = time.monotonic() + (self.patience_s if patience_s is None else patience_s)
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                with self.foreseen():
                    return once()
            except Unreachable as error:
                pause_s = max(wait_s * random.uniform(0.5, 1.0), error.retry_after_s)  # noqa: S311 - spreads callers
                if time.monotonic() + pause_s > deadline:
                    raise
            time.sleep(pause_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    @contextmanager
    def foreseen(self) -> Iterator[None]:
        """What fails on the way, as our own error."""
        import httpx2

        try:
            yield
        except httpx2.TransportError as error:
            raise Unreachable(
                f"{self.url} cannot be reached ({_reason(error)}). Start a server with `{command('up')}`, or say where "
                "it is with --server or DREAMGATE_SERVER."
            ) from error
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise RemoteError("request", f"{self.url} could not be asked: {error}.") from error

    def close(self) -> None:
        with self._making:
            if self._made is not None:
                self._made.close()
                self._made = None

    def _request(
        self,
        method: str,
        path: str,
        content: bytes | Callable[[], Iterable[bytes]] | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, Any] | None,
        lease: str | None,
    ) -> "httpx2.Request":
        return self._http().build_request(
            method,
            f"{self.url}{API}{path}",
            content=content() if callable(content) else content,
            headers={**self._headers, **(headers or {}), **({LEASE: lease} if lease else {})},
            params={key: value for key, value in (params or {}).items() if value is not None},
        )

    def _http(self) -> "httpx2.Client":
        with self._making:
            if self._made is None:
                import httpx2

                self._made = httpx2.Client(
                    timeout=httpx2.Timeout(self.timeout_s, connect=min(_CONNECT_S, self.timeout_s)),
                    trust_env=not is_here(self.url),  # a proxy has no business between two programs of one machine
                )
                # For those who do not close it, as in an interactive session. A sink may still send when Python ends.
                weakref.finalize(self, self._made.close).atexit = False
            return self._made

    def _checked(self, response: "httpx2.Response") -> "httpx2.Response":
        if response.has_redirect_location:  # followed, a POST would become a GET, and a token go to a stranger
            to = response.headers["Location"].partition("?")[0]
            raise RemoteError(
                "redirected",
                f"{self.url} sends us on to {to}, which is not done by itself.",
                todo="Give the address at the end of that road, with https:// if it is so: --server, DREAMGATE_SERVER.",
            )
        if response.is_error:
            if response.status_code == 401 and not self._headers:
                raise no_token(self.url)
            raise error_of(self.url, response.status_code, _body(response), response.headers.get("Retry-After"))
        return response


def segment(text: str) -> str:
    """One part of a path, whatever a person typed: it must not lead to another address."""
    if text in ("", ".", ".."):
        raise UsageError(f"{text!r} is not a name that the server could know")
    return quote(text, safe="")


def decoded(response: "httpx2.Response") -> Any:
    if not response.content:
        return None
    try:
        return loads(response.content)
    except ValueError:
        raise Unreadable(f"{response.url} answered something that is not JSON.") from None


def _body(response: "httpx2.Response") -> Any:
    try:
        return loads(response.content)
    except ValueError:
        return None


def _reason(error: Exception) -> str:
    words = str(error) or type(error).__name__
    return "connection refused" if "Connection refused" in words else words
