"""Requests of other sites, by other names, without a key or too large are refused before anything reads them."""

import asyncio

import pytest

from limner.studio.guard import POLICY, Guard, hostname
from limner.studio.key import token_of


async def _app(scope, receive, send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def asked(
    method: str = "GET", path: str = "/v1/jobs", key: str | None = None, body: tuple[bytes, ...] = (b"",),
    *, has_page: bool = False, **headers,
):  # fmt: skip
    named = {"host": "127.0.0.1:7860", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http", "method": method, "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }  # fmt: skip
    parts, sent = list(body), []

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message) -> None:
        sent.append(message)

    guard = Guard(_app, hosts={"127.0.0.1", "localhost", "::1"}, key=key, max_bytes=10, has_page=has_page)
    asyncio.run(guard({**scope}, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, sent[1]["body"]


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (200, {}),
        (200, {"host": "localhost:7860"}),
        (200, {"host": "[::1]:7860"}),
        (200, {"method": "POST", "origin": "http://127.0.0.1:7860", "sec_fetch_site": "same-origin"}),
        (421, {"host": "evil.example"}),
        (421, {"host": "evil.example:7860"}),
        (421, {"host": "127.0.0.1.evil.example"}),
        (421, {"host": "127.0.0.1@evil.example"}),
        (421, {"host": ""}),
        (403, {"method": "POST", "origin": "http://evil.example"}),
        (403, {"method": "POST", "origin": "http://127.0.0.1:8000"}),
        (403, {"method": "POST", "origin": "null"}),
        (403, {"origin": "http://localhost:7860"}),
        (403, {"sec_fetch_site": "cross-site"}),
        (403, {"sec_fetch_site": "same-site"}),
        (200, {"path": "/", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}),
        (403, {"path": "/", "sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}),
        (403, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}),
        (413, {"content_length": "11"}),
        (413, {"content_length": "-1"}),
        (413, {"body": (b"123456", b"123456")}),
        (200, {"body": (b"12345", b"12345")}),
        (401, {"key": "secret"}),
        (401, {"key": "secret", "authorization": "Bearer wrong"}),
        (200, {"key": "secret", "authorization": "Bearer secret"}),
        (401, {"key": "secret", "cookie": "limner_key=secret"}),
        (401, {"key": "secret", "cookie": f"limner_key={token_of('other')}"}),
        (200, {"key": "secret", "cookie": f"other=1; limner_key={token_of('secret')}"}),
        (403, {"key": "secret", "cookie": f"limner_key={token_of('secret')}", "origin": "http://127.0.0.1:8000"}),
        (401, {"key": "secret", "path": "/"}),
        (200, {"key": "secret", "path": "/", "has_page": True}),
        (200, {"key": "secret", "path": "/page/app.js", "has_page": True}),
        (401, {"key": "secret", "path": "/page", "has_page": True}),
        (401, {"key": "secret", "path": "/v1/jobs", "has_page": True}),
        (200, {"key": "secret", "path": "/health"}),
        (421, {"key": "secret", "path": "/health", "host": "evil.example"}),
    ],
)
def test_who_may_ask(status: int, request_: dict) -> None:
    found, headers, body = asked(**request_)
    assert found == status
    assert headers["content-security-policy"] == POLICY and headers["x-content-type-options"] == "nosniff"
    assert (body == b"ok") == (status == 200)
    assert status == 200 or b'{"error": "' in body


def test_the_policy_lets_no_script_of_a_text_run() -> None:
    assert "unsafe-inline" not in POLICY and "'unsafe-eval'" not in POLICY
    assert "default-src 'none'" in POLICY and "frame-ancestors 'none'" in POLICY


def test_a_bug_is_no_traceback_for_the_client() -> None:
    async def broken(scope, receive, send) -> None:
        raise RuntimeError("secret")

    sent = []

    async def send(message) -> None:
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    with pytest.raises(RuntimeError):
        asyncio.run(Guard(broken, hosts={"localhost"}, key=None, max_bytes=10)(scope, receive, send))
    assert sent[0]["status"] == 500 and b"secret" not in sent[1]["body"]


@pytest.mark.parametrize("host", ["[", "[::1", "a:b:c", "\x00"])
def test_a_damaged_host_has_no_name_that_is_known(host: str) -> None:
    assert hostname(host) not in {"127.0.0.1", "localhost", "::1"}
