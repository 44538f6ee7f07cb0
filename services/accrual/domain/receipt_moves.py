"""A receipt that came under the wrong member, and is moved to the right one. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID, uuid5

from services.accrual.domain.standing import STANDINGS, Earns
from shared.events.members import MemberStatus
from shared.events.purchases import PurchaseData

_IDS: Final = UUID("0c6a4d1e-3a57-4f0f-9a83-5f1f0c9be2d4")

MoveState: TypeAlias = Literal["waiting", "moved", "refused"]
# Why nothing was moved: nothing of it is kept, unless it had waited for a second person.
MoveRefusal: TypeAlias = Literal[
    "same_member",
    "not_awarded",
    "points_spent",
    "not_theirs",
    "held_by_fraud",
    "returns_wait",
    "document_gone",
    "an_exchange",
    "points_expired",
    "implausible_points",
    "member_unknown",
    "member_merged",
    "member_suspended",
    "member_closed",
    "member_erased",
    "not_a_member_then",
    "not_approved",
]
_OF_STATUS: Final[Mapping[MemberStatus, MoveRefusal]] = {
    "merged": "member_merged",
    "suspended": "member_suspended",
    "closed": "member_closed",
    "erased": "member_erased",
}


class ReceiptMoveError(Exception):
    """Why a move is not taken."""


class ReceiptNotMovableError(ReceiptMoveError):
    """The receipt cannot be moved so, for this reason."""

    def __init__(self, refusal: MoveRefusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class MoveNotFoundError(ReceiptMoveError):
    """There is no such move, or no such receipt."""


class MoveExistsError(ReceiptMoveError):
    """Another move was asked for under the same key."""


class MoveWaitsError(ReceiptMoveError):
    """Another move of the same receipt waits for a second person."""


class MoveDecidedError(ReceiptMoveError):
    """It was decided before, and not this way."""


class OwnMoveError(ReceiptMoveError):
    """Who asked for it may not approve it."""


class UnknownMoveReasonError(ReceiptMoveError):
    """The programme has not declared this reason."""


@dataclass(frozen=True, slots=True)
class ReceiptMove:
    """What was asked for, and what became of it. Both members stand as they were asked for.

    ``taken_points`` of the award were left and went from one, ``became_debt`` of them; ``given_points`` came to the
    other. While it waits they are what they would have been when it was asked for.
    """

    move_id: UUID
    natural_key: bytes
    from_member_id: UUID
    to_member_id: UUID
    reason_code: str
    created_by: str
    created_at: datetime
    state: MoveState = "waiting"
    refusal: MoveRefusal | None = None
    taken_points: int = 0
    became_debt: int = 0
    given_points: int = 0
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def size(self) -> int:
        """How many points it moves, for whoever asks whether one person may do it alone."""
        return max(self.taken_points, self.given_points)

    def asks_the_same(self, other: "ReceiptMove") -> bool:
        """Whether both ask for the same, whatever became of either."""
        return all(getattr(self, name) == getattr(other, name) for name in _ASKED)

    def weighed(self, taken_points: int, given_points: int) -> "ReceiptMove":
        """The same, with what it would move."""
        return replace(self, taken_points=taken_points, given_points=given_points)

    def moved(self, became_debt: int, decided_by: str | None, now: datetime) -> "ReceiptMove":
        """The same, done."""
        return replace(self, state="moved", became_debt=became_debt, decided_by=decided_by, decided_at=now)

    def refused(self, refusal: MoveRefusal, decided_by: str, now: datetime) -> "ReceiptMove":
        """The same, and nothing comes of it."""
        return replace(
            self,
            state="refused",
            refusal=refusal,
            taken_points=0,
            given_points=0,
            decided_by=decided_by,
            decided_at=now,
        )


_ASKED: Final = ("natural_key", "from_member_id", "to_member_id", "reason_code", "created_by")


def id_of_request(client_id: str, key: str) -> UUID:
    """The id of what a client asks for under an Idempotency-Key: the same when the answer is long forgotten."""
    return uuid5(_IDS, f"{client_id}\n{key}")


def why_not_between(
    from_status: MemberStatus | None, to_status: MemberStatus | None, *, is_to_merged: bool
) -> MoveRefusal | None:
    """Why nothing moves between members of these statuses (None: not heard of).

    Points are taken from whoever has left, as a return takes them; who was erased is nobody any more, whose goods
    nobody may be shown. Whoever gets the receipt must be able to earn now, under the id that was named.
    """
    if from_status == "erased":
        return "member_erased"
    if to_status is None:
        return "member_unknown"
    if is_to_merged:
        return "member_merged"
    return None if isinstance(STANDINGS[to_status], Earns) else _OF_STATUS[to_status]


def why_not_bought_by(
    purchase: PurchaseData, enrolled_at: datetime | None, now: datetime, claim_window: timedelta
) -> MoveRefusal | None:
    """Why a purchase cannot become a member's who joined then: who joined after it may have it as long as anybody could
    claim it who had shown no card.
    """
    joined_later = enrolled_at is not None and enrolled_at > purchase.occurred_at
    return "not_a_member_then" if joined_later and now - purchase.received_at > claim_window else None


def have_any_expired(expires_on: Iterable[date | None], today: date) -> bool:
    """Whether points are gone that last until before these days: taken back they would be owed, and given anew they
    would be gone at once.
    """
    return any(day is not None and day <= today for day in expires_on)
