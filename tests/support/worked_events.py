"""Reads the worked examples of member events: type, payload, facts, rules, and what comes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import yaml

from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.judged_event import evaluate_event, occasion_of
from services.accrual.domain.rules import RuleSet
from tests.support.receipts import NOON
from tests.support.worked_examples import EXAMPLES, facts_of


@dataclass(frozen=True, slots=True)
class WorkedEvent:
    """One example; ``award`` is what must come of it. ``rule_set`` is as events of its type are judged by it."""

    name: str
    type_code: str
    payload: Mapping[str, Any]
    occurred_at: datetime
    rule_set: RuleSet
    facts: EarningFacts
    award: Mapping[str, Any]
    trace: tuple[str, ...]

    def evaluate(self, facts: EarningFacts | None = None) -> Evaluation:
        """What the engine makes of it."""
        return evaluate_event(self.type_code, self.payload, self.occurred_at, self.rule_set, facts or self.facts)


@cache
def worked_events() -> tuple[WorkedEvent, ...]:
    """All examples, file by file in the order of their names."""
    paths = sorted((EXAMPLES / "member-events").glob("*.yaml"))
    return tuple(_example(document) for path in paths for document in yaml.safe_load(path.read_text())["examples"])


def _example(document: Mapping[str, Any]) -> WorkedEvent:
    said = document["event"]
    whole = RuleSet.model_validate({"version": 1, "effective_from": "2020-01-01T00:00:00Z"} | document["rules"])
    rule_set = whole.for_event(said["type"])
    at = datetime.fromisoformat(said["at"]) if "at" in said else NOON
    facts = facts_of(document.get("facts", {}), occasion_of(at), rule_set)
    return WorkedEvent(
        name=document["name"],
        type_code=said["type"],
        payload=said.get("payload", {}),
        occurred_at=at,
        rule_set=rule_set,
        facts=facts._replace(store_zone=facts.programme_zone),
        award=document["award"],
        trace=tuple(document["trace"]),
    )
