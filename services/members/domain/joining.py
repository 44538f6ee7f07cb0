"""Who may join: conditions that the programme declares as data, judged before anything is written. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from services.members.domain.registry import Person

Channel: TypeAlias = Literal["pos", "web", "app", "import"]
CountryCode: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
CodeText: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", max_length=64)]

ALL_CHANNELS: tuple[Channel, ...] = ("pos", "web", "app", "import")
MINIMUM_AGE_MAX = 120
COUNTRIES_MAX = 250
CONSENTS_MAX = 20
# Nobody stands there who could accept a text: what a file brings is made up for later.
_NOBODY_PRESENT: tuple[Channel, ...] = ("import",)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RequiredConsent(_Frozen):
    """A consent without which nobody joins."""

    purpose: CodeText
    channel: CodeText


class JoiningConditions(_Frozen):
    """What must be true of whoever joins. Without any, everybody may, over every channel.

    ``minimum_age`` and ``countries`` are judged by what is known of the person: on a channel where a card joins before
    its person, when the person is told. ``terms_accepted`` and ``consents`` do not concern files.
    """

    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] = ALL_CHANNELS
    card_first_channels: tuple[Channel, ...] = ("pos",)
    minimum_age: Annotated[StrictInt, Field(ge=1, le=MINIMUM_AGE_MAX)] | None = None
    countries: Annotated[tuple[CountryCode, ...], Field(max_length=COUNTRIES_MAX)] = ()
    terms_accepted: bool = False
    consents: Annotated[tuple[RequiredConsent, ...], Field(max_length=CONSENTS_MAX)] = ()


NO_CONDITIONS = JoiningConditions()


@dataclass(frozen=True, slots=True)
class DeclaredConditions:
    """A version of the conditions; the newest counts."""

    version: int
    conditions: JoiningConditions
    declared_by: str
    declared_at: datetime


class JoiningRefusedError(Exception):
    """A condition is not met. ``code`` is for machines; the message begins with a pointer to the field."""

    def __init__(self, code: str, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Joining:
    """What somebody who wants to join has told. ``granted`` are purposes and channels of consents given."""

    channel: Channel
    person: Person | None
    region: str | None
    has_accepted_terms: bool
    granted: Collection[tuple[str, str]]


def judge_joining(conditions: JoiningConditions, joining: Joining, today: date) -> None:
    """Whether somebody may join.

    Raises:
        JoiningRefusedError: the first condition that is not met, in the order in which they are declared.
    """
    if joining.channel not in conditions.channels:
        allowed = ", ".join(conditions.channels)
        raise JoiningRefusedError(
            "channel_closed", "/channel", f"nobody joins over this channel now, only by {allowed}"
        )
    if joining.person is None:
        if joining.channel not in conditions.card_first_channels:
            raise JoiningRefusedError("person_needed", "/given_name", "over this channel only a known person joins")
    else:
        judge_person(conditions, joining.person, joining.region, today)
    if joining.channel in _NOBODY_PRESENT:
        return
    if conditions.terms_accepted and not joining.has_accepted_terms:
        raise JoiningRefusedError("terms_not_accepted", "/accepts_terms", "who joins accepts the programme's terms")
    for index, needed in enumerate(conditions.consents):
        if (needed.purpose, needed.channel) not in joining.granted:
            detail = f"condition {index + 1}: who joins consents to {needed.purpose} over {needed.channel}"
            raise JoiningRefusedError("consent_missing", "/consents", detail)


def judge_person(conditions: JoiningConditions, person: Person, region: str | None, today: date) -> None:
    """Whether a person may be a member: old enough, and of a country where the programme is.

    Raises:
        JoiningRefusedError
    """
    if conditions.minimum_age is not None:
        if person.birth_date is None:
            detail = f"members are {conditions.minimum_age} at least: say the date of birth"
            raise JoiningRefusedError("birth_date_needed", "/birth_date", detail)
        if age_on(today, person.birth_date) < conditions.minimum_age:
            raise JoiningRefusedError("too_young", "/birth_date", f"members are {conditions.minimum_age} at least")
    if conditions.countries:
        country = person.address.country if person.address is not None else (region or "")[:2]
        if country not in conditions.countries:
            detail = f"the programme is for people in {', '.join(conditions.countries)}: say a region or address there"
            raise JoiningRefusedError("country_closed", "/region", detail)


def age_on(day: date, born: date) -> int:
    """Whole years. Who was born on 29 February is a year older on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
