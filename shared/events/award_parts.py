"""What an award is made of: what each rule gave, and the parts that share a type and terms."""

from datetime import date

from pydantic import StrictInt

from shared.events.envelope import Code, Frozen
from shared.events.funding import PointFunding, PointLimits


class RulePoints(Frozen):
    """What one rule gave."""

    rule_id: Code
    points: StrictInt


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
