"""Who pays for what a rule or a campaign gives, at which price a point, and what it may be spent on."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StringConstraints, model_validator

from services.accrual.domain.rules.predicates_of_receipt import StoreRef
from services.accrual.domain.rules.values import CodeText, Frozen
from shared.as_written import Day
from shared.ledger import Funding, Limits, store_name
from shared.money import currency_exponent, is_currency

PAYERS_MAX = 20
BASIS_POINTS = 10_000
LIMIT_ENTRIES_MAX = 200
_PRICE_DECIMALS = 6  # of the currency's main unit

# A partner, a supplier without tills, or the programme itself.
PayerText = Annotated[str, StringConstraints(pattern=r"^(~programme|[A-Za-z0-9][A-Za-z0-9._:-]{0,63})$")]
PriceMinorText = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$"),
    Field(description="A decimal as a string: one point's price in minor units of the currency, without VAT."),
]
Basis = Literal["purchase", "gift", "compensation", "prize", "staff"]


class PayerShare(Frozen):
    """Who pays, and how many of 10,000 parts."""

    payer: PayerText
    share_bp: Annotated[StrictInt, Field(ge=1, le=BASIS_POINTS)]


class PointPrice(Frozen):
    """What one point costs its payers together. It is named to a millionth of the currency's main unit at most."""

    minor_per_point: PriceMinorText
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    @model_validator(mode="after")
    def _check_price(self) -> "PointPrice":
        if not is_currency(self.currency):
            raise ValueError("currency is one of ISO 4217, as USD")
        if self.millionths != self.millionths.to_integral_value():
            raise ValueError(f"a price in {self.currency} is named to a millionth of its main unit at most")
        return self

    @property
    def millionths(self) -> Decimal:
        """The price in millionths of the main unit."""
        return Decimal(self.minor_per_point).scaleb(_PRICE_DECIMALS - currency_exponent(self.currency))


class FundingTerms(Frozen):
    """Who pays for points, in place of the partner that issues them."""

    payers: Annotated[tuple[PayerShare, ...], Field(max_length=PAYERS_MAX)]
    price: PointPrice | None = None

    @model_validator(mode="after")
    def _check_payers(self) -> "FundingTerms":
        if len({one.payer for one in self.payers}) < len(self.payers):
            raise ValueError("a payer stands here twice: say its share once")
        total = sum(one.share_bp for one in self.payers)
        if total != BASIS_POINTS:
            raise ValueError(f"the payers' shares add up to {BASIS_POINTS} basis points, and not to {total}")
        return self

    def of_campaign(self, campaign: str | None) -> Funding:
        """As lots remember it."""
        price = self.price
        return Funding(
            tuple((one.payer, one.share_bp) for one in self.payers),
            None if price is None else int(price.millionths),
            None if price is None else price.currency,
            campaign,
        )


class SpendingDates(Frozen):
    """Days on which points may be spent: from the first second of ``from_date`` to the last of ``until_date``."""

    from_date: Day | None = None
    until_date: Day | None = None

    @model_validator(mode="after")
    def _check_dates(self) -> "SpendingDates":
        if self.from_date is None and self.until_date is None:
            raise ValueError("name from_date, until_date or both")
        if self.from_date is not None and self.until_date is not None and self.from_date > self.until_date:
            raise ValueError("from_date is after until_date: the points could never be spent")
        return self


class SpendingLimits(Frozen):
    """What points may be spent on alone. A kind that names nothing does not limit.

    A basket meets each kind: at one of the partners, in one of the stores, with goods of one of the categories or below
    it, on a day within one of the dates.
    """

    partners: Annotated[tuple[CodeText, ...], Field(max_length=LIMIT_ENTRIES_MAX)] = ()
    stores: Annotated[tuple[StoreRef, ...], Field(max_length=LIMIT_ENTRIES_MAX)] = ()
    categories: Annotated[tuple[CodeText, ...], Field(max_length=LIMIT_ENTRIES_MAX)] = ()
    dates: Annotated[tuple[SpendingDates, ...], Field(max_length=LIMIT_ENTRIES_MAX)] = ()

    @model_validator(mode="after")
    def _check_limits(self) -> "SpendingLimits":
        if not (self.partners or self.stores or self.categories or self.dates):
            raise ValueError("limits that limit nothing are none: leave them out")
        elsewhere = sorted({one.partner_id for one in self.stores} - {*self.partners}) if self.partners else []
        if elsewhere:
            raise ValueError(f"stores of {', '.join(elsewhere)} are of none of the partners that may be spent at")
        return self

    @cached_property
    def of_lots(self) -> Limits:
        """As lots remember them."""
        return Limits(
            partners=self.partners,
            stores=tuple(store_name(one.partner_id, one.store_id) for one in self.stores),
            categories=self.categories,
            dates=tuple((one.from_date or date.min, one.until_date or date.max) for one in self.dates),
        )


def stores_in(limits: Iterable[SpendingLimits | None]) -> set[tuple[str, str]]:
    """The stores that limits name."""
    return {(store.partner_id, store.store_id) for one in limits if one is not None for store in one.stores}
