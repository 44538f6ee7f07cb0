"""Decisions without a database: documents are decided one by one, and what waits for another is decided after it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.accrual.domain.deciding import decide_document
from services.accrual.domain.decisions import Awarded, ClawedBack, Decision, Exchanged, Facts, Original, Parked, Refused
from services.accrual.domain.rules import RuleSet, RuleSetHistory
from shared.events.purchases import PurchaseEvent
from tests.support.receipts import RULES, document, member

ANNA = member(1)


def facts_for(events: Sequence[PurchaseEvent], owner: UUID = ANNA, rule_set: RuleSet = RULES) -> Facts:
    """One member, tills that are known, one version of the rules."""
    documents = [document(event) for event in events]
    return Facts(
        owners={one.natural_key: owner for one in documents},
        members={owner: "active"},
        tills={one.till for one in documents},
        partners={},
        mappings={},
        funds={},
        originals={},
        rule_sets=RuleSetHistory([rule_set]),
        now=datetime.now(UTC),
        parked_window=timedelta(days=60),
        zone=UTC,
    )


def decided(events: Sequence[PurchaseEvent], rule_set: RuleSet = RULES) -> dict[bytes, Decision]:
    """What becomes of each document in the end, when they come in this order."""
    facts = facts_for(events, rule_set=rule_set)
    waiting = [document(event) for event in events]
    final: dict[bytes, Decision] = {}
    while waiting:
        parked = []
        for one in waiting:
            decision = decide_document(one, facts)
            final[one.natural_key] = decision
            if isinstance(decision, Parked):
                parked.append(one)
            elif isinstance(decision, Refused):
                facts.originals.setdefault(one.natural_key, Original("refused"))
        if len(parked) == len(waiting):
            break
        waiting = parked
    return final


def points_left(decisions: dict[bytes, Decision]) -> int:
    """What the member has of them."""
    return sum(_points_of(decision) for decision in decisions.values())


def _points_of(decision: Decision) -> int:
    match decision:
        case Awarded(evaluation=evaluation):
            return evaluation.points
        case ClawedBack(points=points):
            return -points
        case Exchanged(taken=taken, given=given):
            return _points_of(taken) + (0 if given is None else _points_of(given))
        case _:
            return 0
