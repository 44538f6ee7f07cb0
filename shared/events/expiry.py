"""Events of points that time takes."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import StrictInt

from shared.events.balances import Balance, IssuerPoints
from shared.events.envelope import Code, Event, Frozen, Points
from shared.events.funding import FundedPoints


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


class PointsExpiring(Event):
    """Points will lapse soon: once for each day of expiry and notice."""

    type: Literal["loyalty.points.expiring.v1"] = "loyalty.points.expiring.v1"
    data: ExpiringData


class PointsExpired(Event):
    """Points lapsed."""

    type: Literal["loyalty.points.expired.v1"] = "loyalty.points.expired.v1"
    data: ExpiredData
