"""``loyalty.redemptions``: points reserved, taken and given back. Keyed by member."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool

from shared.events.balances import Balance, IssuerPoints
from shared.events.envelope import Code, Event, Frozen, Minor, Points, ReceiptId, Version
from shared.events.funding import FundedPoints, PayerWeight
from shared.events.rewards import (
    RewardCancelled,
    RewardDelivered,
    RewardExpired,
    RewardIssued,
    RewardReserved,
    RewardReturned,
    RewardUsed,
)


class PooledPoints(Frozen):
    """Points of another member of the household: of ``points`` of the event so many, and what that member has then."""

    member_id: UUID
    points: Points
    balance: Balance


class HoldData(Frozen):
    """Points reserved for one checkout. ``session_id``: the till conversation, of a QR token or of a checkout, that it
    belongs to.

    ``balance`` is the member's own. ``pooled`` says what of ``points`` is others'. ``decided_by`` says who let them go,
    where that was asked: ``fraud``, the ``ceiling`` while it did not answer, or what the member confirmed by,
    ``code`` or ``pin``; ``decision_id`` is what it was asked under, and ``store_id`` where.
    """

    redemption_id: UUID
    member_id: UUID
    partner_id: Code
    point_type: Code
    points: Points
    expires_at: AwareDatetime
    balance: Balance
    session_id: UUID | None = None
    pooled: tuple[PooledPoints, ...] = ()
    decided_by: Code | None = None
    decision_id: UUID | None = None
    store_id: Code | None = None


class CaptureData(Frozen):
    """Points taken. ``late``: the hold was gone; ``uncovered_points`` is what the balance could not give.

    ``by_issuer`` says who had issued ``points``; events from before it was told have nothing there. ``by_funding`` says
    which of them have payers of their own. ``pooled`` says what of ``points`` was others'; zero where all that was
    reserved of one was let go. ``late_because`` says what had become of the hold: ``hold_missing``, ``hold_declined``,
    ``hold_voided``, ``hold_expired``, ``hold_captured`` (by another receipt) or ``hold_smaller``. ``debt_points``,
    besides ``points``, were not there, and the member owes them to the partner.
    """

    redemption_id: UUID
    receipt_id: ReceiptId
    member_id: UUID
    partner_id: Code
    point_type: Code
    points: Points
    released_points: Points = 0
    late: StrictBool = False
    uncovered_points: Points = 0
    by_issuer: tuple[IssuerPoints, ...] = ()
    balance: Balance
    pooled: tuple[PooledPoints, ...] = ()
    by_funding: tuple[FundedPoints, ...] = ()
    late_because: Code | None = None
    debt_points: Points = 0


class RefundData(Frozen):
    """Points that a receipt had taken and that went back to the lots that they came from, with their own dates.

    ``cause``: ``void`` is a receipt that was voided as a whole. ``undone_by`` is the document that says so. What was
    taken and given back counts from ``captured_at``. ``debt_cleared`` of ``points`` went to what their owners owed.
    ``by_issuer``, ``by_funding`` and ``pooled`` say of ``points`` what they say of those that were captured.
    ``debt_points``, besides them, the member had owed for it: no more, and what had been paid of them came back.
    ``content_hash`` tells documents apart that bear the key ``undone_by``; None: a till asked for it over HTTP.
    """

    redemption_id: UUID
    receipt_id: ReceiptId
    undone_by: ReceiptId
    cause: Code
    member_id: UUID
    partner_id: Code
    point_type: Code
    points: Points
    captured_at: AwareDatetime
    debt_cleared: Points = 0
    by_issuer: tuple[IssuerPoints, ...] = ()
    balance: Balance
    pooled: tuple[PooledPoints, ...] = ()
    by_funding: tuple[FundedPoints, ...] = ()
    debt_points: Points = 0
    content_hash: str | None = None


class UnholdData(Frozen):
    """Reserved points that went back to the balance, and what of them is others'. ``open_points`` stay reserved."""

    redemption_id: UUID
    member_id: UUID
    partner_id: Code
    point_type: Code
    points: Points
    balance: Balance
    pooled: tuple[PooledPoints, ...] = ()
    open_points: Points = 0


class DeclineData(Frozen):
    """A hold that was refused, with its reason code."""

    redemption_id: UUID
    member_id: UUID
    partner_id: Code
    point_type: Code
    points: Points
    reason: Code


