"""What HTTP says of tiers: schemes, a member's tier, grants."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from services.accrual.domain.tiers.scheme import TierCode, TierSchemeDraft
from services.accrual.schemas.fields import Answer
from shared.web.strict import AwareTime, Body, CodeText


class TierSchemeBody(TierSchemeDraft):
    """A scheme to publish, and when it takes effect: at least a minute ahead."""

    effective_from: AwareTime


class TierSchemeAnswer(Answer):
    """A published scheme."""

    version: int
    effective_from: datetime
    tiers: list[dict[str, Any]]
    meets: str
    points_of: str | None
    period: dict[str, Any]
    zone: str
    upgrade: str
    downgrade: str
    grace_days: int
    soft_landing_percent: int | None
    on_reversal: str
    visits_per_day_max: int | None


class TierGrantBody(Body):
    """A tier to give by hand, until just before ``ends_at``, and why."""

    tier: TierCode
    ends_at: AwareTime
    reason_code: CodeText


class TierGrantAnswer(Answer):
    """A tier that a person gave."""

    grant_id: UUID
    tier: str
    granted_at: datetime
    ends_at: datetime
    reason_code: str
    author: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None


class HeldTierAnswer(Answer):
    """A tier of the scheme, with what it entitles to."""

    code: str
    name: str
    multiplier_percent: int | None
    privileges: list[str]


class QualificationAnswer(Answer):
    """What counts now: all that was collected from ``first_day`` to ``last_day``, in the scheme's zone."""

    first_day: date
    last_day: date
    points: int
    spend_minor: int
    visits: int


class NeedAnswer(Answer):
    """One thing that a tier needs, and how much of it is missing."""

    measure: Literal["points", "spend_minor", "visits"]
    needed: int
    missing: int


class GoalAnswer(Answer):
    """A tier and what it takes, before ``by``: one of the needs or all of them, as ``meets`` says."""

    tier: str
    meets: Literal["any", "all"]
    needs: list[NeedAnswer]
    by: datetime | None


class TierAnswer(Answer):
    """A member's tier as of now.

    What was collected, what is missing and what was granted are told to the programme's own clients alone.
    """

    member_id: UUID
    tier: HeldTierAnswer
    since: datetime | None = Field(description="null: since ever, the lowest tier.")
    until: datetime | None = Field(description="When it may end, grace included; null: time does not take it.")
    in_grace_until: datetime | None
    earned_tier: str
    scheme_version: int
    qualification: QualificationAnswer | None = None
    to_next: GoalAnswer | None = None
    to_keep: GoalAnswer | None = None
    grants: list[TierGrantAnswer] | None = None
