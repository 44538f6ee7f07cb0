"""Funding and limits as events tell them, and as people read them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from shared.events import funding as told
from shared.ledger.conditions import Funding, Limits
from shared.ledger.outcomes import FundedPoints


def funding_told(funding: Funding | None) -> told.PointFunding | None:
    """Who pays; None where the issuer does."""
    return None if funding is None else told.PointFunding(**_said(funding))


def funded_told(funded: Iterable[FundedPoints]) -> tuple[told.FundedPoints, ...]:
    """Points that have payers of their own, in a fixed order."""
    lines = [told.FundedPoints(issuer=one.issuer, points=one.points, **_said(one.funding)) for one in funded]
    return tuple(sorted(lines, key=lambda line: line.model_dump_json()))


def limits_told(limits: Limits | None) -> told.PointLimits | None:
    """What points may be spent on; None: anything."""
    if limits is None:
        return None
    return told.PointLimits(
        partners=limits.partners, stores=limits.stores, categories=limits.categories, dates=limits.dates
    )


def limits_in_words(limits: Limits) -> str:
    """For instance: at fuel, for goods of oil or coffee, until 2026-12-31."""
    return ", ".join(_limits(limits))


def _limits(limits: Limits) -> Iterator[str]:
    if limits.partners:
        yield f"at {_any_of(limits.partners)}"
    if limits.stores:
        yield f"in store {_any_of(limits.stores)}"
    if limits.categories:
        yield f"for goods of {_any_of(limits.categories)}"
    if limits.dates:
        yield _any_of([_window(first, last) for first, last in limits.dates])


def _window(first: date, last: date) -> str:
    """A side on which a window is open is not spoken of."""
    if first == date.min:
        return f"until {last}"
    if last == date.max:
        return f"from {first}"
    return f"from {first} until {last}"


def _any_of(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _said(funding: Funding) -> dict[str, object]:
    price = funding.price_millionths
    return {
        "payers": tuple(told.PayerWeight(payer=payer, weight=weight) for payer, weight in funding.payers),
        "price": None if price is None else f"{Decimal(price).scaleb(-6):.6f}",
        "currency": funding.currency,
        "campaign": funding.campaign,
    }
