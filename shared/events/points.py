"""``loyalty.points``: what became of receipts, in points. Keyed by member, else by receipt."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictInt

from shared.events.adjustments import (
    DebtWrittenOff,
    PointsAdjusted,
    PointsReinstated,
)
from shared.events.award_parts import AwardPart, RulePoints
from shared.events.balances import Balance
from shared.events.envelope import Code, Event, Frozen, Points, ReceiptId, Version
from shared.events.expiry import PointsExpired, PointsExpiring
from shared.events.funding import PointFunding
from shared.events.member_events import MemberEventRecorded, MemberEventRevoked, MemberEventSettled
from shared.events.tiers import TierChanged


class AwardData(Frozen):
    """What a receipt earned. ``debt_cleared`` of it went at once to what the member owed.

    A receipt that earns points of several types, or on several terms, is told of once for each ``part``. Where it is a
    correction, ``points`` are what ``original_receipt_id`` earns more than it had, at that one's time.
    """

    member_id: UUID
    receipt_id: ReceiptId
    partner_id: Code
    point_type: Code
    points: Points
    debt_cleared: Points = 0
    by_rule: tuple[RulePoints, ...]
    rule_set_version: StrictInt
    occurred_at: AwareDatetime
    balance: Balance
    part: AwardPart | None = None
    original_receipt_id: ReceiptId | None = None


class PendingData(Frozen):
    """Earned points that cannot be spent: ``points`` moved to pending, ``shortfall`` had already left.

    ``part``: which part of an award that has several.
    """

    member_id: UUID
    receipt_id: ReceiptId
    point_type: Code
    points: Points
    shortfall: Points = 0
    reason: Code
    ends_at: AwareDatetime | None = None
    balance: Balance
    part: StrictInt | None = None


class ReleaseData(Frozen):
    """Pending points that can be spent again. ``part``: which part of an award that has several.

    ``expires_on``: until the day before it, where their release said so.
    """

    member_id: UUID
    receipt_id: ReceiptId
    point_type: Code
    points: Points
    reason: Code
    balance: Balance
    part: StrictInt | None = None
    expires_on: date | None = None


class ClawBackData(Frozen):
    """Points taken back for goods that came back, or (``cause``: void) for a receipt that was undone as a whole, or
    (correction) for one that should have said something else. What neither pending nor available covered became debt.
    ``part``: of which part of an award that has several.
    ``funding``: who had paid for them, where not their issuer.
    ``clipped`` points were to be taken besides and were not there: by the rules nobody owes them.
    ``withheld_points`` count as taken back, and were not taken: the partner has kept money of the refund for them.
    With ``cause`` handover goods were handed over for which the original took money: their receipt earns it now.
    ``occurred_at`` is the time of the receipt that they were earned with; a return that names no purchase (``cause``:
    unlinked_return) names itself as its original, and tells its own.
    """

    member_id: UUID
    receipt_id: ReceiptId
    original_receipt_id: ReceiptId
    partner_id: Code
    point_type: Code
    points: Points
    became_debt: Points
    clipped: Points = 0
    cause: Code | None = None
    balance: Balance
    part: StrictInt | None = None
    funding: PointFunding | None = None
    occurred_at: AwareDatetime | None = None
    withheld_points: Points | None = None


class GivenPoints(Frozen):
    """Points that an exchange gave, or its void gave back: of the award of ``receipt_id``, which occurred at
    ``occurred_at``; of one ``part`` where it has several. ``by_rule``: which rules gave them, where they are new.
    """

    receipt_id: ReceiptId
    occurred_at: AwareDatetime
    points: Points
    by_rule: tuple[RulePoints, ...] = ()
    part: AwardPart | None = None


class TakenPoints(Frozen):
    """Points that an exchange, or its void, took back of the award of ``receipt_id``: ``part`` and ``funding`` as in
    ``ClawBackData``. ``clipped`` points were to be taken besides and were not there.
    """

    receipt_id: ReceiptId
    points: Points
    clipped: Points = 0
    part: StrictInt | None = None
    funding: PointFunding | None = None


class PointsExchangeData(Frozen):
    """What an exchange came to, or (``cause``: void) its being undone: both sides at once, told once for each point
    type, and once for each of the two members where others took the new goods.

    ``became_debt`` of what was ``taken`` nothing covered, what was ``given`` included; ``debt_cleared`` of that went to
    what was owed before. ``balance`` is the one after both.
    """

    member_id: UUID
    receipt_id: ReceiptId
    partner_id: Code
    point_type: Code
    cause: Literal["exchange", "void"]
    given: tuple[GivenPoints, ...] = ()
    taken: tuple[TakenPoints, ...] = ()
    became_debt: Points = 0
    debt_cleared: Points = 0
    rule_set_version: StrictInt | None = None
    balance: Balance

    @property
    def net_points(self) -> int:
        """How many more the member has than before, below zero how many less; what is owed counts."""
        return sum(one.points for one in self.given) - sum(one.points for one in self.taken)


class LapseData(Frozen):
    """Points of an award that waited for ``waited_for``, which did not come by the last day. They went back to the
    partner that had issued them, and clear nothing.
    """

    member_id: UUID
    receipt_id: ReceiptId
    partner_id: Code
    point_type: Code
    points: Points
    waited_for: Code
    balance: Balance
    part: StrictInt


class MoveData(Frozen):
    """One side of a receipt that was moved: ``points`` that were left were taken ``from`` this member, or those that it
    was awarded anew came ``to`` this one; each ``part`` by itself.
    """

    member_id: UUID
    other_member_id: UUID
    direction: Literal["from", "to"]
    move_id: UUID
    receipt_id: ReceiptId
    partner_id: Code
    point_type: Code
    points: Points
    became_debt: Points = 0
    debt_cleared: Points = 0
    reason_code: Code
    rule_set_version: StrictInt
    occurred_at: AwareDatetime
    balance: Balance | None = None
    part: AwardPart | None = None
    # The n-th move of this receipt. Both sides bear it; whoever has heard of a higher one knows better whose it is.
    move_number: Version | None = None


class RefusalData(Frozen):
    """Why a receipt earns nothing, in a code and in words."""

    receipt_id: ReceiptId
    content_hash: str
    member_id: UUID | None = None
    partner_id: Code
    reason: Code
    detail: str


class PointsEarned(Event):
    """A receipt was awarded."""

    type: Literal["loyalty.points.earned.v1"] = "loyalty.points.earned.v1"
    data: AwardData


class PointsPending(Event):
    """Points of an award were set aside."""

    type: Literal["loyalty.points.pending.v1"] = "loyalty.points.pending.v1"
    data: PendingData


class PointsReleased(Event):
    """Points that were set aside can be spent again."""

    type: Literal["loyalty.points.released.v1"] = "loyalty.points.released.v1"
    data: ReleaseData


class PointsClawedBack(Event):
    """A return, a void or a correction took points back."""

    type: Literal["loyalty.points.clawed_back.v1"] = "loyalty.points.clawed_back.v1"
    data: ClawBackData


class PointsExchanged(Event):
    """Goods were exchanged: points were taken back and others given at once. Or such an exchange was voided."""

    type: Literal["loyalty.points.exchanged.v1"] = "loyalty.points.exchanged.v1"
    data: PointsExchangeData


class PointsLapsed(Event):
    """Points waited in vain, and are nobody's."""

    type: Literal["loyalty.points.lapsed.v1"] = "loyalty.points.lapsed.v1"
    data: LapseData


class ReceiptMoved(Event):
    """A receipt is another member's from now on: told once of each of the two."""

    type: Literal["loyalty.receipt.moved.v1"] = "loyalty.receipt.moved.v1"
    data: MoveData


class ReceiptRefused(Event):
    """A receipt was refused for good."""

    type: Literal["loyalty.receipt.refused.v1"] = "loyalty.receipt.refused.v1"
    data: RefusalData


PointsEvent = Annotated[
    PointsEarned
    | PointsPending
    | PointsReleased
    | PointsClawedBack
    | PointsExchanged
    | PointsLapsed
    | ReceiptRefused
    | ReceiptMoved
    | PointsAdjusted
    | PointsReinstated
    | DebtWrittenOff
    | TierChanged
    | PointsExpiring
    | PointsExpired
    | MemberEventRecorded
    | MemberEventRevoked
    | MemberEventSettled,
    Field(discriminator="type"),
]
