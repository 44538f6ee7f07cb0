"""Amounts that events of points share."""

from shared.events.envelope import Code, Frozen, Points


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
