"""One message as the mail server gets it: multipart, text and HTML.

The Message-ID follows from the message's id, so that a mailbox which gets it twice can tell.
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MessageText:
    """A rendered message: a subject of one line, and the body twice."""

    language: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the mail is from."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The right-hand side of every Message-ID."""
        return self.address.rpartition("@")[2]


def compose(text: MessageText, sender: Sender, recipient: str, message_id: UUID, composed_at: datetime) -> bytes:
    """The mail's bytes. ``recipient`` is an ASCII address that was validated.

    Everything but the Date follows from the arguments' values alone: the boundary, too, is made from the id.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=sender.name, addr_spec=sender.address)
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = text.subject
    mail["Date"] = format_datetime(composed_at)
    mail["Message-ID"] = f"<{message_id}@{sender.domain}>"
    mail["Content-Language"] = text.language
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    mail.set_content(text.text)
    mail.add_alternative(text.html, subtype="html")
    mail.set_boundary(f"=_{message_id.hex}")
    return mail.as_bytes()
