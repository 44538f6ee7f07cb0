"""Whatever goes together, discounts are exact by line, keep floors, and take what their terms say."""

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.redemption.domain.privileges.discounts import FlooredLine, discount
from services.redemption.domain.privileges.terms import NForM, PercentOff, PrivilegeTerms
from services.redemption.domain.write_off.quoting import BasketLine

CATEGORIES = ("A", "B")
ROUNDINGS = st.sampled_from(["down", "half_up", "up"])
BENEFITS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("percent"), "percent": st.integers(1, 100), "rounding": ROUNDINGS},
        optional={"discount_max_minor": st.integers(1, 300)},
    ),
    st.fixed_dictionaries({"kind": st.just("amount"), "amount_minor": st.integers(1, 2_000)}),
    st.fixed_dictionaries({"kind": st.just("price"), "unit_minor": st.integers(0, 300), "rounding": ROUNDINGS}),
    st.fixed_dictionaries(
        {"kind": st.just("n_for_m"), "take": st.integers(2, 4), "pay": st.integers(0, 1), "rounding": ROUNDINGS}
    ),
)
GOODS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"categories": ["A"]}, {"categories": ["B"], "amount_min_minor": 50}]
)


def privilege(number: int, benefit: dict[str, Any], goods: dict[str, Any], group: str | None) -> PrivilegeTerms:
    return PrivilegeTerms.model_validate(
        {
            "privilege_id": f"p{number}",
            "name": "One",
            "entitlement": {"kind": "everyone"},
            "first_day": "2026-01-01",
            "benefit": benefit,
            "goods": goods,
            "group": group,
        }
    )


@st.composite
def baskets(draw: st.DrawFn) -> list[FlooredLine]:
    sizes = draw(st.lists(st.tuples(st.integers(0, 999), st.integers(1, 4_000)), min_size=1, max_size=6))
    return [
        FlooredLine(
            BasketLine(
                number, amount, draw(st.sampled_from([quantity, quantity // 1_000 * 1_000 or 1_000])),
                categories=frozenset({draw(st.sampled_from(CATEGORIES))}),
            ),
            draw(st.integers(0, 1_100)) if draw(st.booleans()) else 0,
        )
        for number, (amount, quantity) in enumerate(sizes)
    ]  # fmt: skip


@st.composite
def privileges(draw: st.DrawFn) -> list[PrivilegeTerms]:
    chosen = draw(st.lists(st.tuples(BENEFITS, GOODS, st.sampled_from([None, None, "g"])), max_size=4))
    return [privilege(number, benefit, goods, group) for number, (benefit, goods, group) in enumerate(chosen)]


@settings(max_examples=150)
@given(baskets(), privileges(), st.randoms())
def test_lines_add_up_and_no_line_falls_below_its_floor(
    lines: list[FlooredLine], had: list[PrivilegeTerms], random: Any
) -> None:
    found = discount(lines, had)
    shuffled = list(had)
    random.shuffle(shuffled)
    assert discount(lines, shuffled) == found
    left = {one.line.line_id: one.line.amount_minor for one in lines}
    for given_ in found.given:
        assert given_.amount_minor == sum(part.amount_minor for part in given_.lines) > 0
        for line_id, amount_minor in given_.lines:
            assert amount_minor > 0
            left[line_id] -= amount_minor
    assert left == found.left_minor
    for one in lines:
        assert left[one.line.line_id] >= min(one.floor_minor, one.line.amount_minor)
    told = [*(one.privilege_id for one in found.given), *found.outdone, *found.idle]
    assert sorted(told) == sorted(one.privilege_id for one in had)


@settings(max_examples=100)
@given(baskets(), BENEFITS)
def test_what_is_given_in_all_is_the_exact_sum_rounded_as_the_terms_say(
    lines: list[FlooredLine], benefit: dict[str, Any]
) -> None:
    """The parts are each within one unit of the exact ones, so that no line pays for another."""
    free = [FlooredLine(one.line) for one in lines]
    one = privilege(1, benefit, {}, None)
    parts = {part.line_id: part.amount_minor for each in discount(free, [one]).given for part in each.lines}
    if isinstance(one.benefit, PercentOff) and one.benefit.discount_max_minor is None:
        exact = {each.line.line_id: Fraction(each.line.amount_minor * one.benefit.percent, 100) for each in free}
        whole = sum(exact.values(), Fraction(0))
        offset = {"down": Fraction(0), "half_up": Fraction(1, 2), "up": Fraction(-1, 10**9) + 1}[one.benefit.rounding]
        assert sum(parts.values()) == (whole + offset).__floor__()
        assert all(abs(parts.get(line_id, 0) - part) < 1 for line_id, part in exact.items())
    if isinstance(one.benefit, NForM):
        pieces = [each.line for each in free if each.line.quantity_thousandths % 1_000 == 0]
        prices = sorted(
            Fraction(line.amount_minor * 1_000, line.quantity_thousandths)
            for line in pieces
            for _ in range(line.quantity_thousandths // 1_000)
        )
        count = len(prices) // one.benefit.take * (one.benefit.take - one.benefit.pay)
        assert abs(sum(parts.values()) - sum(prices[:count], Fraction(0))) < 1
