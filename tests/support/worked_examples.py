"""Reads the worked examples of ``docs/rule-sets/examples``: receipt, facts, rules, and what comes of them.

How an example is written stands in that folder's README.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from services.accrual.domain.award_parts import earned_parts
from services.accrual.domain.birthdays import near_birthday
from services.accrual.domain.earning_facts import Activity, EarningFacts, Left, MemberFacts, Used
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import ActivityKey, GroupName
from services.accrual.domain.rules.predicates_of_attributes import attribute_holds
from shared.events.purchases import ExchangeData, PurchaseData, PurchaseLine, Tender
from tests.support.receipts import NOON, exchange_of, purchase

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "rule-sets" / "examples"


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """One example; ``award``, ``returns`` and ``exchange`` are what must come of it."""

    name: str
    because: str
    receipt: PurchaseData
    rule_set: RuleSet
    facts: EarningFacts
    award: Mapping[str, Any]
    trace: tuple[str, ...]
    returns: tuple[Mapping[str, Any], ...]
    corrections: tuple["WorkedCorrection", ...] = ()
    exchange: Mapping[str, Any] | None = None
    moved: tuple["WorkedMove", ...] = ()


@dataclass(frozen=True, slots=True)
class WorkedCorrection:
    """The receipt as it should have been, and what must come of that; ``now`` are the facts as they count by then."""

    receipt: PurchaseData
    now: EarningFacts
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkedMove:
    """The facts of the member whose receipt it is, and what must come of moving it there."""

    facts: EarningFacts
    said: Mapping[str, Any]


@cache
def worked_examples() -> tuple[WorkedExample, ...]:
    """All examples, file by file in the order of their names."""
    return tuple(
        _example(document)
        for path in sorted(EXAMPLES.glob("*.yaml"))
        for document in yaml.safe_load(path.read_text())["examples"]
    )


def _example(document: Mapping[str, Any]) -> WorkedExample:
    rules = {"version": 1, "effective_from": "2020-01-01T00:00:00Z"} | document["rules"]
    receipt, rule_set = _receipt(document["receipt"]), RuleSet.model_validate(rules)
    return WorkedExample(
        name=document["name"],
        because=document["because"],
        receipt=receipt,
        rule_set=rule_set,
        facts=facts_of(document.get("facts", {}), receipt, rule_set),
        award=document["award"],
        trace=tuple(document["trace"]),
        returns=tuple(document.get("returns", ())),
        corrections=tuple(
            WorkedCorrection(_receipt(one["receipt"]), facts_of(one.get("now", {}), receipt, rule_set), one)
            for one in document.get("corrections", ())
        ),
        exchange=document.get("exchange"),
        moved=tuple(WorkedMove(facts_of(one["facts"], receipt, rule_set), one) for one in document.get("moved", ())),
    )


def exchange_as_told(example: WorkedExample) -> tuple[ExchangeData, EarningFacts]:
    """The example's exchange as a document, and the facts that its new goods are judged by."""
    said = example.exchange or {}
    sold = _receipt({"lines": said["lines"], "tenders": said.get("tenders", {})})
    bought = purchase(1, list(example.receipt.lines), tenders=example.receipt.tenders)
    exchange = exchange_of(bought, 2, said["returned"], list(sold.lines), tenders=sold.tenders)
    facts = facts_of(said["facts"], example.receipt, example.rule_set) if "facts" in said else example.facts
    return exchange.data, facts


def _receipt(document: Mapping[str, Any]) -> PurchaseData:
    lines = [
        PurchaseLine.model_validate({"line_id": number, "sku": f"sku-{number}", "quantity_thousandths": 1_000} | one)
        for number, one in enumerate(document["lines"], start=1)
    ]
    tenders = [
        Tender.model_validate({"kind": kind, "amount_minor": amount})
        for kind, amount in document.get("tenders", {}).items()
    ]
    at = document.get("at")
    data = purchase(
        1,
        lines,
        partner_id=document.get("partner", "grocer"),
        tenders=tenders,
        occurred_at=datetime.fromisoformat(at) if at is not None else NOON,
    ).data
    said = {
        name: document[name]
        for name in ("store_id", "currency", "channel", "coupons", "prepaid_receipt_ids")
        if name in document
    }
    return PurchaseData.model_validate(data.model_dump() | said)


def facts_of(document: Mapping[str, Any], receipt: PurchaseData, rule_set: RuleSet) -> EarningFacts:
    """The facts as an example writes them."""
    member = dict(document.get("member", {}))
    if "enrolled_at" in member:
        member["enrolled_at"] = datetime.fromisoformat(member["enrolled_at"])
    born = member.pop("birth_month", None), member.pop("birth_day", None)
    groups = [GroupName("segment", code) for code in member.pop("segments", ())]
    groups += [GroupName("campaign", code) for code in member.pop("campaigns", ())]
    says = member.pop("attributes", {})
    met = frozenset(test for test in rule_set.needs.attributes if attribute_holds(test, says.get(test.code)))
    store_zone, decided_after = document.get("store_zone"), document.get("decided_after")
    facts = EarningFacts(
        programme_zone=ZoneInfo(document.get("programme_zone", "UTC")),
        store_zone=ZoneInfo(store_zone) if store_zone is not None else None,
        store_group=document.get("store_group"),
        member=MemberFacts(**member, groups=frozenset(groups), attributes=met),
        activity=dict(_activity(one) for one in document.get("activity", ())),
        used={name: Used(**one) for name, one in document.get("used", {}).items()},
        budgets={name: Left(**one) for name, one in document.get("budgets", {}).items()},
        balance=document.get("balance"),
        decided_after=datetime.fromisoformat(decided_after) if decided_after is not None else None,
    )
    if None in born:
        return facts
    near = near_birthday(rule_set.needs.birthdays, *born, receipt.occurred_at, facts)
    return facts._replace(member=facts.member._replace(near_birthday=near))


def _activity(document: Mapping[str, Any]) -> tuple[ActivityKey, Activity]:
    key = {"at": "programme", "days": 0, "zone": "programme"} | document["of"]
    counted = {name: value for name, value in document.items() if name != "of"}
    if "last_on" in counted:
        counted["last_on"] = date.fromisoformat(str(counted["last_on"]))
    return ActivityKey(**key), Activity(**counted)


def lots_in_words(evaluation: Evaluation, programme_zone: tzinfo) -> list[dict[str, object]]:
    """The lots of an award as an example writes them: points, type where it is another one, from when they may be spent
    (``waits``: not at once), and the day on which they are gone.
    """
    earned_on = evaluation.receipt.purchase.occurred_at.astimezone(programme_zone).date()
    lots = [
        _lot(part.points, part.key.terms.available_from, part.key.terms.expires_on)
        | ({"point_type": part.key.point_type} if part.key.point_type is not None else {})
        | ({"waits": True} if part.key.wait is not None else {})
        for part in earned_parts(evaluation, earned_on)
    ]
    return lots or [_lot(evaluation.points, earned_on, evaluation.rule_set.expires_on(earned_on))]


def _lot(points: int, available_from: date, gone_on: date | None) -> dict[str, object]:
    lot: dict[str, object] = {"points": points, "from": str(available_from)}
    return lot if gone_on is None else lot | {"gone_on": str(gone_on)}
