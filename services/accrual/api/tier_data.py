"""What an export tells of a member's tier."""

from datetime import date, datetime
from typing import Literal, TypeAlias, assert_never
from uuid import UUID

from services.accrual.domain.tiers.qualification import CountedDay
from services.accrual.repository.tier_data import KeptChange, KeptStanding
from services.accrual.repository.tier_grants import GrantRow
from services.accrual.schemas.fields import Answer
from services.accrual.use_cases.read_tier_data import KeptOfTier


class TierStandingData(Answer):
    """The tier in force, and the one that was earned, as they were graded last."""

    kind: Literal["tier"] = "tier"
    tier: str
    since: datetime | None
    earned_tier: str
    in_grace_until: datetime | None
    graded_at: datetime


class TierDayData(Answer):
    """What one day counts towards a tier."""

    kind: Literal["tier_day"] = "tier_day"
    day: date
    points: int
    spend_minor: int
    visits: int


class TierGrantData(Answer):
    """A tier that was given by hand, and why. By whom is not told."""

    kind: Literal["tier_grant"] = "tier_grant"
    grant_id: UUID
    tier: str
    granted_at: datetime
    ends_at: datetime
    reason_code: str
    revoked_at: datetime | None


class TierChangeData(Answer):
    """One tier gave way to another, and why."""

    kind: Literal["tier_change"] = "tier_change"
    version: int
    effective_at: datetime
    old_tier: str
    new_tier: str
    reason: str
    until: datetime | None


TierMemberData: TypeAlias = TierStandingData | TierDayData | TierGrantData | TierChangeData


def told_of_tier(kept: KeptOfTier) -> TierMemberData:
    """What is kept, as it is told."""
    match kept:
        case KeptStanding():
            return TierStandingData(
                tier=kept.tier,
                since=kept.since,
                earned_tier=kept.earned,
                in_grace_until=kept.grace_until,
                graded_at=kept.graded_at,
            )
        case CountedDay(day=day, amounts=amounts):
            return TierDayData(day=day, **amounts._asdict())
        case GrantRow():
            return TierGrantData(
                grant_id=kept.grant_id,
                tier=kept.tier,
                granted_at=kept.granted_at,
                ends_at=kept.ends_at,
                reason_code=kept.reason_code,
                revoked_at=kept.revoked_at,
            )
        case KeptChange():
            return TierChangeData(
                version=kept.version,
                effective_at=kept.effective_at,
                old_tier=kept.old_tier,
                new_tier=kept.new_tier,
                reason=kept.reason,
                until=kept.until,
            )
        case _:
            assert_never(kept)
