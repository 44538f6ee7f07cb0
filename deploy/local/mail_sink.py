"""A mail server that delivers nothing: each message becomes a file. ``python -m deploy.local.mail_sink PORT FOLDER``.

A real SMTP conversation, so that what notifications sends here it can send anywhere.
"""

import asyncio
import itertools
import re
import signal
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.ports import HOST

MESSAGE_BYTES_MAX = 10_485_760
_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]")


class MailSink:
    """Keeps each message under a name that sorts by time and says for whom it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """Answer 250 only when the message is a whole file."""
        del server, session
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 no content"
        recipient = _UNSAFE.sub("_", envelope.rcpt_tos[0])[:80]
        path = self._folder / f"{time.time_ns()}-{next(self._numbers):06}-{recipient}.eml"
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(path)
        return "250 kept"


async def serve(port: int, folder: Path) -> None:
    """Listen until SIGTERM or SIGINT. The folder must be there."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopped.set)
    sink = MailSink(folder)
    server = await loop.create_server(
        lambda: SMTP(sink, data_size_limit=MESSAGE_BYTES_MAX, enable_SMTPUTF8=True, loop=loop), HOST, port
    )
    async with server:
        await stopped.wait()


if __name__ == "__main__":
    mail_folder = Path(sys.argv[2])
    mail_folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(int(sys.argv[1]), mail_folder))
