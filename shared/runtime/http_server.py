"""uvicorn inside a process that has other work: it neither takes the signals nor ends the process."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

GRACE_SECONDS_MAX = 5
KEEP_ALIVE_SECONDS = 30
BACKLOG = 1_024


class PortTakenError(Exception):
    """The address cannot be listened on; the message says why and which settings choose another."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process has its own handlers: HTTP ends first, but not alone."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Answers go out at once, in whatever event loop they are written.

    Raises:
        PortTakenError: somebody has it, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise PortTakenError(
            f"cannot listen on {host}:{port} ({error.strerror}): set TESSERA_HTTP_PORT to a free one"
        ) from error
    # asyncio sets it only where a socket names its protocol. Without it the second part of an answer on a kept
    # connection waits 40 ms for the acknowledgement of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve(app: FastAPI, listener: socket.socket, stop: asyncio.Event) -> None:
    """Answer until ``stop``; then take no more, and give what is under way ``GRACE_SECONDS_MAX``."""
    server = _Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS_MAX,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="uvicorn")
    told = asyncio.create_task(stop.wait(), name="stop http")
    try:
        await asyncio.wait((serving, told), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        told.cancel()
        serving.cancel()
