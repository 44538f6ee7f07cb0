"""What HTTP says: requests, strictly read, and answers."""

import zoneinfo
from functools import cache
from typing import Annotated, Literal, Self, TypeAlias

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.coalition.domain.registry import Partner, Store
from services.coalition.domain.scopes import SCOPES, Scope
from shared.events.coalition import KeyScheme
from shared.web import Body, CodeText
from shared.web.strict import CODE_LENGTH_MAX, CODE_PATTERN

NAME_LENGTH_MAX = 200
TIME_ZONE_LENGTH_MAX = 64
TOLERANCE_MINOR_MAX = 100_000
STORES_MAX = 1_000
TILLS_PER_STORE_MAX = 100
TILLS_MAX = 5_000
LINE_TOLERANCE_MINOR_DEFAULT = 1
RECEIPT_TOLERANCE_MINOR_DEFAULT = 5


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _known_time_zone(value: str) -> str:
    if value not in _time_zones():
        raise PydanticCustomError("time_zone", "Input should be an IANA time zone, as America/New_York")
    return value


def _distinct(values: list[str], what: str) -> None:
    if len(set(values)) != len(values):
        raise PydanticCustomError("not_distinct", "Each {what} may be named once", {"what": what})


Name: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH_MAX)]
TimeZone: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=TIME_ZONE_LENGTH_MAX, description="IANA.", examples=["America/New_York"]),
    AfterValidator(_known_time_zone),
]
CodeInPath: TypeAlias = Annotated[str, Path(pattern=CODE_PATTERN, max_length=CODE_LENGTH_MAX)]
Tolerance: TypeAlias = Annotated[int, Field(ge=0, le=TOLERANCE_MINOR_MAX)]


class PartnerBody(Body):
    """A member company. Tolerances are in minor units of the programme's currency."""

    partner_id: CodeText
    name: Name
    line_tolerance_minor: Tolerance = LINE_TOLERANCE_MINOR_DEFAULT
    receipt_tolerance_minor: Tolerance = RECEIPT_TOLERANCE_MINOR_DEFAULT


class StoreBody(Body):
    """A shop."""

    store_id: CodeText
    name: Name
    time_zone: TimeZone


class TillBody(Body):
    """A point of sale. ``key_scheme`` says, once and for ever, how its receipts are numbered."""

    till_id: CodeText
    key_scheme: KeyScheme


class StoreWithTillsBody(StoreBody):
    """A shop with its points of sale."""

    tills: list[TillBody] = Field(default_factory=list, max_length=TILLS_PER_STORE_MAX)

    @model_validator(mode="after")
    def _tills_differ(self) -> Self:
        _distinct([till.till_id for till in self.tills], "till_id")
        return self


class StoresBody(Body):
    """Many shops at once, for onboarding."""

    stores: list[StoreWithTillsBody] = Field(min_length=1, max_length=STORES_MAX)

    @model_validator(mode="after")
    def _stores_differ(self) -> Self:
        _distinct([store.store_id for store in self.stores], "store_id")
        if sum(len(store.tills) for store in self.stores) > TILLS_MAX:
            raise PydanticCustomError(
                "too_many_tills",
                "One batch takes {tills_max} tills: send the rest in another",
                {"tills_max": TILLS_MAX},
            )
        return self


class ClientBody(Body):
    """A machine that will call the API; without ``partner_id`` it is the programme's own and sees every partner."""

    client_id: CodeText
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES))
    partner_id: CodeText | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class PartnerAnswer(_Answer):
    """A member company."""

    partner_id: str
    name: str
    state: Literal["active", "suspended"]
    line_tolerance_minor: int
    receipt_tolerance_minor: int
    version: int

    @classmethod
    def of(cls, partner: Partner) -> Self:
        """The answer for a partner."""
        return cls(
            partner_id=partner.partner_id,
            name=partner.name,
            state=partner.state,
            line_tolerance_minor=partner.line_tolerance_minor,
            receipt_tolerance_minor=partner.receipt_tolerance_minor,
            version=partner.version,
        )


class StoreAnswer(_Answer):
    """A shop."""

    partner_id: str
    store_id: str
    name: str
    time_zone: str
    version: int

    @classmethod
    def of(cls, store: Store) -> Self:
        """The answer for a store."""
        return cls(
            partner_id=store.partner_id,
            store_id=store.store_id,
            name=store.name,
            time_zone=store.time_zone,
            version=store.version,
        )


class TillAnswer(_Answer):
    """A new point of sale, with its key: shown in this answer and its replays, and nowhere else."""

    partner_id: str
    store_id: str
    till_id: str
    key_scheme: KeyScheme
    version: int
    till_key: str = Field(repr=False, examples=["tk_…"])


class TillKey(_Answer):
    """A new till's key."""

    till_id: str
    till_key: str = Field(repr=False, examples=["tk_…"])


class StoreOutcome(_Answer):
    """What became of one store of a batch. One that existed stays as it is, and so do its tills."""

    store_id: str
    outcome: Literal["registered", "existed"]
    tills: list[TillKey]


class StoresAnswer(_Answer):
    """One outcome a store, in the order of the request."""

    partner_id: str
    stores: list[StoreOutcome]


class ClientAnswer(_Answer):
    """A new client, with its secret: shown in this answer and its replays, and nowhere else."""

    client_id: str
    partner_id: str | None
    scopes: list[str]
    version: int
    client_secret: str = Field(repr=False, examples=["cs_…"])


class TokenAnswer(_Answer):
    """RFC 6749 §5.1."""

    access_token: str = Field(repr=False)
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 -- the type's name
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="What the token allows, separated by spaces.")


class TokenRefusal(_Answer):
    """RFC 6749 §5.2."""

    error: str
    error_description: str


class JsonWebKey(_Answer):
    """RFC 8037: an Ed25519 public key."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class JsonWebKeySet(_Answer):
    """RFC 7517."""

    keys: list[JsonWebKey]
