"""Who may speak to the service: pages of its own and programs, no page of another site, by no other name.

A name that another site has pointed at this machine (DNS rebinding) is not among the names that are known. A request
that a browser makes for another site (CSRF) says so in `Origin` or `Sec-Fetch-Site`.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from limner.studio.key import is_shown

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
BUG = "this is a bug in limner: what was printed where it was started says more, please report it"
_OPEN = ("/health",)  # without a key
_PAGE = ("/", "/page/")  # its own files, which tell nothing of what is made


class TooLargeError(Exception):
    """A request has more bytes than it may."""


class Guard:
    """Refuses requests before anything reads them, and adds headers to all answers.

    Args of the constructor:
        app: What is guarded.
        hosts: Names, without ports, by which the service may be called; `*` allows any.
        key: That requests must show, as `limner.studio.key.is_shown` sees it; None asks for none.
        max_bytes: Of a request.
        has_page: Whether the files of the page, which asks for the key, are there without it.
    """

    def __init__(
        self, app: App, *, hosts: Iterable[str], key: str | None, max_bytes: int, has_page: bool = False
    ) -> None:
        self._app, self._hosts, self._key, self._max_bytes = app, frozenset(hosts), key, max_bytes
        self._has_page = has_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Of ASGI."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._refused(scope, headers)
        sending = _with_headers(send)
        if refused:
            await _answer(sending, *refused)
            return
        begun = False

        async def watched(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await sending(message)

        try:
            await self._app(scope, self._counted(receive), watched)
        except TooLargeError as error:
            if not begun:
                await _answer(sending, 413, str(error))
        except Exception:
            if not begun:
                await _answer(sending, 500, BUG)
            raise

    def _refused(self, scope: Scope, headers: MutableMapping[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if "*" not in self._hosts and hostname(host) not in self._hosts:
            return (
                421,
                f"this service is not called {hostname(host)!r}: open it as it said, or name it with --host-name",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, f"pages of {origin} may not use this service: open its own page"
        is_visit = scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate" and scope["path"] == "/"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not is_visit:
            return 403, "pages of other sites may not use this service: open its own page"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._max_bytes:
            return 413, self._too_large()
        if self._key is not None and not self._is_open(scope["path"]) and not is_shown(headers, self._key):
            return 401, "a key is needed: send the header Authorization: Bearer KEY"
        return None

    def _is_open(self, path: str) -> bool:
        first, files = _PAGE
        return path in _OPEN or (self._has_page and (path == first or path.startswith(files)))

    def _too_large(self) -> str:
        return f"a request may have at most {self._max_bytes} bytes: send less, or a smaller picture"

    def _counted(self, receive: Receive) -> Receive:
        total = 0

        async def counted() -> MutableMapping[str, Any]:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self._max_bytes:
                raise TooLargeError(self._too_large())
            return message

        return counted


def hostname(host: str) -> str:
    """Of a `Host` header, without the port.

    >>> hostname("127.0.0.1:7860"), hostname("[::1]:7860"), hostname("localhost")
    ('127.0.0.1', '::1', 'localhost')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", [])}
            more = [(name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in there]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending


async def _answer(send: Send, status: int, line: str) -> None:
    body = json.dumps({"error": line}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(b"www-authenticate", b"Bearer")] if status == 401 else []
    headers += [(b"connection", b"close")] if status == 413 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
