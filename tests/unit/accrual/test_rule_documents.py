"""What a rule-set document may say, and what is refused when it is drafted."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.accrual.domain.birthdays import birthday_in
from services.accrual.domain.earning_facts import MissingFactError
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.rounding import rounded
from services.accrual.domain.rule_faults import Fault, Known, find_faults
from services.accrual.domain.rules import RuleSet, RuleSetDraft
from tests.support.receipts import purchase

DOLLAR = {
    "id": "dollar",
    "name": "A point a dollar",
    "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 100},
}
DOUBLE = {"id": "double", "name": "Double", "effect": {"kind": "multiplier", "percent": 200}}
MONTH = {"kind": "calendar", "unit": "month", "zone": "programme"}
CAP = {"kind": "member", "points_max": 5, "window": MONTH}


def when(predicate: dict[str, Any]) -> dict[str, Any]:
    return DOLLAR | {"condition": {"when": predicate}}


def draft(*rules: dict[str, Any], **more: object) -> RuleSetDraft:
    return RuleSetDraft.model_validate({"rules": rules} | more)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"rules": [DOLLAR | {"group": "x"}]}, "groups that are not there: x"),
        ({"rules": [DOLLAR | {"campaign": "x"}]}, "campaigns that are not there: x"),
        (
            {"groups": [{"id": "g", "choice": "best"}], "rules": [DOLLAR | {"group": "g"}, DOUBLE | {"group": "g"}]},
            "one phase and one point type",
        ),
        ({"rules": [DOLLAR | {"caps": [CAP, CAP]}]}, "cap ids must differ"),
        ({"rules": [DOLLAR | {"caps": [{"kind": "member", "window": MONTH}]}]}, "name points_max, receipts_max"),
        ({"rules": [DOLLAR | {"caps": [{"kind": "member", "points_max": 5}]}]}, "window"),
        ({"rules": [DOUBLE | {"apply_in": "base"}]}, "a multiplier has a phase of its own"),
        ({"rules": [when({"kind": "amount"})]}, "name at_least, at_most or both"),
        ({"rules": [when({"kind": "amount", "at_least_minor": 9, "at_most_minor": 8})]}, "nothing could ever match"),
        (
            {
                "rules": [
                    when({"kind": "dates", "from_date": "2026-02-02", "until_date": "2026-02-01", "zone": "store"})
                ]
            },
            "nothing could ever match",
        ),
        ({"rules": [when({"kind": "weekday", "weekdays": [1]})]}, "zone"),
        ({"rules": [when({"kind": "horoscope", "signs": ["a"]})]}, "does not match any of the expected tags"),
        ({"rules": [when({"kind": "any", "of": [{"kind": "first_purchase"}] * 51})]}, "50 items"),
    ],
)
def test_a_fault_is_found_when_it_is_drafted(document: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        RuleSetDraft.model_validate(document)


def test_a_condition_has_a_bound() -> None:
    wide = {"kind": "any", "of": [{"kind": "any", "of": [{"kind": "first_purchase"}] * 30}] * 5}

    with pytest.raises(ValidationError, match="at most 100 predicates"):
        draft(when(wide))


def test_a_document_is_the_same_after_it_was_stored() -> None:
    campaign = {"id": "c", "name": "C", "from_date": "2026-01-01", "until_date": "2026-12-31", "zone": "store"}
    written = draft(
        DOLLAR | {"campaign": "c", "caps": [CAP], "group": "g"},
        when({"kind": "all", "of": [{"kind": "tier", "tiers": ["gold"]}, {"kind": "not", "of": {"kind": "household"}}]})
        | {"id": "second"},
        groups=[{"id": "g", "choice": "first"}],
        campaigns=[campaign | {"budget": {"points_max": 10}}],
    )

    assert RuleSetDraft.model_validate(written.model_dump(mode="json")) == written


def test_a_rule_set_says_which_facts_it_needs() -> None:
    needs = draft(
        when({"kind": "nth", "nth": 3, "window": {"kind": "rolling", "days": 7, "zone": "store"}}),
        DOUBLE | {"caps": [CAP]},
    ).needs

    assert [(key.unit, key.days, key.zone) for key in needs.activity] == [("rolling", 7, "store")]
    assert [cap.name for cap in needs.member_caps] == ["rule:double/month/programme"]
    assert needs.store_zone
    assert needs.programme_zone
    assert not any(draft(DOLLAR, DOUBLE).needs)


def test_points_are_never_given_on_a_guess() -> None:
    rules = {
        "version": 1,
        "effective_from": datetime(2020, 1, 1, tzinfo=UTC),
        "rules": [when({"kind": "first_purchase"})],
    }

    with pytest.raises(MissingFactError):
        evaluate_purchase(purchase(1, 100).data, RuleSet.model_validate(rules))


def test_nothing_is_drafted_that_this_service_cannot_judge_by() -> None:
    effect = {"kind": "points_per_amount", "points": 1, "step_minor": 100, "point_type": "status"}
    asked = draft(DOLLAR | {"effect": effect})

    (fault,) = find_faults(asked.model_dump(mode="json"), Known())
    assert fault == Fault(
        "/rules/0/effect/point_type",
        "the programme has no such point type: declare it in TESSERA_OTHER_POINT_TYPES",
    )
    assert find_faults(asked.model_dump(mode="json"), Known(other_types=frozenset({"status"}))) == []


@pytest.mark.parametrize(
    ("halves", "rounding", "points"),
    [
        (3, "floor", 1),
        (3, "half_up", 2),
        (3, "half_even", 2),
        (5, "half_even", 2),
        (3, "ceiling", 2),
        (4, "ceiling", 2),
        (0, "half_even", 0),
    ],
)
def test_halves_are_rounded_as_the_rule_says(halves: int, rounding: Any, points: int) -> None:
    assert rounded(halves * 50, 100, rounding) == points


def test_29_february_in_a_year_without_one() -> None:
    assert str(birthday_in(2027, 2, 29)) == "2027-02-28"
    assert str(birthday_in(2027, 2, 29, is_late=True)) == "2027-03-01"
    assert str(birthday_in(2028, 2, 29, is_late=True)) == "2028-02-29"
