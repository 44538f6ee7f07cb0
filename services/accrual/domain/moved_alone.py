"""What one person may move without a second one: by one act, and by day in all. Pure.

The sums of a day are an author's, over all members, and a member's, over all authors: so neither many small acts nor
many hands move what a large one would need a second person for. What a second person has let through counts in neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Member = TypeVar("Member")


@dataclass(frozen=True, slots=True)
class AloneLimits:
    """How many points one person moves without a second one: at once, on a day in all, on a day of one member's."""

    points_max: int
    author_day_points_max: int
    member_day_points_max: int


@dataclass(frozen=True, slots=True)
class MovedToday(Generic[Member]):
    """What was moved alone so far on this day: by an author, and of members. A member of whom nothing was is absent."""

    by_author: int
    of_members: Mapping[Member, int]


def may_alone(
    limits: AloneLimits, wanted: Mapping[Member, int], so_far: MovedToday[Member], *, total: int | None = None
) -> bool:
    """Whether one person may move ``wanted`` points (without signs, by member) as one act after ``so_far``.

    ``total`` is what the act moves where that is not their sum: what one loses and another gets is moved once.
    """
    total = sum(wanted.values()) if total is None else total
    return (
        total <= limits.points_max
        and so_far.by_author + total <= limits.author_day_points_max
        and all(
            so_far.of_members.get(member, 0) + points <= limits.member_day_points_max
            for member, points in wanted.items()
        )
    )
