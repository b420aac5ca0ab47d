"""Who may ask: the rules that keep every other page, program and machine away from the learner's models and files.

1. The server listens on 127.0.0.1 and ::1 only (server.py).
2. The Host must be this server's own: a name that was bent to 127.0.0.1 is refused (DNS rebinding). What changes or
   asks for anything needs our Origin, and nothing but a page may be opened from elsewhere.
3. /api/ answers only to the token of this start, which stands in the fragment of the printed address. It is not a
   cookie: a cookie is sent to every port of a host.
4. What is sent says what a browser may do with it: nothing that is not ours.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy: our own files alone, none of them written into the page."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

READING = ("GET", "HEAD")


class Guard:
    """An ASGI application that lets through to `app` what the rules allow. It speaks no WebSocket."""

    def __init__(self, app: App, port: int, token: str) -> None:
        self.app = app
        self.token = token.encode()
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        kept = b"no-store" if scope["path"].startswith("/api/") else b"no-cache"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", ()), *added, (b"cache-control", kept)]
            await send(message)

        refused = self.refusal(scope)
        if refused is None:
            return await self.app(scope, receive, with_headers)
        status, reason = refused
        plain = [(b"content-type", b"text/plain; charset=utf-8")]
        await with_headers({"type": "http.response.start", "status": status, "headers": plain})
        await send({"type": "http.response.body", "body": reason.encode()})

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """The status and the reason why a request is refused; None where it is not."""
        given = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = dict(given)
        if len(given) != len(headers) and any(
            sum(name == one for one, _ in given) > 1 for name in ("host", "origin", "authorization", "sec-fetch-site")
        ):
            return 400, "a header came twice"
        path, reading = scope["path"], scope["method"] in READING
        if headers.get("host", "").lower() not in self.hosts:
            return 421, "this server answers to its own address only"
        if not reading and headers.get("origin", "").lower() not in self.origins:
            return 403, "from its own pages only"
        opened_as_page = reading and not path.startswith(("/api/", "/static/"))
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not opened_as_page:
            return 403, "from its own pages only"
        if not path.startswith("/api/"):
            return None  # pages and modules hold no data
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme == "Bearer" and hmac.compare_digest(token.encode("latin-1"), self.token):
            return None
        return 401, "open the address that `handmade look` printed: it carries the key"
