"""What is told of points that were taken from lots: who had issued them, who pays for them, what they were for."""

from collections.abc import Iterable

from shared.ledger.conditions import Funding, Limits
from shared.ledger.outcomes import FundedPoints, LimitedPoints
from shared.ledger.records import Lot


def funded_of(taken: Iterable[tuple[Lot, int]]) -> tuple[FundedPoints, ...]:
    """What of these points has payers of its own: one line an issuer and funding, in the order in which they came."""
    points: dict[tuple[str, Funding], int] = {}
    for lot, part in taken:
        if (funding := lot.terms.funding) is not None:
            points[lot.terms.issuer, funding] = points.get((lot.terms.issuer, funding), 0) + part
    return tuple(FundedPoints(issuer, funding, part) for (issuer, funding), part in points.items())


def limited_of(taken: Iterable[tuple[Lot, int]]) -> tuple[LimitedPoints, ...]:
    """Which of these points are for some things alone: one line for each of such limits, in the order they came."""
    points: dict[Limits, int] = {}
    for lot, part in taken:
        if (limits := lot.terms.limits) is not None:
            points[limits] = points.get(limits, 0) + part
    return tuple(LimitedPoints(limits, part) for limits, part in points.items())


def issuers_of(taken: Iterable[tuple[Lot, int]]) -> tuple[tuple[str, int], ...]:
    """Who had issued how many of these points: one line a partner, by name."""
    points: dict[str, int] = {}
    for lot, part in taken:
        points[lot.terms.issuer] = points.get(lot.terms.issuer, 0) + part
    return tuple(sorted(points.items()))
