"""Everything that is wrong with a rule-set document, at once, with pointers; and nothing that is right."""

from datetime import date
from typing import Any

import pytest

from cli.bench.rules import RULES as BENCH_RULES
from cli.demo.programme import RULES as DEMO_RULES
from services.accrual.domain.rule_faults import Known, find_faults

BASE = {"kind": "points_per_amount", "points": 1, "step_minor": 100}
DOUBLE = {"kind": "multiplier", "percent": 200}
KNOWN = Known(
    partners=frozenset({"grocer", "fuel"}),
    stores=frozenset({("grocer", "s1")}),
    categories={"grocer": frozenset({"food", "fruit", "tobacco", "cigars"})},
    above={"fruit": frozenset({"food"}), "cigars": frozenset({"tobacco"})},
    other_types=frozenset({"status"}),
)


def rule(rule_id: str = "base", effect: dict[str, Any] | None = None, **condition: Any) -> dict[str, Any]:
    return {"id": rule_id, "name": rule_id, "effect": effect or BASE, "condition": condition}


def faults(*rules: dict[str, Any], known: Known = KNOWN, **fields: Any) -> list[tuple[str, str]]:
    """The faults but for those of what this release cannot judge by yet."""
    found = find_faults({"rules": list(rules), **fields}, known)
    return [(fault.pointer, fault.detail) for fault in found if "cannot judge by" not in fault.detail]


def pointers(*rules: dict[str, Any], known: Known = KNOWN, **fields: Any) -> list[str]:
    return [pointer for pointer, _ in faults(*rules, known=known, **fields)]


def every(*of: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "all", "of": list(of)}


def some(*of: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "any", "of": list(of)}


def no(of: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "not", "of": of}


def dates(since: str | None, until: str | None, zone: str = "programme") -> dict[str, Any]:
    return {"kind": "dates", "from_date": since, "until_date": until, "zone": zone}


def weekdays(*days: int, zone: str = "programme") -> dict[str, Any]:
    return {"kind": "weekday", "weekdays": list(days), "zone": zone}


def hours(since: int, until: int) -> dict[str, Any]:
    return {"kind": "hours", "from_minute": since * 60, "until_minute": until * 60, "zone": "programme"}


def amount(lines: dict[str, Any] | None = None, **bounds: int) -> dict[str, Any]:
    return {"kind": "amount", "lines": lines, **bounds}


def of_category(*categories: str) -> dict[str, Any]:
    return {"kind": "category", "categories": list(categories)}


EVER = {"kind": "ever"}
FIRST = {"kind": "first_purchase"}
FIFTH = {"kind": "nth", "nth": 5, "window": EVER}
AT_GROCER = {"kind": "partner", "partners": ["grocer"]}
AT_FUEL = {"kind": "partner", "partners": ["fuel"]}
AT_S1 = {"kind": "store", "stores": [{"partner_id": "grocer", "store_id": "s1"}]}
APP, WEB = ({"kind": "channel", "channels": [channel]} for channel in ("app", "web"))
GOLD, SILVER = ({"kind": "tier", "tiers": [tier]} for tier in ("gold", "silver"))


@pytest.mark.parametrize("rules", [BENCH_RULES, list(DEMO_RULES)], ids=["bench", "demo"])
def test_rules_in_use_have_none(rules: list[dict[str, Any]]) -> None:
    assert find_faults({"rules": rules}, Known()) == []


def test_all_of_them_are_told_at_once() -> None:
    document = {
        "rules": [
            rule("base", {"kind": "points_per_amount", "points": 0, "step_minor": 100}),
            rule("base", categories=["tobacco"], partners=["grocer"]),
            rule("x", {"kind": "guess"}) | {"campaign": "summer", "caps": [{"kind": "member", "points_max": 5}]},
            rule("y", partners=["nobody"], when=every(APP, WEB)),
        ],
        "exclusions": {"categories": ["tobacco"]},
        "expires_after_days": 0,
        "colour": "red",
    }
    assert {fault.pointer for fault in find_faults(document, KNOWN)} == {
        "/rules/0/effect/points",
        "/rules/1/id",
        "/rules/1/condition/categories",
        "/rules/2/effect",
        "/rules/2/campaign",
        "/rules/2/caps/0/window",  # a cap without a period
        "/rules/3/condition/partners/0",
        "/rules/3/condition/when/of/1",
        "/expires_after_days",
        "/colour",
    }


