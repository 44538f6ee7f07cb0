"""The listening socket that a service answers on."""

import asyncio
import socket

from shared.runtime.http_server import listen


async def test_answers_go_out_at_once_on_every_connection() -> None:
    """In asyncio's own loop, too: it leaves connections of such a listener to wait for acknowledgements."""
    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        found.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = listen("127.0.0.1", 0)
    async with await asyncio.start_server(connected, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await found
        writer.close()
