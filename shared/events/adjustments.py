"""Events of points that people moved by hand: adjusted, given back, forgiven."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictInt

from shared.events.balances import Balance, IssuerPoints
from shared.events.envelope import Code, Event, Frozen, Points


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
