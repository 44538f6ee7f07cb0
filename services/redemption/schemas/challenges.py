"""What HTTP says of codes by which members confirm that points may leave."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import Field

from services.redemption.domain.confirming import Challenge
from services.redemption.schemas.answer import Answer

ConfirmationCode: TypeAlias = Annotated[
    str | None,
    Field(
        default=None,
        pattern=r"^[0-9]{6}$",
        repr=False,
        description="The code that the member was sent: send the same request again with it, under the same key.",
    ),
]


class ChallengeAnswer(Answer):
    """Nothing has left: the member was sent a code. Send the same request again with it (``confirmation_code``)."""

    status: Literal["confirmation_needed"] = "confirmation_needed"
    challenge_id: UUID
    sent_by: Literal["email"] = "email"
    expires_at: datetime
    tries_left: int

    @classmethod
    def of(cls, challenge: Challenge) -> Self:
        """The answer for a challenge."""
        return cls(
            challenge_id=challenge.challenge_id, expires_at=challenge.expires_at, tries_left=challenge.tries_left
        )
