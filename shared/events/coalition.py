"""``loyalty.coalition``: partners, their stores and tills, and who may call the API."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool, StrictInt

from shared.events.envelope import Code, Event, Frozen, IdentifierHash, Minor, Points, Version

KeyScheme = Literal["sequence", "fiscal", "document"]
PartnerKind = Literal["issuing", "redeeming", "both", "co_brand_bank"]
PartnerState = Literal[
    "preparing", "testing", "active", "suspended_earning", "suspended_spending", "suspended", "leaving", "left"
]

OperatorState = Literal["active", "left"]


class PartnerData(Frozen):
    """A member company. Tolerances are how far a receipt's sums may be off before the door refuses it.

    Kind and state count from ``in_force_from`` on (absent: from the event's time). Of one who is leaving, points are
    earned and spent up to and including the two days, and goods come back up to and including ``returns_until``.
    """

    partner_id: Code
    version: Version
    name: str
    state: PartnerState
    kind: PartnerKind = "both"
    in_force_from: AwareDatetime | None = None
    last_earn_on: date | None = None
    last_spend_on: date | None = None
    returns_until: date | None = None
    reason_code: Code | None = None
    line_tolerance_minor: Annotated[StrictInt, Field(ge=0)] = 1
    receipt_tolerance_minor: Annotated[StrictInt, Field(ge=0)] = 5


class OpeningHours(Frozen):
    """One stretch of one day of the week (1 is Monday), in minutes since midnight of the store's time zone."""

    weekday: Annotated[StrictInt, Field(ge=1, le=7)]
    opens_minute: Annotated[StrictInt, Field(ge=0, le=1440)]
    closes_minute: Annotated[StrictInt, Field(ge=0, le=1440)]


class StoreData(Frozen):
    """A shop of a partner. ``zone`` is a code of the partner's; without opening hours nothing is known of them."""

    partner_id: Code
    store_id: Code
    version: Version
    name: str
    time_zone: str
    gln: Annotated[str, Field(pattern=r"^[0-9]{13}$")] | None = None
    latitude_microdegrees: Annotated[StrictInt, Field(ge=-90_000_000, le=90_000_000)] | None = None
    longitude_microdegrees: Annotated[StrictInt, Field(ge=-180_000_000, le=180_000_000)] | None = None
    zone: Code | None = None
    opening_hours: tuple[OpeningHours, ...] = ()


class TillData(Frozen):
    """A point of sale, how it numbers its receipts, and the SHA-256 (hex) of the key it authenticates with.

    Of a key that was replaced, the one before is good until ``previous_key_until``.
    """

    partner_id: Code
    store_id: Code
    till_id: Code
    version: Version
    key_scheme: KeyScheme
    key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    is_revoked: StrictBool = False
    previous_key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    previous_key_until: AwareDatetime | None = None


class RateLimitData(Frozen):
    """How many requests a client may make in a window, of each process."""

    requests: Annotated[StrictInt, Field(ge=1)]
    window_seconds: Annotated[StrictInt, Field(ge=1)]


class ApiClientData(Frozen):
    """A machine that calls the API. ``partner_id`` is absent for the programme's own clients, ``rate_limit`` for those
    that have none of their own.
    """

    client_id: Code
    version: Version
    partner_id: Code | None = None
    scopes: tuple[str, ...]
    is_revoked: StrictBool = False
    rate_limit: RateLimitData | None = None


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


class PartnerChanged(Event):
    """A partner was registered or changed."""

    type: Literal["loyalty.partner.changed.v1"] = "loyalty.partner.changed.v1"
    data: PartnerData


class StoreChanged(Event):
    """A store was registered or changed."""

    type: Literal["loyalty.store.changed.v1"] = "loyalty.store.changed.v1"
    data: StoreData


class TillChanged(Event):
    """A till was registered, got another key, or was revoked."""

    type: Literal["loyalty.till.changed.v1"] = "loyalty.till.changed.v1"
    data: TillData


class ApiClientChanged(Event):
    """An API client was registered, changed or revoked."""

    type: Literal["loyalty.api_client.changed.v1"] = "loyalty.api_client.changed.v1"
    data: ApiClientData


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


class MappedData(Frozen):
    """What a partner's category counts as in the programme's tree, from ``in_force_from`` on.

    ``path`` leads from the tree's root down to ``category_id``; both are absent where it counts as itself again.
    ``version`` counts all mappings of the partner, together with what ArticleChanged says, one after the other.
    """

    partner_id: Code
    version: Version
    partner_category: Code
    category_id: Code | None = None
    path: tuple[Code, ...] = ()
    in_force_from: AwareDatetime


class ProductMapped(Event):
    """A partner's category was mapped to the programme's tree, or no longer is."""

    type: Literal["loyalty.product.mapped.v1"] = "loyalty.product.mapped.v1"
    data: MappedData


class ArticleData(Frozen):
    """Whether an article of a partner earns nothing, from ``in_force_from`` on.

    ``version`` counts the partner's mappings and what is said of its articles together, one after the other.
    """

    partner_id: Code
    version: Version
    sku: Code
    is_excluded: StrictBool
    in_force_from: AwareDatetime


class ArticleChanged(Event):
    """A partner's article is excluded from earning, or no longer is."""

    type: Literal["loyalty.article.changed.v1"] = "loyalty.article.changed.v1"
    data: ArticleData


class PriceFloorData(Frozen):
    """What a unit of a partner's article does not cost less than, in minor units of the programme's currency; absent:
    it may cost anything again.

    A unit is what quantities on receipts count. ``version`` rises with each change of the floor, and may skip numbers.
    """

    partner_id: Code
    version: Version
    sku: Code
    floor_minor: Annotated[Minor, Field(gt=0)] | None = None


class PriceFloorChanged(Event):
    """A partner's article has a price floor, another one, or none any more. Discounts and points do not go below it."""

    type: Literal["loyalty.price_floor.changed.v1"] = "loyalty.price_floor.changed.v1"
    data: PriceFloorData


class OperatorData(Frozen):
    """A cashier of a partner, by the hash that receipts bear.

    ``own_card_hashes`` may each stand for the operator's own member card in a receipt. They are gone when the operator
    has left, when the partner takes the card away, and when the member whose card it is was erased.
    """

    partner_id: Code
    operator_hash: IdentifierHash
    version: Version
    state: OperatorState
    own_card_hashes: tuple[IdentifierHash, ...] = ()


class OperatorChanged(Event):
    """An operator was registered, left or came back, or has another own card, or none."""

    type: Literal["loyalty.operator.changed.v1"] = "loyalty.operator.changed.v1"
    data: OperatorData


CoalitionEvent = Annotated[
    PartnerChanged
    | StoreChanged
    | TillChanged
    | ApiClientChanged
    | ProductMapped
    | ArticleChanged
    | PriceFloorChanged
    | OperatorChanged
    | ContractPublished
    | ExposureChanged
    | PrepaidLow
    | PrepaidExhausted,
    Field(discriminator="type"),
]
