"""What HTTP says: requests and answers."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.fraud.domain.cases import Case, CaseSignal, CaseState, HeldReceipt, HoldAction
from services.fraud.domain.outcomes import Action, Result
from services.fraud.use_cases.explain_decision import ExplainedDecision, ExplainedRule
from services.fraud.use_cases.read_cases import CaseFile
from shared.events.fraud import CaseOutcome
from shared.receipt_key import receipt_id_of
from shared.web import Body

NOTE_LENGTH_MAX = 2_000


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class CloseBody(Body):
    """How a person closes a case."""

    outcome: CaseOutcome = Field(
        description="confirmed: the awards stay held. valuable_alert, false_positive: they are released; after a false "
        "positive these receipts count for no rule any more."
    )
    note: Annotated[str, Field(min_length=1, max_length=NOTE_LENGTH_MAX)] | None = Field(
        default=None, description="Why. It stays with the case; no event carries it."
    )


class CaseAnswer(_Answer):
    """A case. ``receipts`` counts the awards that were held for it. Without ``operator_hash`` it is about the member
    alone, and of no partner's.
    """

    case_id: UUID
    member_id: UUID
    operator_hash: str | None
    partner_id: str
    rule_code: str
    state: CaseState
    outcome: CaseOutcome | None
    version: int
    receipts: int
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: str | None

    @classmethod
    def of(cls, case: Case) -> "CaseAnswer":
        """As the case stands."""
        said = asdict(case)
        return cls(**said | {"operator_hash": said["operator_hash"] or None})


class SignalAnswer(_Answer):
    """A rule that fired: ``observed`` reached ``threshold`` in ``window``."""

    signal_id: UUID
    receipt_id: str
    rule_code: str
    action: Action
    observed: int
    threshold: int
    window: str
    raised_at: datetime

    @classmethod
    def of(cls, signal: CaseSignal) -> "SignalAnswer":
        """A signal of a case."""
        return cls(
            receipt_id=receipt_id_of(signal.receipt_key),
            **{name: value for name, value in signal._asdict().items() if name != "receipt_key"},
        )


class HeldReceiptAnswer(_Answer):
    """A receipt of the case and what was last asked for on its award."""

    receipt_id: str
    occurred_at: datetime
    store_id: str
    shift_number: int | None
    version: int
    action: HoldAction
    ends_at: datetime | None = Field(description="When a hold ends by itself.")
    moved_at: datetime | None = Field(
        description="Since when the receipt is another member's. Closing the case does nothing to it any more."
    )

    @classmethod
    def of(cls, receipt: HeldReceipt) -> "HeldReceiptAnswer":
        """A receipt of a case."""
        return cls(
            receipt_id=receipt_id_of(receipt.receipt_key),
            **{name: value for name, value in receipt._asdict().items() if name != "receipt_key"},
        )


class CaseFileAnswer(_Answer):
    """A case with its newest signals and latest receipts, 500 each at most."""

    case: CaseAnswer
    signals: list[SignalAnswer]
    held_receipts: list[HeldReceiptAnswer]

    @classmethod
    def of(cls, file: CaseFile) -> "CaseFileAnswer":
        """As the case stands."""
        return cls(
            case=CaseAnswer.of(file.case),
            signals=[SignalAnswer.of(signal) for signal in file.signals],
            held_receipts=[HeldReceiptAnswer.of(receipt) for receipt in file.receipts],
        )


class CheckAnswer(_Answer):
    """One figure that a rule looked at. It is met when ``observed`` is at least ``threshold``."""

    name: str
    observed: int
    threshold: int
    window: str


class RuleAnswer(_Answer):
    """One rule's part of a decision. The version differs where a late receipt raised it under later rules."""

    rule_code: str
    rule_set_version: int
    result: Result
    checks: list[CheckAnswer]

    @classmethod
    def of(cls, rule: ExplainedRule) -> "RuleAnswer":
        """With every figure against its threshold."""
        return cls(
            rule_code=rule.rule_code,
            rule_set_version=rule.rule_set_version,
            result=rule.result,
            checks=[
                CheckAnswer(name=check.name, observed=observed, threshold=check.threshold, window=check.window)
                for check, observed in zip(rule.checks, rule.observed, strict=True)
            ],
        )


class HoldAnswer(_Answer):
    """What was last asked for on the receipt's award."""

    version: int
    action: HoldAction
    ends_at: datetime | None
    case_id: UUID


class FormerDecisionAnswer(_Answer):
    """What the rules said of a receipt while it was another member's."""

    member_id: UUID
    action: Action
    decided_at: datetime
    raised_by_receipt_id: str | None = Field(description="A receipt that came late and made a hit of this one.")
    raised_at: datetime | None
    rule_set_version: int
    rule_set_digest: str
    rules: list[RuleAnswer]

    @classmethod
    def of(cls, explained: ExplainedDecision) -> "FormerDecisionAnswer":
        """As it was recorded."""
        return cls(**_decided(explained))


class DecisionAnswer(_Answer):
    """What the rules said when the receipt came, and the hold that stands on its award, if there ever was one.

    Of a receipt that was moved to another member: what they said for that one, and ``former`` for those before.
    """

    receipt_id: str
    member_id: UUID
    action: Action
    decided_at: datetime
    raised_by_receipt_id: str | None = Field(description="A receipt that came late and made a hit of this one.")
    raised_at: datetime | None
    rule_set_version: int
    rule_set_digest: str
    rules: list[RuleAnswer]
    hold: HoldAnswer | None
    former: list[FormerDecisionAnswer]

    @classmethod
    def of(cls, explained: ExplainedDecision) -> "DecisionAnswer":
        """As it was recorded."""
        decision = explained.decision
        hold = decision.hold
        return cls(
            receipt_id=receipt_id_of(decision.receipt_key),
            hold=None if hold is None else HoldAnswer(**asdict(hold)),
            former=[FormerDecisionAnswer.of(each) for each in explained.former],
            **_decided(explained),
        )


def _decided(explained: ExplainedDecision) -> dict[str, Any]:
    decision = explained.decision
    return {
        "member_id": decision.member_id,
        "action": decision.action,
        "decided_at": decision.decided_at,
        "raised_by_receipt_id": None if decision.raised_by is None else receipt_id_of(decision.raised_by),
        "raised_at": decision.raised_at,
        "rule_set_version": explained.rule_set.version,
        "rule_set_digest": explained.rule_set.digest,
        "rules": [RuleAnswer.of(rule) for rule in explained.rules],
    }
