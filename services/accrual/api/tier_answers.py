"""From what the use cases know of tiers to what HTTP says."""

from services.accrual.domain.tiers.progress import Goal
from services.accrual.domain.tiers.scheme import TierScheme
from services.accrual.repository.tier_grants import GrantRow
from services.accrual.schemas.tiers import (
    GoalAnswer,
    HeldTierAnswer,
    NeedAnswer,
    QualificationAnswer,
    TierAnswer,
    TierGrantAnswer,
    TierSchemeAnswer,
)
from services.accrual.use_cases.read_tier import ShownTier


def scheme_answer(scheme: TierScheme) -> TierSchemeAnswer:
    """A version as it was published."""
    document = scheme.model_dump(mode="json", exclude={"effective_from"})
    return TierSchemeAnswer(**document, effective_from=scheme.effective_from)


def grant_answer(grant: GrantRow) -> TierGrantAnswer:
    """A grant with who gave it and why."""
    return TierGrantAnswer(**grant._asdict())


def tier_answer(shown: ShownTier, *, is_programme: bool) -> TierAnswer:
    """A member's tier; to others than the programme only what it is and entitles to."""
    standing, tier = shown.standing, shown.tier
    answer = TierAnswer(
        member_id=shown.member_id,
        tier=HeldTierAnswer(
            code=tier.code,
            name=tier.name,
            multiplier_percent=tier.benefits.multiplier_percent,
            privileges=list(tier.benefits.privileges),
        ),
        since=standing.since,
        until=shown.until,
        in_grace_until=standing.grace_until,
        earned_tier=standing.earned,
        scheme_version=standing.scheme_version,
    )
    if not is_programme:
        return answer
    window, amounts = shown.progress.window, shown.progress.collected
    return answer.model_copy(
        update={
            "qualification": QualificationAnswer(first_day=window.first, last_day=window.last, **amounts._asdict()),
            "to_next": _goal(shown.progress.to_next, shown.scheme),
            "to_keep": _goal(shown.progress.to_keep, shown.scheme),
            "grants": [grant_answer(grant) for grant in shown.grants],
        }
    )


def _goal(goal: Goal | None, scheme: TierScheme) -> GoalAnswer | None:
    if goal is None:
        return None
    needs = [NeedAnswer.model_validate(need._asdict()) for need in goal.needs]
    return GoalAnswer(tier=goal.tier, meets=scheme.meets, needs=needs, by=goal.by)
