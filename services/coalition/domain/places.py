"""Where a store is and when it is open: a GLN with its check digit, a point on the globe, a week without overlaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from stdnum import ean

GLN_DIGITS = 13
MINUTES_A_DAY = 24 * 60


class OpeningHoursError(ValueError):
    """The week contradicts itself."""


@dataclass(frozen=True, slots=True)
class OpenHours:
    """One stretch of one day of the week (1 is Monday, as ISO 8601 has it), in the store's own time.

    Minutes since midnight; ``closes_minute`` is up to 1440. A night is two stretches: to 1440, and from 0.
    """

    weekday: int
    opens_minute: int
    closes_minute: int


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a store's place; all of it may be unknown. ``zone`` is a code of the partner's own."""

    gln: str | None = None
    latitude_microdegrees: int | None = None
    longitude_microdegrees: int | None = None
    zone: str | None = None
    opening_hours: tuple[OpenHours, ...] = ()


UNKNOWN_PLACE = Place()


def is_gln(text: str) -> bool:
    """Whether this is a Global Location Number: 13 digits and no separators, the last being GS1's check digit."""
    return len(text) == GLN_DIGITS and text.isascii() and text.isdigit() and ean.is_valid(text)


def ordered_week(hours: Sequence[OpenHours]) -> tuple[OpenHours, ...]:
    """The week in its order.

    Raises:
        OpeningHoursError: a stretch ends before it begins, or two of one day overlap.
    """
    week = sorted(hours, key=lambda one: (one.weekday, one.opens_minute))
    for one in week:
        if not 0 <= one.opens_minute < one.closes_minute <= MINUTES_A_DAY:
            raise OpeningHoursError("a stretch closes after it opens, on the same day: write a night as two")
    for first, second in pairwise(week):
        if first.weekday == second.weekday and second.opens_minute < first.closes_minute:
            raise OpeningHoursError("two stretches of one day overlap: write them as one")
    return tuple(week)
