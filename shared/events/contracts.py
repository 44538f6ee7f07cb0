"""What ``loyalty.coalition`` says of partners' contracts, and of where partners stand by them."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictInt

from shared.events.envelope import Code, Event, Frozen, Minor, Points, Version

PriceText = Annotated[
    str,
    Field(
        pattern=r"^[0-9]+\.[0-9]{6}$",
        description="One point's price in major units of the currency, without VAT, to six places.",
    ),
]
PercentText = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2}$", description="A percentage, to two places.")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
Percent = Annotated[StrictInt, Field(ge=0, le=100)]


class RateData(Frozen):
    """Prices of one point of a type; redemptions take ``minimum_points`` or more, in whole ``step_points``."""

    point_type: Code
    issue_price: PriceText
    redemption_price: PriceText
    vat_percent: PercentText
    settle_on: Literal["issue", "redemption"]
    minimum_points: Points
    step_points: Points


class ExclusivityData(Frozen):
    """A category that the partner has for itself in a territory (ISO 3166)."""

    category: Code
    territory: Code


class ContractData(Frozen):
    """A partner's terms, in force from ``effective_from`` until just before ``effective_until``.

    A partner's contracts never overlap. ``amount_minor`` is the prepaid block or the credit limit. With nothing left
    of it the partner is refused, or goes on until it owes ``reserve_minor`` more.
    """

    contract_id: UUID
    version: Version
    partner_id: Code
    number: Annotated[StrictInt, Field(ge=1)]
    effective_from: AwareDatetime
    effective_until: AwareDatetime | None = None
    currency: Currency
    rates: tuple[RateData, ...]
    funding: Literal["prepaid", "postpaid"]
    amount_minor: Annotated[Minor, Field(ge=0)]
    alert_percents: tuple[Percent, ...] = ()
    when_exhausted: Literal["refuse", "reserve"]
    reserve_minor: Annotated[Minor, Field(ge=0)] = 0
    exclusivities: tuple[ExclusivityData, ...] = ()


class PointsExposure(Frozen):
    """Points of one type: issued, taken back for returns, redeemed at the partner; of its own, redeemed anywhere."""

    point_type: Code
    issued_points: Points
    returned_points: Points
    redeemed_points: Points
    spent_points: Points
    refunded_points: Points = 0
    restored_points: Points = 0


class ExposureData(Frozen):
    """Where a partner stands, in minor units without VAT.

    ``standing``: ``low`` an alert level was reached, ``reserve`` nothing is left and the contract's reserve is in use,
    ``exhausted`` nothing is left and the partner is to be refused. ``left_minor`` is absent while no contract holds.
    """

    partner_id: Code
    version: Version
    contract_id: UUID | None = None
    standing: Literal["open", "low", "reserve", "exhausted"]
    currency: Currency
    payable_minor: Minor
    receivable_minor: Minor
    paid_minor: Minor
    left_minor: Minor | None = None
    overshoot_minor: Annotated[Minor, Field(ge=0)] = 0
    points: tuple[PointsExposure, ...]


class PrepaidData(Frozen):
    """What is left of a prepaid block, and the alert level that it reached. The version is the exposure's."""

    partner_id: Code
    version: Version
    contract_id: UUID
    currency: Currency
    left_minor: Minor
    alert_percent: Percent


class ContractPublished(Event):
    """A contract was approved, or an approved one got an earlier end: a minute or more before either takes effect."""

    type: Literal["loyalty.contract.published.v1"] = "loyalty.contract.published.v1"
    data: ContractData


class ExposureChanged(Event):
    """A partner's points or payments moved: told at once when a threshold is crossed, else at most once a second."""

    type: Literal["loyalty.exposure.changed.v1"] = "loyalty.exposure.changed.v1"
    data: ExposureData


class PrepaidLow(Event):
    """A prepaid block fell to one of its alert levels. Told once, and again only after a payment brought it above."""

    type: Literal["loyalty.prepaid.ran_low.v1"] = "loyalty.prepaid.ran_low.v1"
    data: PrepaidData


class PrepaidExhausted(Event):
    """A prepaid block is used up. Told once, and again only after a payment."""

    type: Literal["loyalty.prepaid.exhausted.v1"] = "loyalty.prepaid.exhausted.v1"
    data: PrepaidData
