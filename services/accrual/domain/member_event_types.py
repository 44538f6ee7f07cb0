"""Member events without a purchase, declared as data: who may tell of them, what makes one, what they give. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

from services.accrual.domain.point_words import in_points

Code: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
PROPERTIES_MAX: Final = 20
POINTS_MAX: Final = 10**9
NUMBER_MAX: Final = 10**12

# How an event comes about: somebody posts it, or the registry's news and the calendar do.
Trigger: TypeAlias = Literal["posted", "enrolment", "referral", "birthday", "anniversary"]
TIMED: Final[frozenset[Trigger]] = frozenset({"birthday", "anniversary"})
Period: TypeAlias = Literal["day", "week", "month", "year", "ever"]
PayloadValue: TypeAlias = StrictBool | StrictInt | Code


class MemberEventTypeError(Exception):
    """Why a type is not taken, or not decided about."""


class UnusableSuccessorError(MemberEventTypeError):
    """The next version of a type must keep what makes its events one."""


class TypeNotFoundError(MemberEventTypeError):
    """No such version of a type."""


class TypeWaitsError(MemberEventTypeError):
    """A version before it still waits for a second person."""


class OwnTypeError(MemberEventTypeError):
    """Whoever declared a version does not decide about it."""


class TypeDecidedError(MemberEventTypeError):
    """It was decided about before."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CodeProperty(_Declared):
    """A short code; free text is nothing that this programme keeps of members."""

    type: Literal["string"]
    enum: Annotated[tuple[Code, ...], Field(min_length=1, max_length=100)] | None = None

    def admits(self, value: PayloadValue) -> bool:
        """Whether a payload may say this."""
        return isinstance(value, str) and (self.enum is None or value in self.enum)


class WholeProperty(_Declared):
    """A whole number."""

    type: Literal["integer"]
    minimum: Annotated[StrictInt, Field(ge=0, le=NUMBER_MAX)] = 0
    maximum: Annotated[StrictInt, Field(ge=0, le=NUMBER_MAX)] = NUMBER_MAX

    def admits(self, value: PayloadValue) -> bool:
        """Whether a payload may say this."""
        return isinstance(value, int) and not isinstance(value, bool) and self.minimum <= value <= self.maximum


class FlagProperty(_Declared):
    """Yes or no."""

    type: Literal["boolean"]

    def admits(self, value: PayloadValue) -> bool:
        """Whether a payload may say this."""
        return isinstance(value, bool)


Property: TypeAlias = Annotated[CodeProperty | WholeProperty | FlagProperty, Field(discriminator="type")]


class PayloadSchema(_Declared):
    """What a payload says: a small part of JSON Schema, which any validator of JSON Schema reads the same way."""

    type: Literal["object"] = "object"
    properties: Annotated[dict[Code, Property], Field(max_length=PROPERTIES_MAX)] = Field(default_factory=dict)
    required: Annotated[tuple[Code, ...], Field(max_length=PROPERTIES_MAX)] = ()
    additional_properties: Literal[False] = Field(default=False, alias="additionalProperties")

    @model_validator(mode="after")
    def _requires_what_it_knows(self) -> Self:
        if unknown := set(self.required) - set(self.properties):
            raise ValueError(f"required names what properties does not: {', '.join(sorted(unknown))}")
        return self

    def fault_of(self, payload: dict[str, PayloadValue]) -> tuple[str, str] | None:
        """The property that is wrong, and how; None where the payload is right."""
        for name in self.required:
            if name not in payload:
                return name, "is missing"
        for name, value in payload.items():
            known = self.properties.get(name)
            if known is None:
                return name, "is not declared: leave it out"
            if not known.admits(value):
                return name, f"is not as declared: {known.model_dump_json(exclude_none=True)}"
        return None


class FixedPoints(_Declared):
    """As many points for every event."""

    kind: Literal["fixed"] = "fixed"
    points: Annotated[StrictInt, Field(ge=0, le=POINTS_MAX)]


class PointsPerStep(_Declared):
    """``points`` for each full ``step`` of a whole number in the payload, at most ``points_max``."""

    kind: Literal["per_step"] = "per_step"
    property: Code
    step: Annotated[StrictInt, Field(ge=1, le=NUMBER_MAX)] = 1
    points: Annotated[StrictInt, Field(ge=1, le=POINTS_MAX)]
    points_max: Annotated[StrictInt, Field(ge=1, le=POINTS_MAX)]


EventPoints: TypeAlias = Annotated[FixedPoints | PointsPerStep, Field(discriminator="kind")]


class EventLimit(_Declared):
    """How many of a member's events give points in a period; what was undone does not count."""

    events_max: Annotated[StrictInt, Field(ge=1, le=1_000)]
    period: Period


