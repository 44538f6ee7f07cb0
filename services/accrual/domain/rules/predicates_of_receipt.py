"""Predicates over the document: where it was issued, what stands in it, how it was paid.

Lines count in a predicate as far as they were kept: what came back is judged as if it had not been bought.
"""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from services.accrual.domain.rules.line_tests import LineTest
from services.accrual.domain.rules.ranges import Range
from services.accrual.domain.rules.values import Codes, CodeText, Count, Frozen, Minor
from shared.events.purchases import TenderKind


class StoreRef(Frozen):
    """A store, by the two codes that name it."""

    partner_id: CodeText
    store_id: CodeText


class StoreGroupRef(Frozen):
    """A group of a partner's stores, by the partner's own code (the ``zone`` of its stores)."""

    partner_id: CodeText
    group: CodeText


class PartnerIs(Frozen):
    """The receipt is one of these partners'."""

    kind: Literal["partner"] = "partner"
    partners: Codes


class StoreIs(Frozen):
    """One of these stores sold."""

    kind: Literal["store"] = "store"
    stores: Annotated[tuple[StoreRef, ...], Field(min_length=1, max_length=500)]


class StoreGroupIs(Frozen):
    """A store of one of these groups sold."""

    kind: Literal["store_group"] = "store_group"
    groups: Annotated[tuple[StoreGroupRef, ...], Field(min_length=1, max_length=500)]


class ChannelIs(Frozen):
    """The receipt came through one of these channels, as its till says."""

    kind: Literal["channel"] = "channel"
    channels: Codes


class Contains(Frozen):
    """At least one line is of these."""

    kind: Literal["contains"] = "contains"
    lines: LineTest


class AmountIs(Range):
    """What earns of the receipt, or of these of its lines, in minor units."""

    kind: Literal["amount"] = "amount"
    lines: LineTest | None = None
    at_least_minor: Minor | None = None
    at_most_minor: Minor | None = None


class QuantityIs(Range):
    """How much was bought, or how much of these lines, in thousandths of a unit."""

    kind: Literal["quantity"] = "quantity"
    lines: LineTest | None = None
    at_least_thousandths: Minor | None = None
    at_most_thousandths: Minor | None = None


class BasketSizeIs(Range):
    """How many different articles were bought: one that stands in two lines counts once."""

    kind: Literal["basket_size"] = "basket_size"
    lines: LineTest | None = None
    at_least: Count | None = None
    at_most: Count | None = None


class BundlePart(Frozen):
    """One thing that a bundle takes, and how much of it."""

    lines: LineTest
    thousandths: Annotated[StrictInt, Field(ge=1, le=10_000_000)] = 1_000


class Bundle(Frozen):
    """All of the parts were bought, each as much as it says."""

    kind: Literal["bundle"] = "bundle"
    parts: Annotated[tuple[BundlePart, ...], Field(min_length=2, max_length=20)]


class PaidBy(Frozen):
    """At least this much was paid by one of these tenders, or by them together."""

    kind: Literal["tender"] = "tender"
    tenders: Annotated[tuple[TenderKind, ...], Field(min_length=1, max_length=20)]
    at_least_minor: Annotated[StrictInt, Field(ge=1)] = 1


class HasCoupon(Frozen):
    """One of these coupon codes was used."""

    kind: Literal["coupon"] = "coupon"
    codes: Codes
