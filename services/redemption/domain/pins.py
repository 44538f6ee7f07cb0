"""What members says of a PIN that was sent to confirm a request. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from services.redemption.domain.errors import RedemptionError
from shared.passing import PassingError

PinOutcome: TypeAlias = Literal["verified", "wrong", "locked", "resting", "none"]
Way: TypeAlias = Literal["code", "pin"]


@dataclass(frozen=True, slots=True)
class TriedPin:
    """What became of a try, counted where PINs are kept."""

    outcome: PinOutcome
    tries_left: int | None = None
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PinSaid:
    """What is known of the PIN that came with a request. ``challenge_id``: what it was tried for, so that it lets
    nothing else go; None where nothing waits for one. ``tried``: None where members gave no answer."""

    challenge_id: UUID | None = None
    tried: TriedPin | None = None


class PinUncheckedError(RedemptionError, PassingError):
    """Members, which knows PINs, does not answer now."""

    def __init__(self) -> None:
        super().__init__(
            "the PIN could not be checked now, and nothing was reserved: send the same request again, or the code"
        )
