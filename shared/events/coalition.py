"""``loyalty.coalition``: partners, their stores and tills, and who may call the API."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from shared.events.envelope import Code, Event, Frozen, Version

KeyScheme = Literal["sequence", "fiscal", "document"]


class PartnerData(Frozen):
    """A member company. Tolerances are how far a receipt's sums may be off before the door refuses it."""

    partner_id: Code
    version: Version
    name: str
    state: Literal["active", "suspended"]
    line_tolerance_minor: Annotated[StrictInt, Field(ge=0)] = 1
    receipt_tolerance_minor: Annotated[StrictInt, Field(ge=0)] = 5


class StoreData(Frozen):
    """A shop of a partner."""

    partner_id: Code
    store_id: Code
    version: Version
    name: str
    time_zone: str


class TillData(Frozen):
    """A point of sale, how it numbers its receipts, and the SHA-256 (hex) of the key it authenticates with."""

    partner_id: Code
    store_id: Code
    till_id: Code
    version: Version
    key_scheme: KeyScheme
    key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    is_revoked: StrictBool = False


class ApiClientData(Frozen):
    """A machine that calls the API. ``partner_id`` is absent for the programme's own clients."""

    client_id: Code
    version: Version
    partner_id: Code | None = None
    scopes: tuple[str, ...]
    is_revoked: StrictBool = False


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


CoalitionEvent = Annotated[PartnerChanged | StoreChanged | TillChanged | ApiClientChanged, Field(discriminator="type")]
