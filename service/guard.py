"""What every request passes first, and the headers that every response carries."""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import problem_response

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Guard:
    """ASGI middleware: refuses foreign hosts, foreign pages and bodies that say they are too large.

    The host check stops a web page that points its own name at this address (DNS rebinding); the
    ``Sec-Fetch-Site`` check stops one that posts a form to it. Bodies of undeclared length are
    cut off by Starlette's ``RequestBodyLimitMiddleware``, which comes next.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Sequence[str], max_body_bytes: int) -> None:
        self._app = app
        self._allowed_hosts = {host.lower() for host in allowed_hosts}
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        host = _host_name(headers.get("host", ""))
        if "*" not in self._allowed_hosts and host not in self._allowed_hosts:
            return problem_response("untrusted-host", f"The request is for host {host!r}")
        if method not in _SAFE_METHODS and headers.get("sec-fetch-site") == "cross-site":
            return problem_response("cross-site", "A page of another site sent this request")
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._max_body_bytes:
            return problem_response(
                "too-large",
                f"The body has {declared} bytes; at most {self._max_body_bytes} are read",
            )
        return None


def _host_name(host: str) -> str:
    """Return the ``Host`` header without its port; an IPv6 address keeps its brackets."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]
