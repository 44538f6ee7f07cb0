"""What an outcome says of points that were taken: whose they were, who pays, what they were for. On paper."""

from collections import defaultdict
from collections.abc import Mapping

from shared.ledger import FundedPoints, Funding, LimitedPoints, Limits, LotTerms


def by_issuer(taken: Mapping[LotTerms, int]) -> tuple[tuple[str, int], ...]:
    """Whose points were taken: one line a partner, by name."""
    issuers = sorted({terms.issuer for terms, points in taken.items() if points})
    return tuple(
        (issuer, sum(points for terms, points in taken.items() if terms.issuer == issuer)) for issuer in issuers
    )


def by_funding(taken: Mapping[LotTerms, int]) -> tuple[FundedPoints, ...]:
    """Who pays for those of the points that have payers of their own: one line each, as they came."""
    paid: dict[tuple[str, Funding], int] = defaultdict(int)
    for terms, points in taken.items():
        if terms.funding is not None and points:
            paid[terms.issuer, terms.funding] += points
    return tuple(FundedPoints(issuer, funding, points) for (issuer, funding), points in paid.items())


def by_limits(taken: Mapping[LotTerms, int]) -> tuple[LimitedPoints, ...]:
    """Which of the points are for some things alone: one line for each of such limits, as they came."""
    limited: dict[Limits, int] = defaultdict(int)
    for terms, points in taken.items():
        if terms.limits is not None and points:
            limited[terms.limits] += points
    return tuple(LimitedPoints(limits, points) for limits, points in limited.items())
