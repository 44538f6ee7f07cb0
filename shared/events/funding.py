"""Who pays for points and what they may be spent on, as events tell it: what a bill is made of."""

from datetime import date
from typing import Annotated

from pydantic import Field, StrictInt

from shared.events.envelope import Code, Frozen, Points

PriceText = Annotated[
    str,
    Field(
        pattern=r"^[0-9]+\.[0-9]{6}$",
        description="One point's price in major units of the currency, without VAT, to six places.",
    ),
]


class PayerWeight(Frozen):
    """Who pays, a partner or not, and which weight among the payers."""

    payer: Code
    weight: Annotated[StrictInt, Field(ge=1)]


class PointFunding(Frozen):
    """Who pays for points, in place of their issuer, for which campaign, and what each point costs them together.

    Of any points each payer's share follows from the weights and a running total, so that shares add up to the last
    point: each next point is the payer's whose share lags most.
    """

    payers: Annotated[tuple[PayerWeight, ...], Field(min_length=1)]
    price: PriceText | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")] | None = None
    campaign: Code | None = None


class FundedPoints(PointFunding):
    """Points of one issuer that have payers of their own."""

    issuer: Code
    points: Points


class PointLimits(Frozen):
    """What points may be spent on alone; an empty list limits nothing. Stores are named with their partner, as
    ``grocer/s1``; ``dates`` are first and last days.
    """

    partners: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    dates: tuple[tuple[date, date], ...] = ()
