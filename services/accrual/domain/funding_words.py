"""Who pays for an award's points and what they may be spent on, in plain words. Pure."""

from collections.abc import Iterator
from decimal import Decimal

from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.outcomes import Part
from shared.ledger.payers import shares_of
from shared.ledger.telling import limits_in_words


def paid_in_words(evaluation: Evaluation) -> Iterator[str]:
    """A sentence for each part of an award that others than its partner pay for, or that is limited in use."""
    for part in evaluation.parts:
        said = [*_payers(part), *_limits(part)]
        if said:
            yield f"{part.points} of the points {', and '.join(said)}."


def _payers(part: Part) -> Iterator[str]:
    funding = part.terms.funding
    if funding is None:
        return
    shares = shares_of([weight for _, weight in funding.payers], part.points)
    paid = [(payer, share) for (payer, _), share in zip(funding.payers, shares, strict=True)]
    words = " and ".join(payer if len(paid) == 1 else f"{payer} ({share})" for payer, share in paid)
    price = ""
    if funding.price_millionths is not None:
        price = f" at {Decimal(funding.price_millionths).scaleb(-6).normalize():f} {funding.currency} a point"
    yield f"are paid by {words}{price}"


def _limits(part: Part) -> Iterator[str]:
    if part.terms.limits is not None:
        yield f"may be spent {limits_in_words(part.terms.limits)}"
