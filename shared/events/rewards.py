"""Of ``loyalty.redemptions``, what members took for their points, and what became of it. Keyed by member.

``subject`` is the voucher. No event says its code.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.balances import Balance, IssuerPoints
from shared.events.envelope import Code, Event, Frozen, Minor, Points, ReceiptId, Version
from shared.events.funding import FundedPoints


class VoucherData(Frozen):
    """A voucher for one piece of a reward of a partner's, as ``reward_version`` says. ``points`` are the member's."""

    voucher_id: UUID
    reward_id: Code
    reward_version: Version
    member_id: UUID
    partner_id: Code
    point_type: Code
    points: Points


class RewardData(VoucherData):
    """The same, and the member's balance just after."""

    balance: Balance


class IssuedRewardData(RewardData):
    """``points`` are reserved until the voucher is closed. ``money_minor`` is what it costs beside them; ``cost_minor``
    is what the piece costs the programme, where that is known.
    """

    expires_at: AwareDatetime
    money_minor: Annotated[Minor, Field(ge=0)] = 0
    cost_minor: Annotated[Minor, Field(ge=0)] | None = None


class ClosedRewardData(RewardData):
    """``points`` went back to the lots that they came from, with their own dates; ``debt_cleared`` of them went to what
    the member owes. ``reason`` is why somebody cancelled it, or that a reservation lapsed. ``paid_minor`` was paid for
    it beside the points: whoever took that gives it back.
    """

    debt_cleared: Points = 0
    paid_minor: Annotated[Minor, Field(ge=0)] = 0
    reason: Code | None = None


class DeliveredRewardData(VoucherData):
    """The member has the voucher's code, by ``channel``."""

    channel: Code


class UsedRewardData(RewardData):
    """``points`` were spent at the partner, for this receipt. ``by_issuer`` says who had issued them, ``by_funding``
    which of them have payers of their own; ``cost_minor`` is what the piece costs the programme, where that is known.
    """

    receipt_id: ReceiptId
    cost_minor: Annotated[Minor, Field(ge=0)] | None = None
    by_issuer: tuple[IssuerPoints, ...] = ()
    by_funding: tuple[FundedPoints, ...] = ()


class ReturnedRewardData(RewardData):
    """The receipt that had used the voucher was voided: ``points`` went back to the lots that they came from, with
    their own dates; ``debt_cleared`` of them went to what the member owes. ``undone_by`` is the document that says so.
    What was spent and given back counts from ``used_at``; ``by_issuer`` and ``by_funding`` say of it what its use said.
    ``paid_minor`` was paid for it beside the points: whoever took that gives it back.
    """

    receipt_id: ReceiptId
    undone_by: ReceiptId
    used_at: AwareDatetime
    debt_cleared: Points = 0
    paid_minor: Annotated[Minor, Field(ge=0)] = 0
    by_issuer: tuple[IssuerPoints, ...] = ()
    by_funding: tuple[FundedPoints, ...] = ()


class RewardReserved(Event):
    """A reward is kept for a member until ``expires_at``: it is issued once what it costs is paid."""

    type: Literal["loyalty.reward.reserved.v1"] = "loyalty.reward.reserved.v1"
    data: IssuedRewardData


class RewardIssued(Event):
    """A member took a reward."""

    type: Literal["loyalty.reward.issued.v1"] = "loyalty.reward.issued.v1"
    data: IssuedRewardData


class RewardDelivered(Event):
    """A member has what a voucher is shown by."""

    type: Literal["loyalty.reward.delivered.v1"] = "loyalty.reward.delivered.v1"
    data: DeliveredRewardData


class RewardUsed(Event):
    """A till took a voucher: its points are spent."""

    type: Literal["loyalty.reward.used.v1"] = "loyalty.reward.used.v1"
    data: UsedRewardData


class RewardCancelled(Event):
    """A voucher counts no more, because somebody said so."""

    type: Literal["loyalty.reward.cancelled.v1"] = "loyalty.reward.cancelled.v1"
    data: ClosedRewardData


class RewardExpired(Event):
    """A voucher counts no more, because its time was over."""

    type: Literal["loyalty.reward.expired.v1"] = "loyalty.reward.expired.v1"
    data: ClosedRewardData


class RewardReturned(Event):
    """A used voucher counts no more, because its receipt was voided."""

    type: Literal["loyalty.reward.returned.v1"] = "loyalty.reward.returned.v1"
    data: ReturnedRewardData
