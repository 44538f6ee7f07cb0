"""What HTTP says of a member's decisions on spending, to support."""

from datetime import datetime
from typing import Literal, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.fraud.domain.spending.asks import AskKind, Verdict
from services.fraud.repository.spend_decisions import StoredSpendDecision, WentBy

Outcome: TypeAlias = Literal["went", "did_not_go"]


class MemberDecisionAnswer(BaseModel):
    """An ask, how it was decided, and what became of it. ``rule_codes`` asked for the verdict."""

    model_config = ConfigDict(frozen=True)

    decision_id: UUID
    kind: AskKind
    partner_id: str | None
    store_id: str | None
    point_type: str
    points: int
    asked_at: datetime
    verdict: Verdict
    rule_codes: list[str]
    outcome: Outcome = Field(
        description="went: the points were held at a till, or given. did_not_go: nothing was heard of that, since they "
        "were denied, never confirmed, or refused for another reason."
    )
    went_at: datetime | None
    went_by: WentBy | None = Field(
        description="fraud allowed it, the ceiling did while fraud did not answer, or the member confirmed it by code "
        "or pin."
    )

    @classmethod
    def of(cls, stored: StoredSpendDecision) -> Self:
        """As it was decided, and as far as it was heard what became of it."""
        ask = stored.ask
        return cls(
            decision_id=ask.decision_id,
            kind=ask.kind,
            partner_id=ask.place.partner_id,
            store_id=ask.place.store_id,
            point_type=ask.point_type,
            points=ask.points,
            asked_at=stored.asked_at,
            verdict=stored.decision.verdict,
            rule_codes=list(stored.decision.rule_codes),
            outcome="did_not_go" if stored.went_at is None else "went",
            went_at=stored.went_at,
            went_by=stored.went_by,
        )
