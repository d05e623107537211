"""Who may ask, and how much: checked before anything is read or decoded."""

import base64
import binascii
import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from saccade.serve.settings import ServeSettings
from saccade.strict_json import json_text

_COOKIE = "saccade-token"
_OPEN = frozenset({"/api/health", "/api/ready"})
"""Answered without a token: whoever asks whether a server is there has none, and learns no more."""
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses strangers and bodies that are too large; adds headers that keep a page to itself.

    Without a token the host that a browser asked for must be this machine, or a page elsewhere
    could point its own name here. Where a browser says which page it asks for, that page must be
    ours.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or socket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        send = _with_headers(send)
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, *refusal)
        elif (token := self._token_in_address(scope)) is not None and self._is_right(token):
            await _set_cookie(scope, send, token)
        else:
            limited = _limited(receive, self._limit(scope)) if scope["type"] == "http" else receive
            await self._app(scope, limited, send)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._settings.token is None and not self._is_known(host):
            return 403, f"host '{host[:80]}' is not served here; --allow-host lets it in"
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] in _CHANGING
        if origin is not None and changes and _netloc(origin) != host:
            return 403, f"origin '{origin[:80]}' is another page's"
        if self._settings.token is None or scope["path"] in _OPEN:
            return None
        if not self._has_token(scope, headers):
            return 401, "a token is needed: open the address that the server printed"
        return None

    def _is_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in {"localhost", self._settings.host, *self._settings.hosts}:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        cookie = _of_cookie(headers.get("cookie", ""), _cookie_name(scope))
        shown = [self._token_in_address(scope) or "", cookie]
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            shown.append(rest.strip())
        elif scheme.lower() == "basic":  # what Label Studio can send
            shown.append(_password(rest))
        return any(self._is_right(token) for token in shown)

    def _is_right(self, token: str) -> bool:
        wanted = (self._settings.token or "").encode("utf-8", "replace")
        return hmac.compare_digest(token.encode("utf-8", "replace"), wanted)

    def _token_in_address(self, scope: Scope) -> str | None:
        if self._settings.token is None or scope["type"] != "http" or scope["path"] != "/":
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return query["token"][0] if "token" in query else None

    def _limit(self, scope: Scope) -> int:
        limits, path = self._settings.limits, scope["path"]
        if path == "/api/images" or path.endswith("/import"):
            return limits.upload_bytes
        if path.endswith("/strokes"):
            return limits.message_bytes
        if path.startswith("/label-studio"):
            return limits.predict_bytes if path.endswith("/predict") else limits.notice_bytes
        return limits.request_bytes


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as "http://["
        return None


def _limited(receive: Receive, most: int) -> Receive:
    """A body that is refused as soon as it is too long, whatever its header says."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413, f"the request is larger than {_in_words(most)}")
        return message

    return limited


def _in_words(size: int) -> str:
    return f"{size // 2**20} MB" if size >= 2**20 else f"{size / 2**10:.3g} kB"


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-cache")
        await send(message)

    return wrapped


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, detail: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4000 + status, "reason": detail[:100]})
        return
    extra = [(b"www-authenticate", b"Bearer")] if status == 401 else []
    await _answer(send, status, json_text({"detail": detail}).encode(), extra)


async def _set_cookie(scope: Scope, send: Send, token: str) -> None:
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    cookie = f"{_cookie_name(scope)}={quote(token)}; HttpOnly; SameSite=Strict; Path=/{secure}"
    headers = [(b"set-cookie", cookie.encode("latin-1")), (b"location", b"/")]
    await _answer(send, 303, b"{}", headers)


async def _answer(send: Send, status: int, body: bytes, extra: list[tuple[bytes, bytes]]) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _cookie_name(scope: Scope) -> str:
    """With the port, as the servers of one machine share its cookies."""
    server = scope.get("server") or (None, None)
    return f"{_COOKIE}-{server[1]}"


def _of_cookie(text: str, name: str) -> str:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(text)
    except CookieError:
        return ""
    morsel: Any = jar.get(name)
    return unquote(morsel.value) if morsel is not None else ""


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
