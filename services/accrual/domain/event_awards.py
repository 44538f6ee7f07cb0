"""What is kept of an event's award, in a few bytes: enough to explain it, and to give back what it used.

What the event said is not kept here: it is forgotten with the person, and caps and budgets are given back all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

import orjson

from services.accrual.domain.capping import usage_of
from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.judged_event import JudgedEvent
from services.accrual.domain.outcomes import Applied, Usage
from services.accrual.domain.plans import plan_for
from services.accrual.domain.rules.rule_set import RuleSet
from services.accrual.domain.stored_facts import facts_from_stored, facts_to_store
from shared.ledger.terms import PROGRAMME

_PREFIX = b"event:"
# As the table has it.
DECISION_BYTES_MAX = 500


@dataclass(frozen=True, slots=True)
class EventDecision:
    """What was decided: the type, when it happened, which rules gave how much, and by which facts.

    ``said_something``: whether the event had a payload, which may be forgotten since.
    """

    type_code: str
    occurred_at: datetime
    applied: tuple[tuple[str, int], ...]
    facts: Mapping[str, Any] | None
    said_something: bool

    def facts_for(self, rule_set: RuleSet) -> EarningFacts:
        """The facts that it was judged by, as far as these rules asked for them."""
        return facts_from_stored(self.facts, rule_set.needs)

    def usage(self, rule_set: RuleSet) -> Sequence[Usage]:
        """What it used up of caps and budgets."""
        given = [Applied(rule_id, 0, points, 0) for rule_id, points in self.applied]
        return usage_of(given, plan_for(rule_set, PROGRAMME).cap_steps)


def facts_at(zone: tzinfo) -> EarningFacts:
    """What is known of where an event happened: it has no store, so whatever names a store's zone means this one."""
    return EarningFacts(programme_zone=zone, store_zone=zone)


def applied_rules(evaluation: Evaluation) -> tuple[tuple[str, int], ...]:
    """The rules that gave points, each with what caps left of them."""
    return tuple((one.rule_id, one.points) for one in evaluation.applied)


def write_decision(evaluation: Evaluation) -> bytes:
    """A decision as it is stored."""
    event = evaluation.receipt
    if not isinstance(event, JudgedEvent):
        raise TypeError("a receipt is no member event")
    said: dict[str, Any] = {
        "event": event.type_code,
        "at": event.purchase.occurred_at.timestamp(),
        "applied": applied_rules(evaluation),
    }
    if event.payload:
        said["said"] = 1
    if evaluation.rule_set.needs_facts:
        said["facts"] = facts_to_store(evaluation.facts, evaluation.rule_set.needs)
    return orjson.dumps(said)


def read_decision(stored: bytes) -> EventDecision:
    """The decision that was stored so."""
    said = orjson.loads(stored)
    applied = tuple((rule_id, points) for rule_id, points in said["applied"])
    return EventDecision(
        said["event"], datetime.fromtimestamp(said["at"], UTC), applied, said.get("facts"), "said" in said
    )


def event_id_of(award: bytes) -> UUID:
    """The event whose award is called so."""
    return UUID(bytes=award.removeprefix(_PREFIX))
