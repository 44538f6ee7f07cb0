"""A member event as the engine judges it: by the same rules, checks, caps and roundings as a receipt.

To the engine it is a document of the programme's own, without till and lines: one place on which rules that name its
type may give points.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.accrual.domain.decisions import Document
from services.accrual.domain.earning_base import EarningBase
from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.evaluation import Evaluation, evaluate
from services.accrual.domain.judged_receipt import JudgedReceipt, PayloadSaid
from services.accrual.domain.rules.rule_set import RuleSet
from shared.events.purchases import PurchaseData, PurchaseRecorded
from shared.ledger.terms import PROGRAMME

# One place that earns: every amount but nothing is the same to rules that may name none.
_ONE_PLACE: Final = EarningBase(((),), (1,), 1, 0, 0)


class JudgedEvent(JudgedReceipt):
    """A member event, and the facts."""

    __slots__ = ("_payload", "type_code")

    def __init__(
        self, type_code: str, payload: PayloadSaid, occasion: PurchaseData, base: EarningBase, facts: EarningFacts
    ) -> None:
        super().__init__(occasion, base, facts, {})
        self.type_code = type_code
        self._payload = payload

    @property
    def payload(self) -> PayloadSaid:
        """What was told, as its type declares it."""
        return self._payload


def evaluate_event(
    type_code: str, payload: PayloadSaid, occurred_at: datetime, rule_set: RuleSet, facts: EarningFacts
) -> Evaluation:
    """What an event earns by rules that name its type (``RuleSet.for_event``). Pure, as for purchases.

    Raises:
        MissingFactError: a rule needs a fact that was not handed in.
    """
    return evaluate(JudgedEvent(type_code, payload, occasion_of(occurred_at), _ONE_PLACE, facts), rule_set)


def occasion_of(occurred_at: datetime) -> PurchaseData:
    """When and whose it was, in the words of a receipt."""
    return PurchaseData.model_construct(
        receipt_id="",
        content_hash="",
        partner_id=PROGRAMME,
        store_id="",
        till_id="",
        occurred_at=occurred_at,
        received_at=occurred_at,
        currency="",
        total_minor=0,
        lines=(),
        tenders=(),
    )


def document_of_event(award: bytes, event_id: UUID, occurred_at: datetime) -> Document:
    """What an award of an event is an award of. It is never stored: the event is."""
    recorded = PurchaseRecorded.model_construct(
        id=event_id, source="", subject="", time=occurred_at, data=occasion_of(occurred_at)
    )
    return Document(award, b"", (PROGRAMME, "", ""), None, recorded, b"")
