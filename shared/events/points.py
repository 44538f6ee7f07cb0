"""``loyalty.points``: what became of receipts, in points. Keyed by member, else by receipt."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictInt

from shared.events.envelope import Code, Event, Frozen, Points, ReceiptId
from shared.events.funding import FundedPoints, PointFunding, PointLimits
from shared.events.tiers import TierChanged


class RulePoints(Frozen):
    """What one rule gave."""

    rule_id: Code
    points: StrictInt


class Balance(Frozen):
    """A member's points of one type just after the effect."""

    available: Points
    held: Points
    pending: Points
    debt: Points


class IssuerPoints(Frozen):
    """Points that one partner had issued."""

    issuer: Code
    points: Points


class AwardPart(Frozen):
    """Which part of an award is told of, where it has several or its points wait.

    They may be spent from the first second of ``waits_until`` on, or once ``waits_for`` has come before that day.
    Without ``funding`` the partner that issued them pays; without ``limits`` they may be spent on anything.
    """

    number: StrictInt
    expires_on: date | None = None
    waits_until: date | None = None
    waits_for: Code | None = None
    funding: PointFunding | None = None
    limits: PointLimits | None = None
    basis: Code | None = None


class AwardData(Frozen):
    """What a receipt earned. ``debt_cleared`` of it went at once to what the member owed.

    A receipt that earns points of several types, or on several terms, is told of once for each ``part``.
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
    """Points taken back for goods that came back, or (``cause``: void) for a receipt that was undone as a whole. What
    neither pending nor available covered became debt. ``part``: of which part of an award that has several.
    ``funding``: who had paid for them, where not their issuer.
    ``clipped`` points were to be taken besides and were not there: by the rules nobody owes them.
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


class RefusalData(Frozen):
    """Why a receipt earns nothing, in a code and in words."""

    receipt_id: ReceiptId
    content_hash: str
    member_id: UUID | None = None
    partner_id: Code
    reason: Code
    detail: str


class AdjustmentData(Frozen):
    """Points that people gave, or took (below zero), and why, in a code of the programme's.

    ``shortfall`` was to be taken and not there. ``file_id``: one of many in a file.
    """

    member_id: UUID
    adjustment_id: UUID
    point_type: Code
    points: Annotated[StrictInt, Field(description="Signed: a whole number of the point type's smallest unit.")]
    shortfall: Points = 0
    debt_cleared: Points = 0
    reason_code: Code
    kind: Code
    expires_on: date | None = None
    file_id: UUID | None = None
    balance: Balance


class ReinstatementData(Frozen):
    """Points that had lapsed and were given back by people, by who had issued them. They last until the day before
    ``expires_on``. ``debt_cleared`` of them went at once to what the member owed.
    """

    member_id: UUID
    adjustment_id: UUID
    point_type: Code
    points: Points
    debt_cleared: Points = 0
    reason_code: Code
    kind: Code
    expires_on: date | None = None
    by_issuer: tuple[IssuerPoints, ...]
    balance: Balance


class WriteOffData(Frozen):
    """Debt that people forgave, by who had waited for it. ``shortfall`` was not owed any more."""

    member_id: UUID
    adjustment_id: UUID
    point_type: Code
    points: Points
    shortfall: Points = 0
    reason_code: Code
    kind: Code
    by_issuer: tuple[IssuerPoints, ...]
    balance: Balance


class ExpiringData(Frozen):
    """Points that can be spent until the day before ``expires_on``, told ``days`` before that (a little later after an
    outage). ``points`` are those that were left when it was told.
    """

    member_id: UUID
    point_type: Code
    points: Points
    expires_on: date
    days: StrictInt


class ExpiredData(Frozen):
    """Points that could be spent until the day before ``expires_on`` and were not, and who had issued them.

    Of one day there may be several: what a hold let go later lapses then. ``by_funding`` says which of them have
    payers of their own, and ``because`` that they lapsed before their own day.
    """

    member_id: UUID
    point_type: Code
    points: Points
    expires_on: date
    by_issuer: tuple[IssuerPoints, ...]
    balance: Balance
    by_funding: tuple[FundedPoints, ...] = ()
    because: Literal["inactivity"] | None = None


class MemberEventData(Frozen):
    """Something that a member did, or that time brought, other than a purchase, and what it gave. ``refusal``: why not.

    ``debt_cleared`` of the points went at once to what the member owed. ``balance`` where it gave any.
    """

    member_id: UUID
    event_id: UUID
    type_code: Code
    type_version: StrictInt
    occurred_at: AwareDatetime
    refusal: Code | None = None
    point_type: Code
    points: Points
    debt_cleared: Points = 0
    expires_on: date | None = None
    balance: Balance | None = None


class RevokedMemberEventData(Frozen):
    """A member event whose cause was undone: its points were taken back. What the balance did not cover became debt."""

    member_id: UUID
    event_id: UUID
    type_code: Code
    reason_code: Code
    point_type: Code
    points: Points
    became_debt: Points
    balance: Balance | None = None


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
    """A return or a void took points back."""

    type: Literal["loyalty.points.clawed_back.v1"] = "loyalty.points.clawed_back.v1"
    data: ClawBackData


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


class PointsAdjusted(Event):
    """People gave points, or took some."""

    type: Literal["loyalty.points.adjusted.v1"] = "loyalty.points.adjusted.v1"
    data: AdjustmentData


class PointsReinstated(Event):
    """Points that had lapsed were given back."""

    type: Literal["loyalty.points.reinstated.v1"] = "loyalty.points.reinstated.v1"
    data: ReinstatementData


class DebtWrittenOff(Event):
    """What a member owed was forgiven."""

    type: Literal["loyalty.debt.written_off.v1"] = "loyalty.debt.written_off.v1"
    data: WriteOffData


class PointsExpiring(Event):
    """Points will lapse soon: once for each day of expiry and notice."""

    type: Literal["loyalty.points.expiring.v1"] = "loyalty.points.expiring.v1"
    data: ExpiringData


class PointsExpired(Event):
    """Points lapsed."""

    type: Literal["loyalty.points.expired.v1"] = "loyalty.points.expired.v1"
    data: ExpiredData


class MemberEventRecorded(Event):
    """An event of a member's without a purchase was recorded."""

    type: Literal["loyalty.member_event.recorded.v1"] = "loyalty.member_event.recorded.v1"
    data: MemberEventData


class MemberEventRevoked(Event):
    """What had made a member event was undone."""

    type: Literal["loyalty.member_event.revoked.v1"] = "loyalty.member_event.revoked.v1"
    data: RevokedMemberEventData


PointsEvent = Annotated[
    PointsEarned
    | PointsPending
    | PointsReleased
    | PointsClawedBack
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
    | MemberEventRevoked,
    Field(discriminator="type"),
]
