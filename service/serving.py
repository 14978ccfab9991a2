"""Listening and serving: the socket is taken first, so that a taken port is found at once."""

import socket
from dataclasses import dataclass

import uvicorn

from models.errors import DataError
from service.app import create_app
from service.engine import Engine
from service.settings import Settings

_GRACE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Listening:
    """A bound socket.

    Attributes:
        socket: Bound, not yet accepting.
        base_url: Address for a browser on this machine, without a slash at the end.
    """

    socket: socket.socket
    base_url: str


def listen(settings: Settings) -> Listening:
    """Take host and port.

    Raises:
        DataError: When the address is not one of this machine or the port is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # The protocol by its name: asyncio sends small packets at once (TCP_NODELAY) only where it
    # stands, and else an answer on a kept connection waits 40 ms for an acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise DataError(
            f"expected to listen on {settings.host} port {settings.port}, got: {error.strerror}; "
            "choose another with --port, or --port 0 for a free one"
        ) from error
    return Listening(bound, _base_url(settings.host, bound.getsockname()[1]))


def run(engine: Engine, listening: Listening) -> None:
    """Serve until a signal comes; the engine is closed with the server."""
    settings = engine.settings
    config = uvicorn.Config(
        create_app(settings, engine),
        log_level=settings.log_level,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listening.socket])


def _base_url(host: str, port: int) -> str:
    local = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # a key, nothing is bound to it
    shown = local.get(host) or (f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
