"""What HTTP says of a store's place: GLN, coordinates, zone, opening hours."""

from decimal import Decimal
from typing import Annotated, Literal, Self, TypeAlias, get_args

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from services.coalition.domain.places import OpenHours, OpeningHoursError, Place, is_gln, ordered_week
from services.coalition.schemas.fields import AnswerModel
from shared.web import Body

MICRODEGREES = 1_000_000
STRETCHES_MAX = 28

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = get_args(Day)
ClockTime: TypeAlias = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", examples=["08:30"])]


def _checked_gln(value: str) -> str:
    if not is_gln(value):
        raise PydanticCustomError("gln", "Input should be a GLN: 13 digits, of which the last is the check digit")
    return value


Gln: TypeAlias = Annotated[str, Field(examples=["5790001330552"]), AfterValidator(_checked_gln)]
Latitude: TypeAlias = Annotated[Decimal, Field(ge=-90, le=90, decimal_places=6, description="Degrees north.")]
Longitude: TypeAlias = Annotated[Decimal, Field(ge=-180, le=180, decimal_places=6, description="Degrees east.")]


class OpenHoursBody(Body):
    """One stretch of one day, in the store's time. A night is two: to 24:00, and from 00:00 of the next day."""

    day: Day
    opens: ClockTime
    closes: ClockTime

    def hours(self) -> OpenHours:
        """The stretch in minutes."""
        return OpenHours(_DAYS.index(self.day) + 1, _minute(self.opens), _minute(self.closes))


def _fitting(week: list[OpenHoursBody]) -> list[OpenHoursBody]:
    try:
        ordered_week([one.hours() for one in week])
    except OpeningHoursError as error:
        raise PydanticCustomError("opening_hours", "Opening hours: {why}", {"why": str(error)}) from None
    return week


Week: TypeAlias = Annotated[list[OpenHoursBody], Field(max_length=STRETCHES_MAX), AfterValidator(_fitting)]


class OpenHoursAnswer(AnswerModel):
    """One stretch of one day."""

    day: Day
    opens: str
    closes: str

    @classmethod
    def of(cls, hours: OpenHours) -> Self:
        """The answer for a stretch."""
        return cls(day=_DAYS[hours.weekday - 1], opens=_clock(hours.opens_minute), closes=_clock(hours.closes_minute))


def microdegrees(degrees: Decimal | None) -> int | None:
    """Millionths of a degree: 11 cm at most."""
    return None if degrees is None else int(degrees * MICRODEGREES)


def degrees(value: int | None) -> Decimal | None:
    """The inverse of ``microdegrees``."""
    return None if value is None else Decimal(value) / MICRODEGREES


def place_of(
    gln: str | None, latitude: Decimal | None, longitude: Decimal | None, zone: str | None, week: list[OpenHoursBody]
) -> Place:
    """The place that these fields tell of, which were checked."""
    hours = ordered_week([one.hours() for one in week])
    return Place(gln, microdegrees(latitude), microdegrees(longitude), zone, hours)


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
