"""``python -m services.accrual.measure_engine`` prints how many microseconds the pure engine takes for a receipt; with
``rules`` it prints the document of the twenty rules instead, so that they can be published and measured elsewhere.

Two workloads: the two rules of the demo on five lines, and twenty active rules of all kinds on ten lines. The fastest
of many short rounds counts: the engine knows no waiting, so whatever is slower was somebody else on the machine.
"""

import json
import sys
import timeit
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.accrual.domain.earning_facts import Activity, EarningFacts, MemberFacts, Used
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData, PurchaseLine, Tender

ROUNDS = 300
RECEIPTS_A_ROUND = 50
CATEGORIES = ("GROCERY", "PRODUCE", "MEAT", "DELI", "PASTRY", "DAIRY", "COFFEE", "WINE", "BABY", "PETS")

_DOLLAR = {
    "id": "dollar",
    "name": "A point a dollar",
    "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
}
_PRODUCE = {
    "id": "produce",
    "name": "Fruit and vegetables count double",
    "condition": {"categories": ["PRODUCE"]},
    "effect": {"kind": "multiplier", "percent": 200},
}


def two_rules() -> RuleSet:
    """A base rate and a multiplier."""
    return _rule_set({"rules": [_DOLLAR, _PRODUCE]})


def twenty_rules() -> RuleSet:
    """The rule set of ``twenty_rules_document``."""
    return _rule_set(twenty_rules_document())


def twenty_rules_document() -> dict[str, Any]:
    """All phases, predicates of all families, a group, caps and a second point type."""
    weekend = {"kind": "weekday", "weekdays": [6, 7], "zone": "store"}
    by_category = [
        _rule(f"c{number}", {"kind": "multiplier", "percent": 110 + number}, {"categories": [category]})
        for number, category in enumerate(("MEAT", "DELI", "TOYS", "GARDEN", "BOOKS", "SHOES", "WINE", "PETS"))
    ]
    month = {"kind": "calendar", "unit": "month", "zone": "store"}
    others = [
        _rule("status", {"kind": "points_per_amount", "point_type": "status", "points": 2, "step_minor": 100}),
        _rule("tens", {"kind": "points_per_full_step", "points": 5, "step_minor": 1_000}, {"categories": ["WINE"]}),
        _rule("cups", {"kind": "points_per_quantity", "points": 3}, {"categories": ["COFFEE"]}),
        _rule("weekend", {"kind": "multiplier", "percent": 120}, {"when": weekend}, group="boost"),
        _rule(
            "gold", {"kind": "multiplier", "percent": 150}, {"when": {"kind": "tier", "tiers": ["gold"]}}, group="boost"
        ),
        _rule("fifty", _fixed(20), {"when": {"kind": "amount", "at_least_minor": 5_000}}),
        _rule("card", _fixed(5), {"when": {"kind": "tender", "tenders": ["card"], "at_least_minor": 2_000}}),
        _rule("coupon", _fixed(50), {"when": {"kind": "coupon", "codes": ["SPRING50"]}}),
        _rule(
            "hours", _fixed(5), {"when": {"kind": "hours", "from_minute": 480, "until_minute": 720, "zone": "store"}}
        ),
        _rule(
            "fifth",
            _fixed(50),
            {"when": {"kind": "nth", "nth": 5, "counted": "visits", "repeats": True, "window": month}},
            caps=[{"kind": "member", "points_max": 100, "window": month}],
        ),
    ]
    return {
        "groups": [{"id": "boost", "choice": "best"}],
        "caps": [{"kind": "receipt", "points_max": 5_000}],
        "exclusions": {"categories": ["TOBACCO"]},
        "rules": [_DOLLAR, _PRODUCE, *by_category, *others],
    }


def receipt(lines: int) -> PurchaseData:
    """A receipt of so many lines, each of another category."""
    rows = tuple(
        PurchaseLine(
            line_id=number + 1,
            sku=str(10_000_000 + number),
            category=CATEGORIES[number],
            quantity_thousandths=1_000,
            amount_minor=199 + number * 131,
        )
        for number in range(lines)
    )
    total = sum(row.amount_minor for row in rows)
    at = datetime(2026, 11, 1, 15, 30, tzinfo=UTC)
    return PurchaseData(
        receipt_id="AA",
        content_hash="0" * 64,
        partner_id="bench",
        store_id="1",
        till_id="1",
        member_id=UUID(int=1),
        occurred_at=at,
        received_at=at,
        currency="USD",
        total_minor=total,
        tenders=(Tender(kind="card", amount_minor=total),),
        lines=rows,
    )


def facts_for(rule_set: RuleSet) -> EarningFacts:
    """A gold member on the fourth visit of the month."""
    needs = rule_set.needs
    return EarningFacts(
        store_zone=ZoneInfo("America/New_York"),
        member=MemberFacts(tier="gold"),
        activity={key: Activity(purchases=3, days=3) for key in needs.activity},
        used={cap.name: Used(points=20, receipts=2) for cap in needs.member_caps},
    )


def microseconds(rule_set: RuleSet, purchase: PurchaseData) -> float:
    """What one receipt takes."""
    facts = facts_for(rule_set)
    rounds = timeit.repeat(
        lambda: evaluate_purchase(purchase, rule_set, facts=facts), number=RECEIPTS_A_ROUND, repeat=ROUNDS
    )
    return min(rounds) / RECEIPTS_A_ROUND * 1e6


def _rule_set(document: dict[str, Any]) -> RuleSet:
    return RuleSet.model_validate({"version": 1, "effective_from": "2020-01-01T00:00:00Z"} | document)


def _rule(
    rule_id: str, effect: dict[str, Any], condition: dict[str, Any] | None = None, **more: object
) -> dict[str, Any]:
    return {"id": rule_id, "name": rule_id, "effect": effect, "condition": condition or {}} | more


def _fixed(points: int) -> dict[str, Any]:
    return {"kind": "fixed_points", "points": points}


def _asked(arguments: list[str]) -> dict[str, Any]:
    if arguments == ["rules"]:
        return twenty_rules_document()
    return {
        "two_rules_us": microseconds(two_rules(), receipt(5)),
        "twenty_rules_us": microseconds(twenty_rules(), receipt(10)),
    }


if __name__ == "__main__":
    print(json.dumps(_asked(sys.argv[1:])))  # noqa: T201 -- what it is for