@pytest.mark.parametrize("document", [{}, {"rules": None}, {"rules": [1]}, {"rules": [], "exclusions": 1}])
def test_whatever_is_sent_is_judged(document: dict[str, Any]) -> None:
    assert find_faults(document, KNOWN)


def test_what_is_nested_without_end_is_refused_and_not_walked() -> None:
    when = APP
    for _ in range(2_000):
        when = no(when)
    assert pointers(rule(when=when)) == [""]


def test_deep_but_allowed_conditions_are_walked() -> None:
    when = APP
    for _ in range(90):
        when = no(when)
    assert faults(rule(when=when)) == []


def test_names_that_nobody_could_have_meant_are_told_as_text() -> None:
    (fault,) = find_faults(document_with("\ud800" + "x" * 500), KNOWN)
    assert len(fault.pointer.encode()) < 100


def document_with(name: str) -> dict[str, Any]:
    return {"rules": [rule()], name: 1}


def test_text_that_no_database_keeps_is_found_wherever_it_stands() -> None:
    assert "/rules/0/name" in pointers(rule() | {"name": "a\0b"})


CONTRADICTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("two channels", every(APP, WEB), "/of/1"),
    ("two tiers", every(GOLD, SILVER), "/of/1"),
    ("a store of another partner", every(AT_FUEL, AT_S1), "/of/1"),
    ("a condition and its opposite", every(FIRST, no(FIRST)), "/of/1/of"),
    ("never a weekday", every(*(no(weekdays(day)) for day in range(1, 8))), "/of/6/of"),
    ("morning and evening", every(hours(6, 9), hours(18, 21)), "/of/1"),
    ("a night and its noon", every(hours(22, 6), hours(11, 13)), "/of/1"),
    ("two summers", every(dates("2026-06-01", "2026-08-31"), dates("2027-06-01", None)), "/of/1"),
    ("a Monday between Tuesdays", every(dates("2026-11-03", "2026-11-08"), weekdays(1)), "/of/1"),
    ("days of two zones a week apart", every(dates(None, "2026-01-01"), dates("2026-01-09", None, "store")), "/of/1"),
    ("more than at most", every(amount(at_least_minor=500), amount(at_most_minor=400)), "/of/1"),
    (
        "a part above the whole",
        every(amount(at_most_minor=400), amount(of_category("fruit"), at_least_minor=500)),
        "/of/1",
    ),
    ("the first and the fifth", every(FIRST, FIFTH), "/of/1"),
    ("first anywhere, and one before at this partner", every(FIRST, FIFTH | {"at": "partner"}), "/of/1"),
    ("the fifth and the sixth", every(FIFTH, FIFTH | {"nth": 6}), "/of/1"),
    ("first, and days since the last", every(FIRST, {"kind": "days_since_purchase", "at_least": 3}), "/of/1"),
    ("every alternative, beside the rest", every(APP, some(WEB, every(GOLD, SILVER))), "/of/1"),
    ("not one of all", no(some(APP, no(APP))), "/of/of/1/of"),
]


@pytest.mark.parametrize(("when", "pointer"), [case[1:] for case in CONTRADICTIONS], ids=[c[0] for c in CONTRADICTIONS])
def test_conditions_that_contradict_each_other_are_found(when: dict[str, Any], pointer: str) -> None:
    assert f"/rules/0/condition/when{pointer}" in pointers(rule(when=when))


POSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("either of two", some(APP, WEB)),
    ("a choice of which one is left", every(APP, some(APP, no(GOLD)))),
    ("neither", every(no(APP), no(WEB))),
    ("a night and its early hours", every(hours(22, 6), hours(4, 8))),
    ("a Monday of a week", every(dates("2026-11-02", "2026-11-08"), weekdays(1))),
    ("a Monday in another zone", every(dates("2026-11-03", "2026-11-03"), weekdays(1, zone="store"))),
    ("days of two zones side by side", every(dates(None, "2026-01-01"), dates("2026-01-03", None, "store"))),
    ("first here, not first anywhere", every({"kind": "first_purchase", "at": "partner"}, no(FIRST))),
    ("the fifth, every fifth", every(FIFTH, FIFTH | {"repeats": True})),
    ("the fifth this month and the sixth ever", every(
        FIFTH | {"window": {"kind": "calendar", "unit": "month"}}, FIFTH | {"nth": 6})),
    ("a part and the whole", every(amount(at_most_minor=400), amount(of_category("fruit"), at_least_minor=400))),
    ("not in a window that is over", no(dates(None, "2020-01-01"))),
    ("a bundle of two", {"kind": "bundle", "parts": [{"lines": of_category("fruit")}, {"lines": of_category("food")}]}),
]  # fmt: skip


@pytest.mark.parametrize("when", [case[1] for case in POSSIBLE], ids=[case[0] for case in POSSIBLE])
def test_conditions_that_may_hold_are_left_alone(when: dict[str, Any]) -> None:
    assert faults(rule(when=when), known=KNOWN._replace(earliest=date(2026, 1, 1))) == []


def test_partners_and_campaign_count_beside_the_conditions() -> None:
    assert pointers(rule(partners=["fuel"], when=AT_S1)) == ["/rules/0/condition/when"]
    summer = {
        "id": "summer", "name": "Summer", "from_date": "2026-06-01", "until_date": "2026-08-31", "zone": "programme",
    }  # fmt: skip
    december = rule(when=dates("2026-12-01", "2026-12-31")) | {"campaign": "summer"}
    ((pointer, words),) = faults(december, campaigns=[summer])
    assert (pointer, words) == (
        "/rules/0/condition/when",
        "contradicts /rules/0/campaign: both can never hold at once",
    )


def test_what_is_over_before_it_begins_can_never_apply_but_the_first_may_reach_back() -> None:
    old = rule(when=dates(None, "2025-12-31"))
    ((pointer, words),) = faults(old, known=KNOWN._replace(earliest=date(2026, 1, 1)))
    assert (pointer, "over before" in words) == ("/rules/0/condition/when", True)
    assert faults(old) == []


@pytest.mark.parametrize(
    ("condition", "pointer"),
    [
        ({"categories": ["tobacco", "cigars"]}, "/categories"),
        ({"lines": of_category("cigars")}, "/lines"),
        ({"lines": every(of_category("cigars"), {"kind": "brand", "brands": ["b"]})}, "/lines"),
        ({"when": amount(of_category("cigars"), at_least_minor=1)}, "/when"),
    ],
)
def test_what_is_excluded_never_earns(condition: dict[str, Any], pointer: str) -> None:
    excluded = {"exclusions": {"categories": ["tobacco"]}}
    known = KNOWN._replace(categories={})
    assert pointers(rule(**condition), known=known, **excluded) == [f"/rules/0/condition{pointer}"]
    assert faults(rule(lines=some(of_category("cigars"), of_category("fruit"))), known=known, **excluded) == []
    assert faults(rule(when=no(amount(of_category("cigars"), at_least_minor=1))), known=known, **excluded) == []


def test_a_line_is_of_one_article() -> None:
    one, other = ({"kind": "article", "skus": [sku]} for sku in ("1", "2"))
    assert pointers(rule(lines=every(one, other))) == ["/rules/0/condition/lines/of/1"]
    held = {"kind": "contains", "lines": every(one, no(one))}
    assert pointers(rule(when=held)) == ["/rules/0/condition/when/lines/of/1/of"]
    assert faults(rule(lines=some(one, other))) == []


def test_a_multiplier_needs_points_to_multiply() -> None:
    assert pointers(rule("a", DOUBLE)) == ["/rules/0/effect"]
    assert pointers(rule("a", DOUBLE, partners=["fuel"]), rule("b", partners=["grocer"])) == ["/rules/0/effect"]
    assert faults(rule("a", DOUBLE, partners=["fuel"]), rule("b")) == []
    assert pointers(rule("a", DOUBLE), rule("b", BASE | {"point_type": "status"})) == ["/rules/0/effect"]


