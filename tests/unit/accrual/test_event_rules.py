"""Rules of member events: what is wrong with them at draft, and that they and rules of purchases never meet."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.earning_facts import EarningFacts, Left, Used
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.judged_event import evaluate_event
from services.accrual.domain.member_event_types import MemberEventDraft
from services.accrual.domain.rule_faults import Known, find_faults
from services.accrual.domain.rules import RuleSet, RuleSetHistory
from tests.support.receipts import NOON, line, purchase

PROPERTIES = {
    "survey": {"type": "string", "enum": ["spring", "autumn"]},
    "answers": {"type": "integer", "minimum": 1, "maximum": 40},
    "complete": {"type": "boolean"},
}
SURVEY = MemberEventDraft.model_validate({"sources": ["tool"], "payload": {"properties": PROPERTIES}})
WELCOME = MemberEventDraft.model_validate({"trigger": "enrolment"})
BY_ITSELF = MemberEventDraft.model_validate({"trigger": "birthday", "points": {"kind": "fixed", "points": 5}})
KNOWN = Known(event_types={"survey": SURVEY, "welcome": WELCOME, "birthday": BY_ITSELF})
FIVE = {"kind": "fixed_points", "points": 5}
PER_ANSWER = {"kind": "points_per_number", "property": "answers", "points": 1}
DOLLAR = {"kind": "points_per_amount", "points": 1, "step_minor": 100}


def rule(effect: dict[str, Any], when: object = None, **more: Any) -> dict[str, Any]:
    condition = {"events": ["survey"]} | more.pop("condition", {}) | ({} if when is None else {"when": when})
    return {"id": "r", "name": "r", "effect": effect, "condition": condition} | more


def payload(name: str, *values: str) -> dict[str, Any]:
    return {"kind": "payload", "property": name, "values": list(values)}


def number(name: str, **bounds: int) -> dict[str, Any]:
    return {"kind": "payload_number", "property": name} | bounds


WHEN = "/rules/0/condition/when"


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        (rule(FIVE), []),
        (rule(PER_ANSWER), []),
        (rule(FIVE, {"kind": "all", "of": [payload("survey", "spring"), number("answers", at_most=10)]}), []),
        (rule(FIVE, payload("complete", "true")), []),
        (rule(FIVE, {"kind": "tier", "tiers": ["gold"]}), []),
        (rule(FIVE, condition={"events": ["survey", "unheard"]}), ["/rules/0/condition/events/1"]),
        (rule(FIVE, condition={"events": ["birthday"]}), ["/rules/0/condition/events/0"]),  # gives points by itself
        (rule(FIVE, payload("colour", "red")), [f"{WHEN}/property"]),
        (rule(FIVE, payload("survey", "spring", "winter")), [f"{WHEN}/values/1"]),
        (rule(FIVE, payload("complete", "yes")), [f"{WHEN}/values/0"]),
        (rule(FIVE, payload("answers", "5")), [f"{WHEN}/kind"]),
        (rule(FIVE, number("survey", at_least=1)), [f"{WHEN}/kind"]),
        (rule(FIVE, number("answers", at_least=41)), [f"{WHEN}/at_least"]),
        (rule(FIVE, number("answers", at_most=0)), [f"{WHEN}/at_most"]),
        (
            rule(FIVE, {"kind": "all", "of": [payload("survey", "spring"), payload("survey", "autumn")]}),
            [f"{WHEN}/of/1"],
        ),
        (rule(FIVE, payload("survey", "spring"), condition={"events": ["survey", "welcome"]}), [f"{WHEN}/property"]),
        (rule(PER_ANSWER | {"property": "pages"}), ["/rules/0/effect/property"]),
        (rule(PER_ANSWER | {"property": "survey"}), ["/rules/0/effect/property"]),
        (rule(DOLLAR), ["/rules/0/effect/kind"]),
        (rule(FIVE | {"per": "line"}), ["/rules/0/effect/per"]),
        (rule(FIVE, rounding_per="line"), ["/rules/0/rounding_per"]),
        (rule(FIVE, {"kind": "channel", "channels": ["app"]}), [WHEN]),
        (rule(FIVE, {"kind": "not", "of": {"kind": "first_purchase"}}), [f"{WHEN}/of"]),
        (rule(FIVE, condition={"categories": ["food"]}), ["/rules/0/condition/categories"]),
        (rule({"kind": "multiplier", "percent": 200}), ["/rules/0/effect"]),  # nothing gives points to multiply
        (rule(PER_ANSWER, condition={"events": []}), ["/rules/0/effect"]),
        (rule(FIVE, payload("survey", "spring"), condition={"events": []}), [WHEN]),
    ],
)
def test_what_is_wrong_with_a_rule_of_events_is_told_at_its_place(said: dict[str, Any], pointers: list[str]) -> None:
    assert [fault.pointer for fault in find_faults({"rules": [said]}, KNOWN)] == pointers


def test_a_multiplier_of_events_needs_points_of_its_own_events() -> None:
    base = rule(PER_ANSWER, condition={"events": ["welcome", "survey"]}) | {"id": "base"}
    double = rule({"kind": "multiplier", "percent": 200}) | {"id": "double"}
    of_purchases = {"id": "dollar", "name": "dollar", "effect": DOLLAR}

    def faults(*rules: dict[str, Any]) -> list[str]:
        return [fault.pointer for fault in find_faults({"rules": list(rules)}, KNOWN)]

    assert faults(of_purchases, double) == ["/rules/1/effect"]
    assert [place for place in faults(base, double) if "property" not in place] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"sources": ["tool"], "basis": "prize"},
        {"sources": ["tool"], "expires_after_days": 5},
        {"sources": ["tool"], "points": {"kind": "unknown"}},
    ],
)
def test_a_type_that_leaves_it_to_the_rules_says_nothing_of_terms(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"leave both out|unknown"):
        MemberEventDraft.model_validate(wrong)


def rules_of(of_purchases: int, of_events: int, cap: int) -> RuleSet:
    document = {
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "caps": [{"kind": "member", "points_max": cap, "window": {"kind": "calendar", "unit": "day"}}],
        "campaigns": [
            {"id": each, "name": each, "from_date": "2020-01-01", "until_date": "2099-01-01", "zone": "programme"}
            | {"budget": {"points_max": 1_000}}
            for each in ("both", "shop", "event")
        ],
        "rules": [
            {"id": f"p{n}", "name": "p", "campaign": ("both", "shop")[n % 2], "effect": FIVE}
            for n in range(of_purchases)
        ]
        + [
            {"id": f"e{n}", "name": "e", "campaign": ("both", "event")[n % 2], "effect": FIVE}
            | {"condition": {"events": ["survey"]}}
            for n in range(of_events)
        ],
    }
    return RuleSet.model_validate(document)


@given(st.integers(0, 4), st.integers(0, 4), st.integers(1, 40))
def test_rules_of_events_and_of_purchases_never_meet_and_share_what_caps_leave(shop: int, event: int, cap: int) -> None:
    if shop + event == 0:
        return
    whole = rules_of(shop, event, cap)
    history = RuleSetHistory([whole])
    of_purchases, of_events = history.version(1), history.of_event(1, "survey")
    assert (of_purchases is whole) == (event == 0)
    assert of_purchases.for_purchases is of_purchases
    assert {one.id for one in of_purchases.rules} == {f"p{n}" for n in range(shop)}
    assert {one.id for one in of_events.rules} == {f"e{n}" for n in range(event)}
    assert history.of_event(1, "unheard").rules == ()

    def facts(used: int, judged: RuleSet) -> EarningFacts:
        budgets = {name: Left(1_000) for name in judged.needs.budgets}
        return EarningFacts(used={"all/day/programme": Used(used)}, budgets=budgets)

    first = evaluate_purchase(purchase(1, [line(1, 1_000)]).data, of_purchases, facts=facts(0, of_purchases))
    then = evaluate_event("survey", {}, NOON, of_events, facts(first.points, of_events))
    assert first.points == min(5 * shop, cap)
    assert then.points == min(5 * event, cap - first.points)
    shared = {"both"} if shop else set()
    assert ("event" in of_purchases.needs.budgets, set(of_purchases.needs.budgets) & {"both"}) == (False, shared)
