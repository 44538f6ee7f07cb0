"""How well a member is known: filled, verified, fresh and valid, field by field, as a whole-number percentage.

Judged from times that are kept in clear, never from the values. Each field weighs what the programme declares, and so
does each of the four aspects; a score is the share that is reached, rounded down. An example: fields weigh 30 (e-mail),
30, 20, 20, aspects 40 (filled), 20 (verified), 20 (fresh), 20 (valid). A member who has given an e-mail address only,
this year, unverified, reaches 30 x (40 + 20 + 20) of 100 x 100: 24%.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self, TypeAlias, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt, model_validator
from pydantic_core import PydanticCustomError

from services.members.domain.registry import Person
from services.members.domain.statement_errors import FieldNotFilledError

QualityField: TypeAlias = Literal["email", "phone", "birth_date", "address"]
FIELDS: tuple[QualityField, ...] = get_args(QualityField)
Repair: TypeAlias = Literal["fill", "correct", "verify", "refresh"]
CheckOutcome: TypeAlias = Literal["verified", "invalid"]

SCORES_A_BUCKET = 10

Weight = Annotated[StrictInt, Field(ge=0, le=1_000)]
FreshDays = Annotated[StrictInt, Field(ge=1, le=36_500)]


class _Weights(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _weigh_something(self) -> Self:
        if not any(self.model_dump().values()):
            raise PydanticCustomError("weights", "At least one weight must be above zero")
        return self


class FieldWeights(_Weights):
    """What each field counts for."""

    email: Weight = 30
    phone: Weight = 30
    birth_date: Weight = 20
    address: Weight = 20


class AspectWeights(_Weights):
    """What it counts for that a field is filled, verified, fresh and not known to be wrong."""

    filled: Weight = 40
    verified: Weight = 20
    fresh: Weight = 20
    valid: Weight = 20


class QualityRules(BaseModel):
    """What the programme declares. A field is fresh for so many days after it was stated or verified."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: FieldWeights = FieldWeights()
    aspects: AspectWeights = AspectWeights()
    fresh_days: FreshDays = 730

    @property
    def weight_of(self) -> Mapping[QualityField, int]:
        """What each field counts for."""
        weights = self.fields
        return {
            "email": weights.email,
            "phone": weights.phone,
            "birth_date": weights.birth_date,
            "address": weights.address,
        }

    @property
    def most(self) -> int:
        """What a member reaches of whom everything is filled, verified, fresh and valid."""
        aspects = self.aspects
        each = aspects.filled + aspects.verified + aspects.fresh + aspects.valid
        return sum(self.weight_of.values()) * each

    def fresh_since(self, now: datetime) -> datetime:
        """What was stated or verified from then on is fresh."""
        return now - timedelta(days=self.fresh_days)


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What is known about a field, but its value. ``stated_at`` is None while it is empty.

    ``verified_at`` and ``invalid_at`` are those of the value that is there; at most one of them is set.
    """

    stated_at: datetime | None = None
    verified_at: datetime | None = None
    invalid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """Somebody found out that a value is right or wrong."""

    check_id: UUID
    member_id: UUID
    field: QualityField
    outcome: CheckOutcome
    source: str
    checked_at: datetime
    recorded_at: datetime
    recorded_by: str


Facts: TypeAlias = Mapping[QualityField, FieldFacts]


@dataclass(frozen=True, slots=True)
class Quality:
    """A member's score in percent, and what would raise it, field by field."""

    score_percent: int
    repairs: tuple[tuple[QualityField, Repair], ...]


def judge_quality(facts: Facts, rules: QualityRules, now: datetime) -> Quality:
    """The score, and what to repair. A field that weighs nothing is nobody's concern."""
    fresh_since = rules.fresh_since(now)
    reached = 0
    repairs: list[tuple[QualityField, Repair]] = []
    for field in FIELDS:
        weight = rules.weight_of[field]
        if not weight:
            continue
        needed = needed_repairs(facts.get(field, FieldFacts()), fresh_since)
        reached += weight * _aspects_reached(needed, rules.aspects)
        repairs.extend((field, repair) for repair in needed)
    return Quality(100 * reached // rules.most, tuple(repairs))


def needed_repairs(facts: FieldFacts, fresh_since: datetime) -> tuple[Repair, ...]:
    """What is wrong with a field: an empty one is filled first, and all else follows from that."""
    if facts.stated_at is None:
        return ("fill",)
    last = facts.stated_at if facts.verified_at is None else max(facts.stated_at, facts.verified_at)
    found: list[Repair] = []
    if facts.invalid_at is not None:
        found.append("correct")
    if facts.verified_at is None:
        found.append("verify")
    if last < fresh_since:
        found.append("refresh")
    return tuple(found)


def _aspects_reached(needed: tuple[Repair, ...], aspects: AspectWeights) -> int:
    if "fill" in needed:
        return 0
    lost = {"correct": aspects.valid, "verify": aspects.verified, "refresh": aspects.fresh}
    whole = aspects.filled + aspects.verified + aspects.fresh + aspects.valid
    return whole - sum(lost[repair] for repair in needed)


def filled_fields(person: Person | None) -> frozenset[QualityField]:
    """What is known of a person."""
    if person is None:
        return frozenset()
    return frozenset(field for field in FIELDS if getattr(person, field) is not None)


def restated_fields(before: Person | None, after: Person) -> frozenset[QualityField]:
    """What a person has now that is other than it was: nothing that was found out about the old value holds for it."""
    return frozenset(
        field for field in filled_fields(after) if before is None or getattr(before, field) != getattr(after, field)
    )


def judge_check(facts: FieldFacts, checked_at: datetime) -> bool:
    """Whether a check tells about the value that is there, and more than is known; an older one is history.

    Raises:
        FieldNotFilledError: there is no value to be checked.
    """
    if facts.stated_at is None:
        raise FieldNotFilledError("/field: the member has no value there that could have been checked")
    known = [at for at in (facts.stated_at, facts.verified_at, facts.invalid_at) if at is not None]
    return checked_at >= max(known)
