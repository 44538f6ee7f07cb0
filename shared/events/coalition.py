"""``loyalty.coalition``: partners, their stores, tills and operators, and who may call the API.

What it says of goods is in ``goods``, what it says of contracts and of money in ``contracts``.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StrictBool, StrictInt

from shared.events.contracts import ContractPublished, ExposureChanged, PrepaidExhausted, PrepaidLow
from shared.events.envelope import Code, Event, Frozen, IdentifierHash, Version
from shared.events.goods import ArticleChanged, PriceFloorChanged, ProductMapped

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