def test_names_that_nobody_bears() -> None:
    named = rule(
        partners=["grocer"],
        categories=["fruit", "fruits"],
        lines=of_category("foods"),
        when=some(
            {"kind": "partner", "partners": ["grocer", "nobody"]},
            {"kind": "store", "stores": [{"partner_id": "grocer", "store_id": name} for name in ("s1", "s2")]},
            {"kind": "store_group", "groups": [{"partner_id": "nobody", "group": "city"}]},
        ),
    )
    found = pointers(named)
    for pointer in (
        "/categories/1",
        "/lines/categories/0",
        "/when/of/0/partners/1",
        "/when/of/1/stores/1/store_id",
        "/when/of/2/groups/0/partner_id",
    ):
        assert f"/rules/0/condition{pointer}" in found


def test_a_category_is_unknown_only_where_all_partners_have_mapped_theirs() -> None:
    assert faults(rule(categories=["fruits"])) == []  # fuel has mapped nothing: its tills may say so
    assert pointers(rule(categories=["fruits"], partners=["grocer"])) == ["/rules/0/condition/categories/0"]
    assert faults(rule(categories=["fruits"], partners=["grocer"]), known=Known()) == []  # nobody is heard of yet


def test_point_types_that_are_the_programmes_own_or_nobodys() -> None:
    named = [rule(name, BASE | {"point_type": name}) for name in ("points", "status", "stars")]
    assert faults(*named) == [
        ("/rules/0/effect/point_type", "leave it out: these are the programme's own points"),
        (
            "/rules/2/effect/point_type",
            "the programme has no such point type: declare it in TESSERA_OTHER_POINT_TYPES",
        ),
    ]


def test_points_that_would_be_over_before_they_are_free() -> None:
    month = {"kind": "event", "event": "delivered", "days_max": 30, "at_last": "release"}
    assert pointers(rule(), pending_days=14, expires_after_days=14) == ["/pending_days"]
    assert pointers(rule(), pending=month, expires_after_days=30) == ["/pending"]
    assert pointers(rule() | {"pending": month}, expires_after_days=30) == ["/rules/0"]
    assert faults(rule(), pending=month | {"at_last": "lapse"}, expires_after_days=30) == []
    assert faults(rule(), pending_days=14, expires_after_days=14, expiry_counts_from="release") == []
    assert faults(rule(), pending_days=14, expires_after_days=15) == []
    calendar = {"kind": "calendar", "month": 12, "day": 31}
    assert faults(rule() | {"expiry": calendar, "pending_days": 14}) == []


def test_a_day_to_wait_for_that_has_come() -> None:
    later = KNOWN._replace(earliest=date(2026, 11, 1))
    for day, found in (("2026-11-01", ["/rules/0/pending/until"]), ("2026-11-02", [])):
        assert pointers(rule() | {"pending": {"kind": "date", "until": day}}, known=later) == found


def test_a_little_is_forgiven_only_where_it_would_be_owed_or_refused() -> None:
    for policy, found in (("clip", ["/returns/forgive_below"]), ("debt", []), ("refuse", [])):
        assert pointers(rule(), returns={"claw_back": policy, "forgive_below": 5}) == found
    assert pointers(rule(), returns={"forgive_below": 1}) == ["/returns/forgive_below"]
    for policy, found in (("clip", ["/returns/withhold"]), ("debt", []), ("refuse", [])):
        assert pointers(rule(), returns={"claw_back": policy, "withhold": True}) == found


def test_returns_without_a_purchase_must_have_something_to_take_back() -> None:
    gold = rule("gold", when={"kind": "tier", "tiers": ["gold"]})
    said = {"unlinked": "claw_back"}

    assert pointers(gold, returns=said) == ["/returns/unlinked"]
    assert pointers(gold, returns={"unlinked": "park"}) == []
    assert pointers(gold, rule(), returns=said) == []
