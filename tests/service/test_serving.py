import asyncio
import socket

import pytest

from models.errors import DataError
from service.serving import listen
from service.settings import Settings


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "http://127.0.0.1:{}"),
        ("localhost", "http://localhost:{}"),
        ("0.0.0.0", "http://127.0.0.1:{}"),  # noqa: S104  # what a container listens on
    ],
)
def test_the_shown_address_is_one_that_a_browser_can_open(host, shown):
    listening = listen(Settings(host=host, port=0))
    with listening.socket as bound:
        assert listening.base_url == shown.format(bound.getsockname()[1])


def test_ipv6_addresses_are_shown_in_brackets():
    try:
        listening = listen(Settings(host="::1", port=0))
    except DataError:
        pytest.skip("no IPv6 here")
    with listening.socket as bound:
        assert listening.base_url == f"http://[::1]:{bound.getsockname()[1]}"


def test_a_taken_port_is_refused_with_what_to_do():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DataError, match=rf"port {port}, got: .*; choose another with --port"):
            listen(Settings(host="127.0.0.1", port=port))


def test_a_host_name_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="no-such-host"):
        listen(Settings(host="no-such-host.invalid", port=0))


def test_an_answer_on_a_kept_connection_is_sent_at_once():
    sent_at_once = []

    class Noticing(asyncio.Protocol):
        def connection_made(self, transport):
            accepted = transport.get_extra_info("socket")
            sent_at_once.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def connect():
        listening = listen(Settings(host="127.0.0.1", port=0))
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Noticing, sock=listening.socket)
        async with server:
            reader, writer = await asyncio.open_connection(*listening.socket.getsockname())
            await reader.read()
            writer.close()

    asyncio.run(connect())
    assert sent_at_once == [1]
