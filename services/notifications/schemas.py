"""What HTTP says about messages. No address is ever part of it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MessageState = Literal["collecting", "queued", "sending", "sent", "failed", "suppressed"]


class MessageAnswer(BaseModel):
    """One message to one member."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    message_id: UUID = Field(description="Also the left-hand side of the mail's Message-ID.")
    template: str
    channel: Literal["email"]
    state: MessageState = Field(
        description="collecting: still taking in awards or news; queued and sending: on its way; the others are final."
    )
    reason: str | None = Field(default=None, description="Why it failed or was suppressed.")
    opened_at: datetime
    due_at: datetime
    settled_at: datetime | None = Field(default=None, description="When it was sent, failed or was suppressed.")
