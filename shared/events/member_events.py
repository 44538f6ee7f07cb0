"""Events of what members did beside buying, and what it gave."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, StrictInt

from shared.events.balances import Balance
from shared.events.envelope import Code, Event, Frozen, Points


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


class MemberEventRecorded(Event):
    """An event of a member's without a purchase was recorded."""

    type: Literal["loyalty.member_event.recorded.v1"] = "loyalty.member_event.recorded.v1"
    data: MemberEventData


class MemberEventRevoked(Event):
    """What had made a member event was undone."""

    type: Literal["loyalty.member_event.revoked.v1"] = "loyalty.member_event.revoked.v1"
    data: RevokedMemberEventData
