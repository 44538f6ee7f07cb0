"""Whatever the basket, its discounts and its floors: no line goes below, and values are whole and add up."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.redemption.domain.privileges.discounts import FlooredLine, discount
from services.redemption.domain.privileges.terms import PrivilegeTerms
from services.redemption.domain.write_off.quoting import (
    BasketLine,
    Checkout,
    floor_minor_of,
    keeps_article_floors,
    quote,
)
from services.redemption.domain.write_off.rules import WriteOffRules

CATEGORIES = ("A", "B")
LINES = st.lists(
    st.builds(
        lambda amount, quantity, category, unit_floor: BasketLine(
            0, amount, quantity, "a", frozenset({category}), unit_floor_minor=unit_floor
        ),
        st.integers(0, 3_000),
        st.integers(1, 5_000),
        st.sampled_from(CATEGORIES),
        st.one_of(st.just(0), st.integers(1, 1_500)),
    ),
    min_size=1,
    max_size=6,
).map(lambda lines: [replace(line, line_id=number) for number, line in enumerate(lines)])
FLOORS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"categories": st.just(["A"]), "percent": st.integers(0, 100)}),
        st.fixed_dictionaries({"categories": st.just(["B"]), "unit_minor": st.integers(0, 1_000)}),
        st.fixed_dictionaries({"partner_id": st.just("grocer"), "skus": st.just(["a"]), "percent": st.integers(0, 50)}),
    ),
    max_size=3,
)
BENEFITS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"kind": st.just("percent"), "percent": st.integers(1, 100)}),
    st.fixed_dictionaries({"kind": st.just("amount"), "amount_minor": st.integers(1, 4_000)}),
    st.fixed_dictionaries({"kind": st.just("price"), "unit_minor": st.integers(0, 500)}),
)
PRICES = st.tuples(st.integers(1, 7), st.integers(1, 7))


def rules(floors: list[dict[str, Any]], base: tuple[int, int], promotion: tuple[int, int]) -> WriteOffRules:
    rates = [
        {"id": "b", "name": "B", "categories": ["B"], "points": promotion[0], "per_minor": promotion[1]},
        {"id": "base", "name": "All", "points": base[0], "per_minor": base[1]},
    ]
    named = [{"id": f"f{number}"} | floor for number, floor in enumerate(floors)]
    said = {"rates": rates, "floors": named, "version": 1, "effective_from": datetime(2026, 1, 1, tzinfo=UTC)}
    return WriteOffRules.model_validate(said)


def privilege(number: int, benefit: dict[str, Any]) -> PrivilegeTerms:
    said = {"name": "One", "entitlement": {"kind": "everyone"}, "first_day": "2026-01-01", "benefit": benefit}
    return PrivilegeTerms.model_validate({"privilege_id": f"p{number}"} | said)


def checkout(lines: list[BasketLine], available: int) -> Checkout:
    return Checkout("grocer", date(2026, 11, 26), lines, available)


@settings(max_examples=150)
@given(LINES, FLOORS, st.lists(BENEFITS, max_size=3), PRICES, PRICES, st.integers(0, 20_000))
def test_neither_discounts_nor_points_nor_both_take_a_line_below_its_floor(
    lines: list[BasketLine],
    floors: list[dict[str, Any]],
    benefits: list[dict[str, Any]],
    base: tuple[int, int],
    promotion: tuple[int, int],
    available: int,
) -> None:
    in_force = rules(floors, base, promotion)
    floored = [FlooredLine(line, floor_minor_of("grocer", line, in_force)) for line in lines]
    left = discount(floored, [privilege(number, benefit) for number, benefit in enumerate(benefits)]).left_minor
    found = quote(checkout([line.discounted(left[line.line_id]) for line in lines], available), in_force)
    assert sum(each.value_minor for each in found.lines) == found.value_minor
    assert sum(each.points for each in found.lines) == found.points <= available
    for each, one in zip(found.lines, floored, strict=True):
        assert isinstance(each.value_minor, int)
        price_minor = left[each.line_id] - each.value_minor
        assert price_minor >= min(one.floor_minor, one.line.amount_minor)
        assert price_minor * 1_000 >= min(
            one.line.unit_floor_minor * one.line.quantity_thousandths, one.line.amount_minor * 1_000
        )
        assert each.value_minor >= 0


@settings(max_examples=100)
@given(LINES, st.lists(st.integers(0, 1_500), min_size=6, max_size=6), st.integers(0, 20_000))
def test_a_quote_that_keeps_later_floors_leaves_them_and_any_other_one_is_found_out(
    lines: list[BasketLine], later: list[int], available: int
) -> None:
    in_force = rules([], (1, 1), (1, 2))
    found = quote(checkout(lines, available), in_force)
    now = [replace(line, unit_floor_minor=floor) for line, floor in zip(lines, later, strict=False)]
    is_kept = all(
        each.value_minor == 0
        or (line.amount_minor - each.value_minor) * 1_000 >= line.unit_floor_minor * line.quantity_thousandths
        for each, line in zip(found.lines, now, strict=True)
    )
    assert keeps_article_floors(found, now) == is_kept
    assert keeps_article_floors(found, lines)
    assert keeps_article_floors(quote(checkout(now, available), in_force), now)
