"""Whether points may leave at all: what fraud or the ceiling says of it, and the code or PIN by which a member
confirms it.

Pure.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.pins import PinSaid, Way

CODE_TRIES_MAX = 5
CODE_LIFE = timedelta(minutes=5)
# Whoever may ask for codes without end may guess without end, and fills somebody's mailbox.
CHALLENGES_MAX = 10
CHALLENGES_WINDOW = timedelta(hours=24)
# What is said while nobody knows by what the member could confirm: a code goes to whoever has an address.
CODE_ALONE: tuple[Way, ...] = ("code",)

Asker: TypeAlias = Literal["fraud", "ceiling"]
SpendKind: TypeAlias = Literal["hold", "gift"]


class Verdict(StrEnum):
    """``OTHER_REQUEST``: fraud was asked about another request under the same key."""

    ALLOW = "allow"
    STEP_UP = "step_up"
    DENY = "deny"
    OTHER_REQUEST = "other_request"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is thought of a wish, and by whom."""

    verdict: Verdict
    by: Asker


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What goes while fraud does not answer: up to ``points_max`` at once; of more, ``beyond`` says."""

    points_max: int
    beyond: Literal["step_up", "deny"] = "step_up"

    def opinion_on(self, points: int) -> Opinion:
        """Of so many points."""
        return Opinion(Verdict.ALLOW if points <= self.points_max else Verdict(self.beyond), "ceiling")


@dataclass(frozen=True, slots=True)
class Wish:
    """Points that are to leave a member's account, by the id that follows from the request's client and key."""

    decision_id: UUID
    kind: SpendKind
    member_id: UUID
    point_type: str
    points: int
    partner_id: str | None = None
    store_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish, what tells its request from others, and what is thought of it. ``pin``: what is known of the PIN that
    came with it; ``ways``: how it could be confirmed."""

    wish: Wish
    request_hash: bytes
    opinion: Opinion
    pin: PinSaid | None = None
    ways: tuple[Way, ...] = CODE_ALONE


@dataclass(frozen=True, slots=True)
class Clearance:
    """The points of this member may leave. ``decided_by``: fraud, the ceiling while it did not answer, or what
    the member confirmed by."""

    member_id: UUID
    decision_id: UUID
    decided_by: Literal["fraud", "ceiling", "code", "pin"]


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code that a member was sent for one request. ``wrong_tries`` of codes were made; once it is used, by the code
    or a PIN, its points have left."""

    challenge_id: UUID
    decision_id: UUID
    member_id: UUID
    request_hash: bytes
    key_id: str
    expires_at: datetime
    wrong_tries: int = 0
    used_at: datetime | None = None

    @property
    def tries_left(self) -> int:
        """How many codes may still be tried."""
        return CODE_TRIES_MAX - self.wrong_tries

    def require_open(self, now: datetime) -> None:
        """Whether a code still counts.

        Raises:
            CodeExpiredError, CodeTriesUsedUpError
        """
        if self.used_at is not None or now >= self.expires_at:
            raise CodeExpiredError
        if self.tries_left <= 0:
            raise CodeTriesUsedUpError

    def tried(self, code: str, expected: str, now: datetime) -> "Challenge":
        """The challenge, used by the right code, or with one try less."""
        if hmac.compare_digest(code, expected):
            return replace(self, used_at=now)
        return replace(self, wrong_tries=self.wrong_tries + 1)


class SpendingDeniedError(RedemptionError):
    """Not now, whoever confirms it. Why is not told at a till."""

    def __init__(self) -> None:
        super().__init__("these points may not leave this account now: ask the member to contact the programme")


class CodeExpiredError(RedemptionError):
    """The code was sent too long ago, or was used."""

    def __init__(self) -> None:
        super().__init__("the code counts no more: begin again with a new Idempotency-Key, and a new code is sent")


class CodeTriesUsedUpError(RedemptionError):
    """Too many wrong codes."""

    def __init__(self) -> None:
        super().__init__(
            f"{CODE_TRIES_MAX} wrong codes were sent: begin again with a new Idempotency-Key, and a new code is sent"
        )


class NoChallengeError(RedemptionError):
    """A code or a PIN came with a request for which none was asked."""

    def __init__(self) -> None:
        super().__init__(
            "no code was sent for this request: a code or PIN counts under the Idempotency-Key of the request that "
            "asked for it, and for no other"
        )


class TooManyChallengesError(RedemptionError):
    """The member was sent many codes already."""

    def __init__(self) -> None:
        super().__init__(f"this member was sent {CHALLENGES_MAX} codes within a day: no more are sent now")


class OwnerChangedError(RedemptionError):
    """Since fraud was asked, what was shown has come to name another member."""

    def __init__(self) -> None:
        super().__init__("what was shown names another member by now: begin again with a new Idempotency-Key")
