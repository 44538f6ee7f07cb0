"""What HTTP says of asks before points leave."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.fraud.domain.spending.asks import Ask, AskKind, Place, Verdict
from services.fraud.use_cases.explain_spending import ExplainedSpending
from shared.web import Body, CodeText, PositivePoints


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class AskBody(Body):
    """May these points leave this account now?"""

    decision_id: UUID = Field(
        description="Your own, made from your request's key: the same ask again gets the decision that was made first."
    )
    kind: AskKind
    member_id: UUID = Field(description="Whose points.")
    point_type: CodeText
    points: PositivePoints
    partner_id: CodeText | None = Field(default=None, description="At which partner, of a hold.")
    store_id: CodeText | None = Field(default=None, description="In which of its stores, as far as it is known.")

    def to_ask(self) -> Ask:
        """As the rules see it."""
        place = Place(self.partner_id, self.store_id)
        return Ask(self.decision_id, self.kind, self.member_id, self.point_type, self.points, place)


class VerdictAnswer(_Answer):
    """``step_up``: only once the member has confirmed it. ``rule_codes`` asked for the verdict; a till is told none."""

    decision_id: UUID
    verdict: Verdict
    rule_codes: list[str]
    rule_set_version: int


class SpendCheckAnswer(_Answer):
    """One figure that a rule looked at, and from which ones on it asks for what."""

    name: str
    observed: int
    step_up: int
    deny: int | None
    window: str


class SpendRuleAnswer(_Answer):
    """One rule's part of a decision."""

    rule_code: str
    verdict: Verdict
    checks: list[SpendCheckAnswer]


class SpendDecisionAnswer(VerdictAnswer):
    """A decision with every figure. ``reasons`` are its rule codes in plain words.

    ``went_unasked_at``: it was heard then that the points had left without it.
    """

    kind: AskKind
    member_id: UUID
    partner_id: str | None
    store_id: str | None
    point_type: str
    points: int
    asked_at: datetime
    decided_at: datetime
    went_unasked_at: datetime | None
    reasons: list[str]
    rules: list[SpendRuleAnswer]

    @classmethod
    def of(cls, explained: ExplainedSpending) -> Self:
        """As it was decided."""
        stored, ask = explained.stored, explained.stored.ask
        return cls(
            decision_id=ask.decision_id,
            verdict=stored.decision.verdict,
            rule_codes=list(stored.decision.rule_codes),
            rule_set_version=stored.rule_set_version,
            kind=ask.kind,
            member_id=ask.member_id,
            partner_id=ask.place.partner_id,
            store_id=ask.place.store_id,
            point_type=ask.point_type,
            points=ask.points,
            asked_at=stored.asked_at,
            decided_at=stored.decided_at,
            went_unasked_at=stored.went_unasked_at,
            reasons=[rule.reason() for _, rule in explained.rules if rule.code in stored.decision.rule_codes],
            rules=[
                SpendRuleAnswer(
                    rule_code=outcome.rule_code,
                    verdict=outcome.verdict,
                    checks=[
                        SpendCheckAnswer(observed=observed, **check._asdict())
                        for check, observed in zip(rule.checks(), outcome.observed, strict=True)
                    ],
                )
                for outcome, rule in explained.rules
            ],
        )
