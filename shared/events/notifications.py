"""``loyalty.notifications``: what members were told. The address never leaves the registry and the message."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Code, Event, Frozen


class MessageData(Frozen):
    """One message to one member. ``reason`` says why it failed or was suppressed."""

    message_id: UUID
    member_id: UUID
    template: Code
    channel: Literal["email"]
    reason: Code | None = None


class MessageSent(Event):
    """The mail server took the message."""

    type: Literal["loyalty.message.sent.v1"] = "loyalty.message.sent.v1"
    data: MessageData


class MessageFailed(Event):
    """The message was refused for good."""

    type: Literal["loyalty.message.failed.v1"] = "loyalty.message.failed.v1"
    data: MessageData


class MessageSuppressed(Event):
    """The message was not sent on purpose."""

    type: Literal["loyalty.message.suppressed.v1"] = "loyalty.message.suppressed.v1"
    data: MessageData


NotificationEvent = Annotated[MessageSent | MessageFailed | MessageSuppressed, Field(discriminator="type")]
