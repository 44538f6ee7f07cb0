"""Of ``loyalty.redemptions``, what members took for their points, and what became of it. Keyed by member.

``subject`` is the voucher. No event says its code.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.balances import Balance
from shared.events.envelope import Code, Event, Frozen, Minor, Points, Version


class RewardData(Frozen):
    """A voucher for one piece of a reward of a partner's, as ``reward_version`` says. ``points`` are the member's."""

    voucher_id: UUID
    reward_id: Code
    reward_version: Version
    member_id: UUID
    partner_id: Code
    point_type: Code
    points: Points
    balance: Balance


class IssuedRewardData(RewardData):
    """``points`` are reserved until the voucher is closed. ``cost_minor``: what the piece costs the programme, where
    that is known."""

    expires_at: AwareDatetime
    cost_minor: Annotated[Minor, Field(ge=0)] | None = None


class ClosedRewardData(RewardData):
    """``points`` went back to the lots that they came from, with their own dates; ``debt_cleared`` of them went to what
    the member owes. ``reason`` is why somebody cancelled it."""

    debt_cleared: Points = 0
    reason: Code | None = None


class RewardIssued(Event):
    """A member took a reward."""

    type: Literal["loyalty.reward.issued.v1"] = "loyalty.reward.issued.v1"
    data: IssuedRewardData


class RewardCancelled(Event):
    """A voucher counts no more, because somebody said so."""

    type: Literal["loyalty.reward.cancelled.v1"] = "loyalty.reward.cancelled.v1"
    data: ClosedRewardData


class RewardExpired(Event):
    """A voucher counts no more, because its time was over."""

    type: Literal["loyalty.reward.expired.v1"] = "loyalty.reward.expired.v1"
    data: ClosedRewardData


RewardEvent = RewardIssued | RewardCancelled | RewardExpired