class MemberEventDraft(_Declared):
    """What a type of events is like. ``sources`` are the API clients and people who may tell of one.

    ``key``: the properties that, with the member, make an event one: told again with the same values it is the same,
    for ever. Without any there is one a member. ``points``, with ``basis`` and ``expires_after_days``, are what the
    type gives by itself, outside of all rules; without them the rule sets say what its events earn.
    """

    trigger: Trigger = "posted"
    sources: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=128)], ...], Field(max_length=20)] = ()
    payload: PayloadSchema = PayloadSchema()
    key: Annotated[tuple[Code, ...], Field(max_length=5)] = ()
    points: EventPoints | None = None
    limit: EventLimit | None = None
    basis: Literal["gift", "prize", "compensation", "staff"] = "gift"
    expires_after_days: Annotated[StrictInt, Field(ge=1, le=36_500)] | None = None
    is_active: StrictBool = True

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.trigger == "posted") != bool(self.sources):
            raise ValueError("sources are named for posted events, and for no others")
        if self.trigger != "posted" and (self.payload.properties or self.key):
            raise ValueError("payload and key are declared for posted events only")
        if missing := set(self.key) - set(self.payload.required):
            raise ValueError(f"what makes an event one must be required: {', '.join(sorted(missing))}")
        if self.points is None and (self.expires_after_days is not None or self.basis != "gift"):
            raise ValueError("what the rules give has the basis and the expiry that they say: leave both out")
        if isinstance(self.points, PointsPerStep):
            found = self.payload.properties.get(self.points.property)
            if not isinstance(found, WholeProperty) or self.points.property not in self.payload.required:
                raise ValueError("points follow from a required property that is an integer")
        return self


class MemberEventType(MemberEventDraft):
    """A declared version of a type: immutable, and what counts for events that happened from ``effective_from`` on."""

    code: Code
    version: Annotated[StrictInt, Field(ge=1)]
    effective_from: datetime

    def points_of(self, payload: dict[str, Any]) -> int:
        """What an event gives by itself, before any limit."""
        if self.points is None:
            return 0
        if isinstance(self.points, FixedPoints):
            return self.points.points
        steps = int(payload[self.points.property]) // self.points.step
        return min(steps * self.points.points, self.points.points_max)

    def in_words(self, payload: dict[str, Any]) -> str:
        """The arithmetic, for people."""
        if self.points is None:
            return f"{self.code}, version {self.version}: the rules say what it earns."
        if isinstance(self.points, FixedPoints):
            return f"{self.code}, version {self.version}: {in_points(self.points.points)} an event."
        value, step = int(payload[self.points.property]), self.points.step
        given = value // step * self.points.points
        words = (
            f"{self.code}, version {self.version}: {in_points(self.points.points)} for each full {step} of"
            f" {self.points.property}: {value} // {step} * {self.points.points} = {given}"
        )
        return f"{words}, at most {self.points.points_max}." if given > self.points.points_max else f"{words}."


# ``declared``: waits for a second person, and judges nothing; ``refused``: never will.
TypeState: TypeAlias = Literal["declared", "approved", "refused"]


@dataclass(frozen=True, slots=True)
class DeclaredType:
    """A version of a type, who declared it, and what a second person said. One without ``decided_by`` that is approved
    was declared before anybody was asked.
    """

    kind: MemberEventType
    state: TypeState
    declared_by: str
    declared_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None

    def decided(self, state: Literal["approved", "refused"], by: str, now: datetime, reason: str | None = None) -> Self:
        """The same, decided by a second person; as it stands where it was decided so before by the same one.

        Raises:
            OwnTypeError: who declared it decides nothing about it.
            TypeDecidedError: it was decided before.
        """
        if by == self.declared_by:
            raise OwnTypeError("who declared a type does not decide about it: ask a second person")
        if (self.state, self.decided_by) == (state, by):
            return self
        if self.state != "declared":
            raise TypeDecidedError(f"this version was {self.state} before")
        return replace(self, state=state, decided_by=by, decided_at=now, reason=reason)


def why_no_successor(before: MemberEventType, draft: MemberEventDraft) -> str | None:
    """Why a draft cannot be the next version; None where it can: identity and trigger stay, for ever."""
    if draft.key != before.key:
        return f"events of this type are told apart by {list(before.key)} for ever: declare another type"
    if draft.trigger != before.trigger:
        return f"this type comes about by {before.trigger} for ever: declare another type"
    return None


def in_force_at(versions: Iterable[MemberEventType], at: datetime) -> MemberEventType | None:
    """Of a type's versions the one that counts for events of this time; of two from one moment on, the later one."""
    begun = [version for version in versions if version.effective_from <= at]
    return max(begun, key=lambda version: (version.effective_from, version.version), default=None)
