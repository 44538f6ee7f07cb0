"""Whether a member may have a reward now. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from services.redemption.domain import partner_standing
from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.partner_funds import Funds
from services.redemption.domain.partner_standing import Standing
from services.redemption.domain.rewards.reward import RewardTerms
from services.redemption.domain.standing import DECLINES, KnownStatus, StatusReason

RewardReason: TypeAlias = (
    Literal[
        "reward_withdrawn",
        "reward_not_offered_yet",
        "reward_not_offered_any_more",
        "tier_not_entitled",
        "reward_limit_reached",
        "sold_out",
        "insufficient_points",
        "too_many_lots",
        "debt_outstanding",
        "no_contract_in_force",
        "type_not_in_contract",
        "partner_funds_exhausted",
    ]
    | StatusReason
    | partner_standing.Reason
)


class RewardRefusedError(RedemptionError):
    """The reward is not given. ``details`` are the numbers and times that say why."""

    def __init__(self, reason: RewardReason, **details: object) -> None:
        super().__init__(f"the reward is refused: {reason}")
        self.reason = reason
        self.details = details


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the member's status and tier, and how many of the reward the member has that count."""

    status: KnownStatus
    tier: str | None
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gives: where its partner stands, and what its contracts say of the point type."""

    standing: Standing | None
    funds: Funds


def require_entitled(terms: RewardTerms, asker: Asker, giver: Giver, now: datetime) -> None:
    """Whether this member may have this reward at this time, as far as stock and points allow. Neither is hidden.

    A member of whose tier nothing was told is in none that a reward can name.

    Raises:
        RewardRefusedError: with why not: what is said of the reward before what is said of the member.
    """
    reason = _not_offered(terms, now) or _not_given(giver) or DECLINES[asker.status]
    if reason is not None:
        raise RewardRefusedError(reason, **_when(terms, reason))
    if terms.tiers is not None and asker.tier not in terms.tiers:
        raise RewardRefusedError("tier_not_entitled", tiers=list(terms.tiers))
    if terms.per_member_max is not None and asker.taken >= terms.per_member_max:
        raise RewardRefusedError(
            "reward_limit_reached", per_member_max=terms.per_member_max, per_member_days=terms.per_member_days
        )


def _not_offered(terms: RewardTerms, now: datetime) -> RewardReason | None:
    if terms.is_withdrawn:
        return "reward_withdrawn"
    if terms.offered_from is not None and now < terms.offered_from:
        return "reward_not_offered_yet"
    is_over = terms.offered_until is not None and now >= terms.offered_until
    return "reward_not_offered_any_more" if is_over or terms.expires_at(now) <= now else None


def _when(terms: RewardTerms, reason: RewardReason) -> dict[str, object]:
    if reason == "reward_not_offered_yet" and terms.offered_from is not None:
        return {"offered_from": terms.offered_from.isoformat()}
    return {}


def _not_given(giver: Giver) -> RewardReason | None:
    reason = partner_standing.why_not_spent(giver.standing)
    if reason is not None or not giver.funds.is_bound:
        return reason
    # What a contract says of least points and steps is said of tills: a reward's price is the programme's own.
    if not giver.funds.is_covered:
        return "no_contract_in_force"
    if not giver.funds.has_rate:
        return "type_not_in_contract"
    return "partner_funds_exhausted" if giver.funds.is_exhausted else None
