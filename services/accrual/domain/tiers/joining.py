"""Two members turn out to be one: the higher tier is kept."""

from datetime import datetime

from services.accrual.domain.tiers.scheme import TierScheme
from services.accrual.domain.tiers.standing import Standing


def joined_standing(survivor: Standing, merged: Standing, scheme: TierScheme) -> Standing:
    """The survivor's standing with the better of what the two had earned; grading it tells whether a tier changed.

    Both are graded up to the same moment. Of two equal tiers the one is kept that time takes later, if at all.
    """
    if _worth(merged, scheme) <= _worth(survivor, scheme):
        return survivor
    return survivor._replace(
        earned=merged.earned,
        is_landed=merged.is_landed,
        grace_until=merged.grace_until,
        graded_next_at=merged.graded_next_at,
    )


def _worth(standing: Standing, scheme: TierScheme) -> tuple[int, bool, float]:
    rank = scheme.rank_of(standing.earned) or 0
    ends_at: datetime | None = standing.graded_next_at
    return rank, standing.grace_until is None, ends_at.timestamp() if ends_at is not None else float("inf")
