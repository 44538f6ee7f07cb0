"""Conversations with one SMTP server over a few connections that are kept open."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib

from services.notifications.domain.delivery import (
    SERVICE_CLOSING,
    Accepted,
    Deferred,
    Interrupted,
    Refused,
    Unavailable,
    judge_reply,
)

CONNECT_SECONDS_MAX = 10.0
COMMAND_SECONDS_MAX = 10.0
# A server may take its time with a whole mail: RFC 5321 allows ten minutes, which would outlive our lease.
SEND_SECONDS_MAX = 60.0
MAILS_PER_CONNECTION_MAX = 1_000

StartTls = Literal["never", "offered", "required"]
Reply = Accepted | Refused | Deferred | Interrupted | Unavailable

_LOST = (aiosmtplib.SMTPException, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class MailServerAddress:
    """Where the server is and how we come in. Its name is checked against its certificate wherever TLS is used."""

    host: str
    port: int
    start_tls: StartTls = "offered"
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class MailServer:
    """At most ``connections_max`` connections, opened when they are needed, used for one mail at a time.

    What the server writes in its replies is dropped here, because it often quotes the address: the code alone goes on.
    """

    def __init__(self, address: MailServerAddress, *, connections_max: int = 4) -> None:
        self._address = address
        self._slots = asyncio.Semaphore(connections_max)
        self._idle: list[_Connection] = []

    async def is_there(self) -> bool:
        """Whether the server answers now. Asked before messages are claimed, so that an outage claims none."""
        async with self._slots:
            while self._idle:
                connection = self._idle.pop()
                if await connection.answers():
                    self._idle.append(connection)
                    return True
                connection.close()
            opened = await _connect(self._address)
            if opened is not None:
                self._idle.append(opened)
            return opened is not None

    async def send(self, sender: str, recipient: str, mail: bytes, *, start_by_seconds: float) -> Reply:
        """One mail to one recipient. ``Accepted`` only if the server said so after the last byte.

        A connection that the server had closed meanwhile is replaced once. Nothing is sent after ``start_by_seconds``
        (monotonic): whoever waited for a connection that long has lost the right to this message, or soon will.
        """
        async with self._slots:
            if self._idle:
                kept = self._idle.pop()
                reply = await self._converse(kept, sender, recipient, mail, start_by_seconds)
                if not isinstance(reply, Unavailable) or kept.is_reusable:
                    return reply
            opened = await _connect(self._address)
            if opened is None:
                return Unavailable("mail_server")
            return await self._converse(opened, sender, recipient, mail, start_by_seconds)

    async def close(self) -> None:
        """Say goodbye on every connection that is idle."""
        while self._idle:
            await self._idle.pop().quit()

    async def _converse(
        self, connection: "_Connection", sender: str, recipient: str, mail: bytes, start_by_seconds: float
    ) -> Reply:
        try:
            if time.monotonic() > start_by_seconds:
                return Unavailable("lease")
            async with asyncio.timeout(SEND_SECONDS_MAX):
                return await connection.send(sender, recipient, mail)
        except TimeoutError:
            return Interrupted()
        finally:
            # Also when this task is cancelled in the middle: half a conversation must not be gone on with.
            if connection.is_reusable:
                self._idle.append(connection)
            else:
                connection.close()


async def _connect(address: MailServerAddress) -> "_Connection | None":
    client = aiosmtplib.SMTP(
        hostname=address.host,
        port=address.port,
        username=address.username,
        password=address.password,
        start_tls={"never": False, "offered": None, "required": True}[address.start_tls],
        timeout=COMMAND_SECONDS_MAX,
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            await client.connect()
    except _LOST:
        client.close()
        return None
    except BaseException:
        client.close()
        raise
    return _Connection(client)


class _Connection:
    """One session. ``is_reusable`` is true while the server expects a new MAIL command."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client
        self._mails_left = MAILS_PER_CONNECTION_MAX
        self.is_reusable = True

    async def answers(self) -> bool:
        """Whether the server still listens: it may have closed a connection that was idle for long."""
        try:
            await self._client.noop()
        except _LOST:
            return False
        return True

    async def send(self, sender: str, recipient: str, mail: bytes) -> Reply:
        """MAIL, RCPT, DATA, each judged by itself: before DATA ends, nothing can have been accepted."""
        self._mails_left -= 1
        self.is_reusable = False
        try:
            await self._client.mail(sender)
        except aiosmtplib.SMTPSenderRefused as refusal:
            return await self._refused(judge_reply("sender", refusal.code), refusal.code)
        except _LOST:
            return Unavailable("mail_server")
        try:
            await self._client.rcpt(recipient)
            await self._client.data(mail)
        except aiosmtplib.SMTPRecipientRefused as refusal:
            return await self._refused(judge_reply("recipient", refusal.code), refusal.code)
        except aiosmtplib.SMTPDataError as refusal:
            return await self._refused(judge_reply("content", refusal.code), refusal.code)
        except _LOST:
            return Interrupted()
        self.is_reusable = self._mails_left > 0
        return Accepted()

    async def quit(self) -> None:
        """A polite end; a server that has gone already is no error."""
        try:
            await self._client.quit()
        except _LOST:
            pass
        finally:
            self._client.close()

    def close(self) -> None:
        """An end without words."""
        self._client.close()

    async def _refused(
        self, reply: Deferred | Refused | Unavailable, reply_code: int
    ) -> Deferred | Refused | Unavailable:
        if reply_code != SERVICE_CLOSING:
            try:
                await self._client.rset()
                self.is_reusable = self._mails_left > 0
            except _LOST:
                self.is_reusable = False
        return reply
