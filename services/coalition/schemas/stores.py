"""What HTTP says of stores and tills."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.coalition.domain.places import Place
from services.coalition.domain.registry import Store, Till
from services.coalition.schemas.fields import AnswerModel, Name, TimeZone, refuse_repeated
from services.coalition.schemas.places import (
    Gln,
    Latitude,
    Longitude,
    OpenHoursAnswer,
    Week,
    degrees,
    place_of,
)
from shared.events.coalition import KeyScheme
from shared.web import Body, CodeText

STORES_MAX = 1_000
TILLS_PER_STORE_MAX = 100
TILLS_MAX = 5_000


class StoreBody(Body):
    """A shop. ``zone`` is a code of the partner's own, such as a price zone."""

    store_id: CodeText
    name: Name
    time_zone: TimeZone
    gln: Gln | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    zone: CodeText | None = None
    opening_hours: Week = Field(default_factory=list)

    @model_validator(mode="after")
    def _point_is_whole(self) -> Self:
        _refuse_half_a_point(self.latitude, self.longitude)
        return self

    def place(self) -> Place:
        """Where it is, and when it is open."""
        return place_of(self.gln, self.latitude, self.longitude, self.zone, self.opening_hours)


class StoreChangeBody(Body):
    """What changes of a shop. What is left out stays; null takes away what may be unknown."""

    name: Name | None = None
    time_zone: TimeZone | None = None
    gln: Gln | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    zone: CodeText | None = None
    opening_hours: Week | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("nothing_to_change", "Name at least one field to change")
        if ("latitude" in self.model_fields_set) != ("longitude" in self.model_fields_set):
            raise PydanticCustomError("half_a_point", "latitude and longitude change together")
        _refuse_half_a_point(self.latitude, self.longitude)
        return self

    def changed(self, store: Store) -> Store:
        """The shop with these changes."""
        said = self.model_fields_set
        wanted = place_of(self.gln, self.latitude, self.longitude, self.zone, self.opening_hours or [])
        fields = {"gln": "gln", "latitude": "latitude_microdegrees", "longitude": "longitude_microdegrees"}
        fields |= {"zone": "zone", "opening_hours": "opening_hours"}
        place = replace(store.place, **{fields[name]: getattr(wanted, fields[name]) for name in said & fields.keys()})
        return replace(store, name=self.name or store.name, time_zone=self.time_zone or store.time_zone, place=place)


def _refuse_half_a_point(latitude: Decimal | None, longitude: Decimal | None) -> None:
    if (latitude is None) != (longitude is None):
        raise PydanticCustomError("half_a_point", "latitude and longitude come together")


class TillBody(Body):
    """A point of sale. ``key_scheme`` says, once and for ever, how its receipts are numbered."""

    till_id: CodeText
    key_scheme: KeyScheme


class StoreWithTillsBody(StoreBody):
    """A shop with its points of sale."""

    tills: list[TillBody] = Field(default_factory=list, max_length=TILLS_PER_STORE_MAX)

    @model_validator(mode="after")
    def _tills_differ(self) -> Self:
        refuse_repeated([till.till_id for till in self.tills], "till_id")
        return self


class StoresBody(Body):
    """Many shops at once, for onboarding."""

    stores: list[StoreWithTillsBody] = Field(min_length=1, max_length=STORES_MAX)

    @model_validator(mode="after")
    def _stores_differ(self) -> Self:
        refuse_repeated([store.store_id for store in self.stores], "store_id")
        if sum(len(store.tills) for store in self.stores) > TILLS_MAX:
            raise PydanticCustomError(
                "too_many_tills",
                "One batch takes {tills_max} tills: send the rest in another",
                {"tills_max": TILLS_MAX},
            )
        return self


class StoreAnswer(AnswerModel):
    """A shop."""

    partner_id: str
    store_id: str
    name: str
    time_zone: str
    version: int
    gln: str | None
    latitude: Decimal | None
    longitude: Decimal | None
    zone: str | None
    opening_hours: list[OpenHoursAnswer]

    @classmethod
    def of(cls, store: Store) -> Self:
        """The answer for a store."""
        return cls(
            partner_id=store.partner_id,
            store_id=store.store_id,
            name=store.name,
            time_zone=store.time_zone,
            version=store.version,
            gln=store.place.gln,
            latitude=degrees(store.place.latitude_microdegrees),
            longitude=degrees(store.place.longitude_microdegrees),
            zone=store.place.zone,
            opening_hours=[OpenHoursAnswer.of(hours) for hours in store.place.opening_hours],
        )


class TillAnswer(AnswerModel):
    """A new point of sale, with its key: shown in this answer and its replays, and nowhere else."""

    partner_id: str
    store_id: str
    till_id: str
    key_scheme: KeyScheme
    version: int
    till_key: str = Field(repr=False, examples=["tk_…"])


OVERLAP_SECONDS_DEFAULT = 86_400
OVERLAP_SECONDS_MAX = 7 * 86_400


class KeyRotationBody(Body):
    """How long the till's old key stays good beside the new one, and why it is replaced."""

    overlap_seconds: Annotated[int, Field(ge=0, le=OVERLAP_SECONDS_MAX)] = OVERLAP_SECONDS_DEFAULT
    reason_code: CodeText = "rotation"


class KeyRevocationBody(Body):
    """Which keys of a till end at once: the one that was replaced, or all."""

    keys: Literal["previous", "all"]
    reason_code: CodeText


class TillView(AnswerModel):
    """A point of sale, without its keys."""

    partner_id: str
    store_id: str
    till_id: str
    key_scheme: KeyScheme
    is_revoked: bool
    previous_key_until: datetime | None
    version: int

    @classmethod
    def of(cls, till: Till) -> Self:
        """The answer for a till."""
        return cls(
            partner_id=till.partner_id,
            store_id=till.store_id,
            till_id=till.till_id,
            key_scheme=till.key_scheme,
            is_revoked=till.is_revoked,
            previous_key_until=till.previous_key_until,
            version=till.version,
        )


class KeyRotationAnswer(AnswerModel):
    """A till's new key: shown in this answer and its replays, and nowhere else."""

    partner_id: str
    store_id: str
    till_id: str
    version: int
    previous_key_until: datetime | None
    till_key: str = Field(repr=False, examples=["tk_…"])


class TillKey(AnswerModel):
    """A new till's key."""

    till_id: str
    till_key: str = Field(repr=False, examples=["tk_…"])


class StoreOutcome(AnswerModel):
    """What became of one store of a batch. One that existed stays as it is, and so do its tills."""

    store_id: str
    outcome: Literal["registered", "existed"]
    tills: list[TillKey]


class StoresAnswer(AnswerModel):
    """One outcome a store, in the order of the request."""

    partner_id: str
    stores: list[StoreOutcome]
