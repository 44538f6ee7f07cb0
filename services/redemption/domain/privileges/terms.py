"""Privileges as data: whom they are for, where and when, on which goods, what they give, and who pays for it.

A privilege has an id for ever, and its terms never change: other terms are another privilege. Amounts are minor units
of the programme's currency; days are the programme's, and a last day counts to its last second.
"""

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictInt, StringConstraints, model_validator

from services.redemption.domain.write_off.rules import Codes, CodeText, Frozen, NameText
from shared.as_written import Day, OneLine

PAYERS_MAX = 20
WEIGHT_MAX = 1_000_000
AMOUNT_MAX = 10**12
SET_MAX = 100
USES_MAX = 10**9
LIMITS_MAX = 8
ORDER_MAX = 1_000
DAYS_MAX = 3_660
UNITS_MAX = 1_000_000
INFORMATION_LENGTH_MAX = 500

Rounding: TypeAlias = Literal["down", "half_up", "up"]
# What stands in paths, on receipts and on bills.
PlainCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
_Amount = Annotated[StrictInt, Field(ge=0, le=AMOUNT_MAX)]
_PositiveAmount = Annotated[StrictInt, Field(ge=1, le=AMOUNT_MAX)]


class ForEveryone(Frozen):
    """Every member is entitled."""

    kind: Literal["everyone"] = "everyone"


class ForTiers(Frozen):
    """Members of these tiers are entitled, as long as they are in one."""

    kind: Literal["tier"] = "tier"
    tiers: Codes


class ForOffer(Frozen):
    """Members to whom the programme has granted it are entitled."""

    kind: Literal["offer"] = "offer"


class ForPurchase(Frozen):
    """Members are entitled who bought goods on one receipt of one of ``partners``: on its day and ``days`` days more.

    Meant are ``skus`` (the partner's own) or ``categories`` (the programme's, each with all below it), of all such
    lines together ``units_min`` units and ``amount_min_minor`` at least; without either, any.
    """

    kind: Literal["purchase"] = "purchase"
    partners: Codes
    skus: Codes | None = None
    categories: Codes | None = None
    units_min: Annotated[StrictInt, Field(ge=1, le=UNITS_MAX)] | None = None
    amount_min_minor: _PositiveAmount | None = None
    days: Annotated[StrictInt, Field(ge=0, le=DAYS_MAX)]

    @model_validator(mode="after")
    def _names_goods(self) -> "ForPurchase":
        if self.skus is None and self.categories is None:
            raise ValueError("say which goods are to be bought: skus or categories")
        if self.skus is not None and len(self.partners) != 1:
            raise ValueError("skus are a partner's own: say this partner in partners, and no other")
        return self


Entitlement: TypeAlias = Annotated[ForEveryone | ForTiers | ForOffer | ForPurchase, Field(discriminator="kind")]


class PercentOff(Frozen):
    """So much of what is to be paid of the goods, in all no more than ``discount_max_minor``."""

    kind: Literal["percent"] = "percent"
    percent: Annotated[StrictInt, Field(ge=1, le=100)]
    discount_max_minor: _PositiveAmount | None = None
    rounding: Rounding = "half_up"


class AmountOff(Frozen):
    """One amount off the goods together; each line's part follows from what is to be paid of it."""

    kind: Literal["amount"] = "amount"
    amount_minor: _PositiveAmount


class UnitPrice(Frozen):
    """A unit of the goods costs no more than this. What is cheaper already stays so."""

    kind: Literal["price"] = "price"
    unit_minor: _Amount
    rounding: Rounding = "half_up"


class NForM(Frozen):
    """Whoever takes ``take`` units pays for ``pay``: of all units of the goods the cheapest are free, for as many whole
    sets as there are, and no more than ``sets_max``. What is sold by weight is no unit."""

    kind: Literal["n_for_m"] = "n_for_m"
    take: Annotated[StrictInt, Field(ge=2, le=SET_MAX)]
    pay: Annotated[StrictInt, Field(ge=0, le=SET_MAX)]
    sets_max: Annotated[StrictInt, Field(ge=1, le=SET_MAX)] | None = None
    rounding: Rounding = "half_up"

    @model_validator(mode="after")
    def _gives_something(self) -> "NForM":
        if self.pay >= self.take:
            raise ValueError("pay lies below take, or nothing would be free")
        return self


