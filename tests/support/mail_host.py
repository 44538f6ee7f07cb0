"""A real SMTP server whose answers a test may choose, recipient by recipient."""

import asyncio
import email
import email.policy
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

HANG_UP = "hang up"


@dataclass
class MailHost:
    """What was accepted, and what to answer instead of 250: each reply is given once, in order.

    ``HANG_UP`` as an answer to DATA keeps the mail and closes the connection without a word.
    """

    mails: list[tuple[str, bytes]] = field(default_factory=list)
    rcpt_replies: defaultdict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    data_replies: defaultdict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    sender_replies: deque[str] = field(default_factory=deque)
    sessions: list[SMTP] = field(default_factory=list)
    port: int = 0
    accepted: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def recipients(self) -> list[str]:
        """Who got a mail, in order."""
        return [recipient for recipient, _ in self.mails]

    def parsed(self) -> list[EmailMessage]:
        """The mails as a mail reader sees them."""
        return [email.message_from_bytes(mail, policy=email.policy.default) for _, mail in self.mails]

    def hang_up(self) -> None:
        """Close every connection that is open now."""
        for session in self.sessions:
            _abort(session)

    async def handle_MAIL(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take every sender but those that a test refuses."""
        del server, session, options
        if self.sender_replies:
            return self.sender_replies.popleft()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take every recipient but those that a test refuses."""
        del server, session, options
        if self.rcpt_replies[address]:
            return self.rcpt_replies[address].popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- as above
        """Keep the mail, unless a test refuses it."""
        del session
        recipient = envelope.rcpt_tos[0]
        reply = self.data_replies[recipient].popleft() if self.data_replies[recipient] else "250 OK"
        if reply in ("250 OK", HANG_UP):
            assert isinstance(envelope.content, bytes)
            self.mails.append((recipient, envelope.content))
            self.accepted.set()
        if reply == HANG_UP:
            _abort(server)
        return reply

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[None]:
        """Serve on ``port`` (0: any free one) until the block ends; then close what is open."""

        def session() -> SMTP:
            made = SMTP(self, enable_SMTPUTF8=False, hostname="mail.test", loop=asyncio.get_running_loop())
            self.sessions.append(made)
            return made

        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.hang_up()


def _abort(session: SMTP) -> None:
    if isinstance(session.transport, asyncio.Transport):
        session.transport.abort()