class GiftData(Frozen):
    """Points that one member's account gave to another's, by a permanent id.

    ``reason``: ``gift`` is what the member gave, ``household_left`` what stayed with ``household_id`` when the member
    left it. ``balance`` is the giver's, ``receiver_balance`` the receiver's, both just after it; ``debt_cleared`` of
    ``points`` went to what the receiver owed. ``by_issuer`` says who had issued them, and ``by_funding`` which of them
    have payers of their own. ``decided_by`` and ``decision_id`` are as those of a hold.
    """

    gift_id: UUID
    member_id: UUID
    receiver_id: UUID
    point_type: Code
    points: Points
    reason: Code
    household_id: UUID | None = None
    debt_cleared: Points = 0
    by_issuer: tuple[IssuerPoints, ...] = ()
    balance: Balance
    receiver_balance: Balance
    by_funding: tuple[FundedPoints, ...] = ()
    decided_by: Code | None = None
    decision_id: UUID | None = None


class PrivilegeUseData(Frozen):
    """One use of a privilege, by the receipt that says so: all that is known of it by now.

    ``amount_minor`` is what it took off in all, ``undone_minor`` what of that came back with returned goods or a voided
    receipt; ``is_undone``: nothing of the use is left, and it counts towards no limit. ``cost_minor`` is what
    ``payers`` pay for all that is left; without payers the partner does. ``objection`` says why it should not have been
    given, where that is so; of a privilege that nobody knows there is no ``benefit``. ``member_id`` is absent while
    nobody knows whose card it was.
    """

    privilege_id: Code
    receipt_id: ReceiptId
    version: Version
    member_id: UUID | None = None
    partner_id: Code
    store_id: Code
    occurred_at: AwareDatetime
    currency: Annotated[str, Field(min_length=3, max_length=3)]
    benefit: Code | None = None
    amount_minor: Minor
    undone_minor: Minor = 0
    is_undone: StrictBool = False
    cost_minor: Minor
    payers: tuple[PayerWeight, ...] = ()
    objection: Code | None = None


class ChallengeData(Frozen):
    """Points leave once the member confirms it by a code. The code stands nowhere: it follows from ``challenge_id`` and
    the key of this id, which redemption and notifications have. After ``expires_at`` it counts no more.
    """

    challenge_id: UUID
    member_id: UUID
    kind: Literal["hold", "gift"]
    partner_id: Code | None = None
    point_type: Code
    points: Points
    key_id: Code
    expires_at: AwareDatetime


class RedemptionHeld(Event):
    """Points were reserved."""

    type: Literal["loyalty.redemption.held.v1"] = "loyalty.redemption.held.v1"
    data: HoldData


class RedemptionCaptured(Event):
    """Reserved points were taken."""

    type: Literal["loyalty.redemption.captured.v1"] = "loyalty.redemption.captured.v1"
    data: CaptureData


class RedemptionRefunded(Event):
    """Points that were taken were given back."""

    type: Literal["loyalty.redemption.refunded.v1"] = "loyalty.redemption.refunded.v1"
    data: RefundData


class RedemptionVoided(Event):
    """Reserved points were let go by the till."""

    type: Literal["loyalty.redemption.voided.v1"] = "loyalty.redemption.voided.v1"
    data: UnholdData


class RedemptionExpired(Event):
    """Reserved points were let go by time."""

    type: Literal["loyalty.redemption.expired.v1"] = "loyalty.redemption.expired.v1"
    data: UnholdData


class RedemptionDeclined(Event):
    """A hold was refused."""

    type: Literal["loyalty.redemption.declined.v1"] = "loyalty.redemption.declined.v1"
    data: DeclineData


class PointsGifted(Event):
    """Points went from one member to another. Keyed by the giver."""

    type: Literal["loyalty.points.gifted.v1"] = "loyalty.points.gifted.v1"
    data: GiftData


class PrivilegeUsed(Event):
    """A member was given what it is entitled to. Told again, with a higher version, where its member becomes known."""

    type: Literal["loyalty.privilege.used.v1"] = "loyalty.privilege.used.v1"
    data: PrivilegeUseData


class PrivilegeUndone(Event):
    """What is undone of a use of a privilege is another amount by now; a return that is voided makes it less."""

    type: Literal["loyalty.privilege.undone.v1"] = "loyalty.privilege.undone.v1"
    data: PrivilegeUseData


class SpendChallenged(Event):
    """A member is to confirm that points may leave."""

    type: Literal["loyalty.spend.challenged.v1"] = "loyalty.spend.challenged.v1"
    data: ChallengeData


RedemptionEvent = Annotated[
    RedemptionHeld
    | RedemptionCaptured
    | RedemptionRefunded
    | RedemptionVoided
    | RedemptionExpired
    | RedemptionDeclined
    | PointsGifted
    | RewardReserved
    | RewardIssued
    | RewardDelivered
    | RewardUsed
    | RewardCancelled
    | RewardExpired
    | RewardReturned
    | PrivilegeUsed
    | PrivilegeUndone
    | SpendChallenged,
    Field(discriminator="type"),
]
