"""What discounts take off a basket, by examples that can be worked out by hand."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.redemption.domain.privileges.discounts import Discounted, FlooredLine, discount
from services.redemption.domain.privileges.terms import PrivilegeTerms
from services.redemption.domain.write_off.quoting import BasketLine

TENTH = {"kind": "percent", "percent": 10}
THREE_FOR_TWO = {"kind": "n_for_m", "take": 3, "pay": 2}


def terms(privilege_id: str, benefit: dict[str, Any], **others: Any) -> PrivilegeTerms:
    said = {"name": privilege_id, "entitlement": {"kind": "everyone"}, "first_day": "2026-01-01"} | others
    return PrivilegeTerms.model_validate({"privilege_id": privilege_id, "benefit": benefit} | said)


def line(line_id: int, amount_minor: int, quantity: float = 1, floor_minor: int = 0, **others: Any) -> FlooredLine:
    return FlooredLine(BasketLine(line_id, amount_minor, int(quantity * 1_000), **others), floor_minor)


def taken(found: Discounted) -> dict[str, dict[int, int]]:
    return {one.privilege_id: dict(one.lines) for one in found.given}


@pytest.mark.parametrize(
    ("benefit", "lines", "expected"),
    [
        pytest.param(TENTH, [line(1, 333), line(2, 333), line(3, 333)], {1: 34, 2: 33, 3: 33}, id="99.9 is 100"),
        pytest.param(TENTH | {"rounding": "down"}, [line(1, 333), line(2, 333), line(3, 333)], {1: 33, 2: 33, 3: 33}),
        pytest.param(TENTH | {"rounding": "up"}, [line(1, 1)], {1: 1}, id="up gives a cent of a tenth of one"),
        pytest.param(TENTH | {"discount_max_minor": 50}, [line(1, 900), line(2, 300)], {1: 38, 2: 12}, id="50 at most"),
        pytest.param(TENTH, [line(1, 1_000, floor_minor=950), line(2, 1_000)], {1: 50, 2: 100}, id="a floor"),
        pytest.param({"kind": "amount", "amount_minor": 100}, [line(1, 200), line(2, 100)], {1: 67, 2: 33}),
        pytest.param({"kind": "amount", "amount_minor": 500}, [line(1, 200), line(2, 100)], {1: 200, 2: 100}),
        pytest.param({"kind": "price", "unit_minor": 99}, [line(1, 300, 2), line(2, 80)], {1: 102}, id="99 a piece"),
        pytest.param({"kind": "price", "unit_minor": 100}, [line(1, 200, 1.555)], {1: 45}, id="155.5 stay, half up"),
        pytest.param(THREE_FOR_TWO, [line(1, 300, 2), line(2, 100)], {2: 100}, id="the cheapest is free"),
        pytest.param(THREE_FOR_TWO, [line(1, 700, 7)], {1: 200}, id="two whole sets of seven"),
        pytest.param(THREE_FOR_TWO | {"sets_max": 1}, [line(1, 700, 7)], {1: 100}),
        pytest.param(THREE_FOR_TWO, [line(1, 300, 3), line(2, 100, 0.5)], {1: 100}, id="half a kilo is no unit"),
        pytest.param(THREE_FOR_TWO, [line(1, 200, 2)], {}, id="too few"),
    ],
)
def test_what_a_discount_takes_off(benefit: dict[str, Any], lines: list[FlooredLine], expected: dict[int, int]) -> None:
    found = discount(lines, [terms("one", benefit)])
    assert taken(found) == ({"one": expected} if expected else {})
    assert found.idle == (() if expected else ("one",))


def test_each_takes_of_what_the_ones_before_it_left() -> None:
    half = terms("half", {"kind": "percent", "percent": 50}, order=1)
    tenth = terms("a-tenth", TENTH, order=2)
    found = discount([line(1, 1_000)], [tenth, half])
    assert taken(found) == {"half": {1: 500}, "a-tenth": {1: 50}}
    assert found.left_minor == {1: 450}


def test_of_a_group_the_best_is_taken_where_the_first_of_it_stands() -> None:
    small = terms("small", TENTH, group="welcome", order=1)
    big = terms("big", {"kind": "percent", "percent": 20}, group="welcome", order=9)
    other = terms("other", {"kind": "amount", "amount_minor": 100}, order=5)
    found = discount([line(1, 1_000)], [other, big, small])
    assert [(one.privilege_id, one.amount_minor) for one in found.given] == [("big", 200), ("other", 100)]
    assert found.outdone == ("small",)


def test_goods_are_named_by_sku_or_category_and_must_come_to_so_much() -> None:
    bread = terms("bread", TENTH, partners=["grocer"], goods={"skus": ["b1"], "categories": ["BAKERY"]})
    basket = [
        line(1, 100, sku="b1"),
        line(2, 100, categories=frozenset({"FOOD", "BAKERY"})),
        line(3, 100, categories=frozenset({"FOOD"})),
    ]
    assert taken(discount(basket, [bread])) == {"bread": {1: 10, 2: 10}}
    much = terms("much", TENTH, goods={"categories": ["BAKERY"], "amount_min_minor": 101})
    assert discount(basket, [much]).idle == ("much",)


@pytest.mark.parametrize(
    "change",
    [
        {"last_day": "2025-12-31"},
        {"goods": {"skus": ["b1"]}},
        {"benefit": {"kind": "queue"}, "group": "welcome"},
        {"benefit": {"kind": "n_for_m", "take": 2, "pay": 2}},
        {"payers": [{"payer": "brand"}, {"payer": "brand"}]},
        {"privilege_id": "a/b"},
    ],
)
def test_terms_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    document = terms("one", TENTH).model_dump(mode="json") | change
    with pytest.raises(ValidationError):
        PrivilegeTerms.model_validate(document)