class Service(Frozen):
    """Something that is done for the member and costs it nothing; each use costs the payers ``cost_minor``."""

    kind: Literal["service"] = "service"
    cost_minor: _Amount = 0


class Queue(Frozen):
    """The member is served before others."""

    kind: Literal["queue"] = "queue"


class Information(Frozen):
    """Something that the cashier tells the member."""

    kind: Literal["information"] = "information"
    text: Annotated[OneLine, Field(min_length=1, max_length=INFORMATION_LENGTH_MAX)]


Discount: TypeAlias = PercentOff | AmountOff | UnitPrice | NForM
Benefit: TypeAlias = Annotated[
    PercentOff | AmountOff | UnitPrice | NForM | Service | Queue | Information, Field(discriminator="kind")
]
DISCOUNTS = (PercentOff, AmountOff, UnitPrice, NForM)


class OnGoods(Frozen):
    """Which goods of a basket are meant: those of one of the ``skus`` (the partner's own) or ``categories`` (the
    programme's, each with all below it); without either, all. ``amount_min_minor``: nothing is given where less than
    this is to be paid of them."""

    skus: Codes | None = None
    categories: Codes | None = None
    amount_min_minor: _PositiveAmount | None = None


class Payer(Frozen):
    """Who pays for what is given, a partner or not, and with which weight among the payers."""

    payer: PlainCode
    weight: Annotated[StrictInt, Field(ge=1, le=WEIGHT_MAX)] = 1


class UseLimit(Frozen):
    """How often it is given, a receipt being one use: to each member or to all together, ever or in each of these."""

    per: Literal["member", "all"]
    period: Literal["ever", "year", "month", "day"] = "ever"
    uses_max: Annotated[StrictInt, Field(ge=1, le=USES_MAX)]


class PrivilegeTerms(Frozen):
    """One privilege.

    ``stores`` are named with their partner, as ``grocer/s1``. ``payers``: none means the partner where it is used.
    How several go together: those of one ``group`` exclude each other, and the one that gives most is taken; all others
    follow one another by ``order``, then by id, each of what the ones before it have left.
    """

    privilege_id: PlainCode
    name: NameText
    entitlement: Entitlement
    benefit: Benefit
    partners: Codes | None = None
    stores: Codes | None = None
    first_day: Day
    last_day: Day | None = None
    goods: OnGoods = OnGoods()
    group: CodeText | None = None
    order: Annotated[StrictInt, Field(ge=0, le=ORDER_MAX)] = 100
    limits: Annotated[tuple[UseLimit, ...], Field(max_length=LIMITS_MAX)] = ()
    payers: Annotated[tuple[Payer, ...], Field(max_length=PAYERS_MAX)] = ()

    @model_validator(mode="after")
    def _check(self) -> "PrivilegeTerms":
        if self.last_day is not None and self.last_day < self.first_day:
            raise ValueError("last_day lies before first_day")
        if self.goods.skus is not None and (self.partners is None or len(self.partners) != 1):
            raise ValueError("skus are a partner's own: say this partner in partners, and no other")
        if not isinstance(self.benefit, DISCOUNTS) and (self.goods != OnGoods() or self.group is not None):
            raise ValueError("goods and group are for discounts alone")
        if len({one.payer for one in self.payers}) != len(self.payers):
            raise ValueError("each payer stands once")
        if len({(one.per, one.period) for one in self.limits}) != len(self.limits):
            raise ValueError("there is one limit of a kind: of several the least would bind alone")
        return self

    def is_on(self, day: date) -> bool:
        """Whether it is given on a day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def is_at(self, partner_id: str, store: str | None) -> bool:
        """Whether it is given there. Where no store is said, none is meant."""
        return (self.partners is None or partner_id in self.partners) and (self.stores is None or store in self.stores)


def partners_named(terms: PrivilegeTerms) -> frozenset[str]:
    """The partners that the terms name, as places or as sellers."""
    sellers = terms.entitlement.partners if isinstance(terms.entitlement, ForPurchase) else ()
    return frozenset(terms.partners or ()) | {store.partition("/")[0] for store in terms.stores or ()} | {*sellers}
