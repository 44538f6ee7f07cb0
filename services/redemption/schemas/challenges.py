"""What HTTP says of codes by which members confirm that points may leave."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import Field
from pydantic_core import PydanticCustomError

from services.redemption.domain.confirming import Challenge
from services.redemption.domain.pins import Way
from services.redemption.schemas.answer import Answer
from shared.pins import PinText

ConfirmationCode: TypeAlias = Annotated[
    str | None,
    Field(
        default=None,
        pattern=r"^[0-9]{6}$",
        repr=False,
        description="The code that the member was sent: send the same request again with it, under the same key.",
    ),
]


ConfirmationPin: TypeAlias = Annotated[
    PinText | None,
    Field(
        default=None,
        description="The member's PIN, in the code's place: send the same request again with it, under the same key.",
    ),
]


def refuse_both(code: str | None, pin: object | None) -> None:
    """A request is confirmed by one of the two.

    Raises:
        PydanticCustomError
    """
    if code is not None and pin is not None:
        raise PydanticCustomError("one_way", "Confirm by confirmation_code or by pin: one of the two")


class ChallengeAnswer(Answer):
    """Nothing has left: the member is to confirm it. Send the same request again with the code that the member was sent
    (``confirmation_code``) or with the member's PIN (``pin``): with what ``confirm_by`` names. It names nothing where
    the member has neither an address nor a PIN that counts."""

    status: Literal["confirmation_needed"] = "confirmation_needed"
    challenge_id: UUID
    sent_by: Literal["email"] | None = Field(description="How the code was sent; null: it was not, without an address.")
    expires_at: datetime
    tries_left: int
    confirm_by: tuple[Way, ...]

    @classmethod
    def of(cls, challenge: Challenge, ways: tuple[Way, ...]) -> Self:
        """The answer for a challenge."""
        return cls(
            challenge_id=challenge.challenge_id,
            sent_by="email" if "code" in ways else None,
            expires_at=challenge.expires_at,
            tries_left=challenge.tries_left,
            confirm_by=ways,
        )
