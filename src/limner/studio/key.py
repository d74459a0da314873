"""The key that requests show: in a header, or, as pictures and events of the page have none, in a cookie."""

import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

COOKIE = "limner_key"


def token_of(key: str) -> str:
    """What the cookie holds: it shows that its bearer once knew the key, and does not tell it.

    >>> len(token_of("secret")), token_of("secret") == token_of("other")
    (64, False)
    """
    return hmac.digest(key.encode(), b"the page of limner", "sha256").hex()


def is_shown(headers: Mapping[str, str], key: str) -> bool:
    """Whether a request's headers, by their names in lower case, show the key.

    >>> is_shown({"authorization": "Bearer secret"}, "secret"), is_shown({"cookie": "limner_key=secret"}, "secret")
    (True, False)
    >>> is_shown({"cookie": f"limner_key={token_of('secret')}"}, "secret")
    True
    """
    scheme, _, said = headers.get("authorization", "").partition(" ")
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    kept = cookie.value if cookie else ""
    by_header = scheme.lower() == "bearer" and hmac.compare_digest(said.strip().encode(), key.encode())
    return by_header or hmac.compare_digest(kept.encode(), token_of(key).encode())
