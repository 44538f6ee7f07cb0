"""Events of what members did beside buying, and what it gave."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, StrictInt

from shared.events.award_parts import AwardPart, RulePoints
from shared.events.balances import Balance
from shared.events.envelope import Code, Event, Frozen, Points
from shared.events.funding import PointFunding


class MemberEventPart(Frozen):
    """Points that rules gave for an event, of one type and on one set of terms.

    ``debt_cleared`` of them went at once to what the member owed.
    """

    part: AwardPart
    point_type: Code
    points: Points
    debt_cleared: Points = 0
    by_rule: tuple[RulePoints, ...]
    balance: Balance


class MemberEventData(Frozen):
    """Something that a member did, or that time brought, other than a purchase, and what it gave. ``refusal``: why not.

    ``debt_cleared`` of the points went at once to what the member owed. ``balance`` where it gave any. Where rules said
    what it earned there are a ``rule_set_version`` and ``parts``; ``points`` are the programme's own in all, those that
    wait included.
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
    rule_set_version: StrictInt | None = None
    parts: tuple[MemberEventPart, ...] = ()


class RevokedMemberEventPart(Frozen):
    """What was taken back of one part of what rules had given. ``funding``: who had paid for it, where others did."""

    number: StrictInt
    point_type: Code
    points: Points
    became_debt: Points
    clipped: Points = 0
    funding: PointFunding | None = None
    balance: Balance


class RevokedMemberEventData(Frozen):
    """A member event whose cause was undone: its points were taken back. What the balance did not cover became debt.

    ``clipped`` points were to be taken besides and were not there: by the rules nobody owes them.
    """

    member_id: UUID
    event_id: UUID
    type_code: Code
    reason_code: Code
    point_type: Code
    points: Points
    became_debt: Points
    balance: Balance | None = None
    clipped: Points = 0
    parts: tuple[RevokedMemberEventPart, ...] = ()


class SettledMemberEventData(Frozen):
    """What became of points of a member event that waited: ``released``, to be spent until the day before
    ``expires_on``, or ``lapsed``, since what they waited for did not come. ``reason``: what they waited for.
    """

    member_id: UUID
    event_id: UUID
    type_code: Code
    outcome: Literal["released", "lapsed"]
    reason: Code
    part: StrictInt
    point_type: Code
    points: Points
    expires_on: date | None = None
    balance: Balance


class MemberEventRecorded(Event):
    """An event of a member's without a purchase was recorded."""

    type: Literal["loyalty.member_event.recorded.v1"] = "loyalty.member_event.recorded.v1"
    data: MemberEventData


class MemberEventRevoked(Event):
    """What had made a member event was undone."""

    type: Literal["loyalty.member_event.revoked.v1"] = "loyalty.member_event.revoked.v1"
    data: RevokedMemberEventData


class MemberEventSettled(Event):
    """Points of a member event wait no longer."""

    type: Literal["loyalty.member_event.settled.v1"] = "loyalty.member_event.settled.v1"
    data: SettledMemberEventData
