"""When a rule applies: an all/any/not tree of typed predicates over the receipt, its store, its time and its member."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from services.accrual.domain.rules.line_tests import OF_MAX
from services.accrual.domain.rules.predicates_of_attributes import AttributeDate, AttributeIs, AttributeNumber
from services.accrual.domain.rules.predicates_of_event import PayloadIs, PayloadNumber
from services.accrual.domain.rules.predicates_of_member import (
    BirthdayNear,
    DatesAre,
    DaysSincePurchase,
    EnrolledFor,
    FirstPurchase,
    HoursAre,
    InCampaign,
    InHousehold,
    InSegment,
    NthPurchase,
    SpendIs,
    TierIs,
    WeekdayIs,
)
from services.accrual.domain.rules.predicates_of_receipt import (
    AmountIs,
    BasketSizeIs,
    Bundle,
    ChannelIs,
    Contains,
    HasCoupon,
    PaidBy,
    PartnerIs,
    QuantityIs,
    StoreGroupIs,
    StoreIs,
)
from services.accrual.domain.rules.values import Frozen


class AllOf(Frozen):
    """Every one of these predicates."""

    kind: Literal["all"] = "all"
    of: Annotated[tuple["Predicate", ...], Field(min_length=1, max_length=OF_MAX)]


class AnyOf(Frozen):
    """At least one of these predicates."""

    kind: Literal["any"] = "any"
    of: Annotated[tuple["Predicate", ...], Field(min_length=1, max_length=OF_MAX)]


class NotOf(Frozen):
    """The predicate does not hold."""

    kind: Literal["not"] = "not"
    of: "Predicate"


Predicate: TypeAlias = Annotated[
    PartnerIs
    | StoreIs
    | StoreGroupIs
    | ChannelIs
    | Contains
    | AmountIs
    | QuantityIs
    | BasketSizeIs
    | Bundle
    | PaidBy
    | HasCoupon
    | FirstPurchase
    | NthPurchase
    | SpendIs
    | DaysSincePurchase
    | WeekdayIs
    | HoursAre
    | DatesAre
    | BirthdayNear
    | EnrolledFor
    | TierIs
    | InHousehold
    | InSegment
    | InCampaign
    | AttributeIs
    | AttributeNumber
    | AttributeDate
    | PayloadIs
    | PayloadNumber
    | AllOf
    | AnyOf
    | NotOf,
    Field(discriminator="kind"),
]

for _model in (AllOf, AnyOf, NotOf):
    _model.model_rebuild()
