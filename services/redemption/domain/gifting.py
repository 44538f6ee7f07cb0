"""Whether one member may give points to another. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.standing import DECLINES, RECEIVES, KnownStatus, ReceiverReason, StatusReason

LimitReason: TypeAlias = Literal["gift_too_large", "gifts_of_day_exceeded", "gifts_of_month_exceeded"]
GiftReason: TypeAlias = (
    Literal["same_member", "identifier_blocked", "insufficient_points", "debt_outstanding"]
    | StatusReason
    | ReceiverReason
    | LimitReason
)


class GiftRefusedError(RedemptionError):
    """The gift is not given. ``points_max`` is how many could be given now, where a number is why."""

    def __init__(self, reason: GiftReason, points_max: int | None = None) -> None:
        super().__init__(f"the gift is refused: {reason}")
        self.reason = reason
        self.points_max = points_max


class UnknownReceiverError(RedemptionError):
    """Nobody is known by what names the receiver."""

    def __init__(self) -> None:
        super().__init__("no member is known by what names the receiver: check it, or try again in a moment")


class GiftIdTakenError(RedemptionError):
    """The id stands for another gift."""

    def __init__(self) -> None:
        super().__init__("this gift id stands for another gift already: make a new one for each gift")


class MergeUnderWayError(RedemptionError):
    """A merge of one of the two has been carried out of which the registry has not told yet."""

    def __init__(self) -> None:
        super().__init__("one of the two is being merged into another member: try again in a moment")


@dataclass(frozen=True, slots=True)
class Gift:
    """So many points of a type from one member to another, by the id that the asking client made."""

    gift_id: UUID
    giver_id: UUID
    receiver_id: UUID
    point_type: str
    points: int
    client_id: str
    given_at: datetime = field(compare=False)

    @property
    def reference(self) -> bytes:
        """What the ledger's transfers bear."""
        return f"gift:{self.gift_id}".encode()


class GivenBefore(NamedTuple):
    """What a member has given of a point type since the day and the month began."""

    today: int
    this_month: int


class Since(NamedTuple):
    """When the day and the month began."""

    day: datetime
    month: datetime

    @classmethod
    def of(cls, now: datetime, zone: tzinfo) -> "Since":
        """Of this moment, where the programme's days begin and end."""
        day = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return cls(day, day.replace(day=1))


@dataclass(frozen=True, slots=True)
class GiftLimits:
    """How much a member may give: at once, and of each point type in a day and in a month. Zero gives nothing."""

    points_max: int
    points_per_day_max: int
    points_per_month_max: int

    def require(self, points: int, before: GivenBefore) -> None:
        """Whether so many points may be given now.

        Raises:
            GiftRefusedError: with how many may be.
        """
        left_today = max(0, self.points_per_day_max - before.today)
        left_this_month = max(0, self.points_per_month_max - before.this_month)
        possible = min(self.points_max, left_today, left_this_month)
        if points > self.points_max:
            raise GiftRefusedError("gift_too_large", possible)
        if points > left_today:
            raise GiftRefusedError("gifts_of_day_exceeded", possible)
        if points > left_this_month:
            raise GiftRefusedError("gifts_of_month_exceeded", possible)


def require_may_give(giver: KnownStatus, receiver: KnownStatus, *, is_identifier_active: bool) -> None:
    """Whether these two may give and receive. Neither is hidden.

    Raises:
        GiftRefusedError: with why not: the giver's reason before the receiver's.
    """
    reason = DECLINES[giver] or (None if is_identifier_active else "identifier_blocked") or RECEIVES[receiver]
    if reason is not None:
        raise GiftRefusedError(reason)
