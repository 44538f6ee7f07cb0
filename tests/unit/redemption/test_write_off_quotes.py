"""What points may pay of a basket: worked examples, each with its arithmetic, and what holds for every basket."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.redemption.domain.write_off.quoting import BasketLine, Bound, Checkout, Quote, quote
from services.redemption.domain.write_off.rules import WriteOffHistory, WriteOffRules

DAY = date(2026, 11, 26)
CENT = {"id": "cent", "name": "A point is a cent", "points": 1, "per_minor": 1}


def rules(*limits: dict[str, Any], rates: list[dict[str, Any]] | None = None, **more: Any) -> WriteOffRules:
    named = [{"id": f"l{number}", "name": "A limit", **limit} for number, limit in enumerate(limits)]
    document = {"version": 1, "effective_from": datetime(2026, 1, 1, tzinfo=UTC), "rates": rates or [CENT]}
    return WriteOffRules.model_validate(document | {"limits": named} | more)


def line(line_id: int, amount_minor: int, *categories: str, sku: str | None = None, units: int = 1) -> BasketLine:
    return BasketLine(line_id, amount_minor, units * 1_000, sku, frozenset(categories))


def checkout(*lines: BasketLine, available: int = 100_000, **more: Any) -> Checkout:
    said: dict[str, Any] = {"partner_id": "grocer", "day": DAY, "lines": lines, "available": available}
    return Checkout(**said | more)


def paid(found: Quote) -> tuple[int, int, list[int]]:
    return found.points, found.value_minor, [each.value_minor for each in found.lines]


def codes(found: Quote) -> list[str]:
    return [bound.code for bound in found.bounds]


def test_without_limits_points_pay_everything() -> None:
    found = quote(checkout(line(1, 700), line(2, 301)), rules())
    assert paid(found) == (1_001, 1_001, [700, 301])
    assert found.bounds == ()


def test_a_balance_that_is_too_small_is_shared_by_the_lines_to_the_last_cent() -> None:
    # 100 of 1,000: 33.3, 33.3 and 33.4 by weight; the cent that is left goes to the largest remainder, line 3's.
    found = quote(checkout(line(1, 333), line(2, 333), line(3, 334), available=100), rules())
    assert paid(found) == (100, 100, [33, 33, 34])
    assert found.bounds == (Bound("balance", points=100),)


@pytest.mark.parametrize(
    ("own", "left_out", "bounds"),
    [
        (100, 0, [Bound("balance", points=100)]),  # nobody lends
        (100, 900, [Bound("household_left_out", points=100)]),  # all could be paid with what others have
        (100, 899, [Bound("balance", points=999), Bound("household_left_out", points=100)]),  # not even then
        (1_000, 5_000, []),  # others' points are not needed
    ],
)
def test_a_quote_says_that_others_points_were_left_out(own: int, left_out: int, bounds: list[Bound]) -> None:
    found = quote(checkout(line(1, 1_000), available=own, left_out=left_out), rules())
    assert found.points == own
    assert list(found.bounds) == bounds


def test_points_of_which_three_make_a_cent_are_not_spent_for_nothing() -> None:
    # 100 points buy 33 cents (99 points); the hundredth would buy nothing.
    rate = CENT | {"points": 3, "per_minor": 1}
    assert paid(quote(checkout(line(1, 500), available=100), rules(rates=[rate]))) == (99, 33, [33])


def test_a_point_that_is_worth_more_than_what_is_left_pays_it_and_is_spent() -> None:
    # 10 cents a point: 25 cents take 3 points.
    rate = CENT | {"points": 1, "per_minor": 10}
    assert paid(quote(checkout(line(1, 25)), rules(rates=[rate]))) == (3, 25, [25])


def test_excluded_goods_are_not_paid_and_it_is_said() -> None:
    found = quote(
        checkout(line(1, 900, "FOOD"), line(2, 700, "TOBACCO"), line(3, 50, sku="bag")),
        rules(excluded={"categories": ["TOBACCO"], "skus": [{"partner_id": "grocer", "skus": ["bag"]}]}),
    )
    assert paid(found) == (900, 900, [900, 0, 0])
    assert found.bounds == (Bound("excluded_goods", value_minor=900),)


def test_another_partners_article_of_the_same_number_is_not_excluded() -> None:
    excluded = {"skus": [{"partner_id": "fuel", "skus": ["bag"]}]}
    assert paid(quote(checkout(line(1, 50, sku="bag")), rules(excluded=excluded)))[1] == 50


def test_no_line_falls_below_its_floor() -> None:
    # Milk: 2 units of 60 stay; books: 10% of 995 is 99.5, a cent more is 100. Together (200 - 120) + (995 - 100).
    floors = [
        {"id": "milk", "partner_id": "grocer", "skus": ["milk"], "unit_minor": 60},
        {"id": "books", "categories": ["BOOKS"], "percent": 10},
    ]
    found = quote(checkout(line(1, 200, sku="milk", units=2), line(2, 995, "BOOKS")), rules(floors=floors))
    assert paid(found) == (975, 975, [80, 895])
    assert found.bounds == (Bound("price_floor", value_minor=975),)


def test_a_floor_above_the_price_leaves_nothing_to_pay_and_no_less() -> None:
    floors = [{"id": "milk", "partner_id": "grocer", "skus": ["milk"], "unit_minor": 300}]
    assert paid(quote(checkout(line(1, 200, sku="milk")), rules(floors=floors))) == (0, 0, [0])


def test_points_pay_no_more_than_a_share_of_the_receipt() -> None:
    # 30% of 1,005 is 301.5: whole cents, never more than the share.
    found = quote(checkout(line(1, 1_005)), rules({"share_percent_max": 30}))
    assert paid(found) == (301, 301, [301])
    assert found.bounds == (Bound("share_of_receipt", "l0", value_minor=301),)


def test_of_several_limits_each_binds() -> None:
    found = quote(checkout(line(1, 1_000)), rules({"points_max": 400}, {"share_percent_max": 50}, {"points_step": 150}))
    assert paid(found) == (300, 300, [300])
    assert codes(found) == ["share_of_receipt", "points_max", "points_step"]


@pytest.mark.parametrize("percents", [(30, 60), (60, 30)])
def test_every_share_that_is_in_the_way_is_said_whichever_stands_first(percents: tuple[int, int]) -> None:
    found = quote(checkout(line(1, 1_000)), rules(*({"share_percent_max": percent} for percent in percents)))
    assert paid(found)[1] == 300
    assert [(bound.limit_id, bound.value_minor) for bound in found.bounds] == [
        (f"l{place}", percent * 10) for place, percent in enumerate(percents)
    ]


def test_steps_of_two_limits_are_met_together() -> None:
    # Multiples of 6 and of 4 are multiples of 12: of 100 points 96.
    assert paid(quote(checkout(line(1, 100)), rules({"points_step": 6}, {"points_step": 4})))[0] == 96


def test_a_step_is_spent_whole_though_it_buys_part_of_a_cent() -> None:
    # 3 points a cent: a step of 100 buys 33 cents and is spent whole.
    rate = CENT | {"points": 3, "per_minor": 1}
    found = quote(checkout(line(1, 500), available=199), rules({"points_step": 100}, rates=[rate]))
    assert paid(found) == (100, 33, [33])
    assert [each.points for each in found.lines] == [100]


def test_what_is_quoted_in_steps_is_what_a_hold_of_it_is_quoted() -> None:
    # 3 points a cent, in steps of 20: 100 points buy 33 cents, as they do when the hold asks for just these 100.
    asked, document = checkout(line(1, 500), available=119), rules({"points_step": 20}, rates=[CENT | {"points": 3}])
    assert paid(quote(asked, document)) == (100, 33, [33])
    assert paid(quote(replace(asked, points_wanted=100), document)) == (100, 33, [33])
    assert paid(quote(replace(asked, available=100), document)) == (100, 33, [33])


def test_no_step_is_spent_that_buys_nothing() -> None:
    # 10 points a cent, in steps of 2: of 18 points 10 buy the cent, and 8 would buy nothing.
    found = quote(checkout(line(1, 500), available=18), rules({"points_step": 2}, rates=[CENT | {"points": 10}]))
    assert paid(found) == (10, 1, [1])
    assert codes(found) == ["balance"]


def test_below_the_least_nothing_is_spent() -> None:
    found = quote(checkout(line(1, 1_000), available=99), rules({"points_min": 100}))
    assert paid(found) == (0, 0, [0])
    assert codes(found) == ["balance", "points_min"]


def test_who_has_too_little_in_all_spends_nothing_yet() -> None:
    limit = {"balance_min": 500}
    poor = quote(checkout(line(1, 50), available=499), rules(limit))
    assert (paid(poor), codes(poor)) == ((0, 0, [0]), ["balance_min"])
    assert paid(quote(checkout(line(1, 50), available=500), rules(limit))) == (50, 50, [50])


@pytest.mark.parametrize(("enrolled_on", "value_minor"), [(date(2026, 11, 13), 0), (date(2026, 11, 12), 50), (None, 0)])
def test_a_new_member_waits(enrolled_on: date | None, value_minor: int) -> None:
    found = quote(checkout(line(1, 50), enrolled_on=enrolled_on), rules({"days_after_enrolment": 14}))
    assert found.value_minor == value_minor
    assert codes(found) == ([] if value_minor else ["days_after_enrolment"])


def test_a_limit_holds_where_it_says_alone() -> None:
    limit = {"points_max": 10, "where": {"partners": ["fuel"], "tiers": ["gold"], "last_day": "2026-11-26"}}
    asked = checkout(line(1, 50), partner_id="fuel", tier="gold")
    assert quote(asked, rules(limit)).points == 10
    for other in ({"partner_id": "grocer"}, {"tier": None}, {"day": date(2026, 11, 27)}):
        elsewhere = Checkout(**{name: getattr(asked, name) for name in asked.__slots__} | other)
        assert quote(elsewhere, rules(limit)).points == 50


def test_the_first_rate_that_fits_prices_a_line_and_the_cheapest_goods_are_paid_first() -> None:
    # Toys are promoted: half a point a cent. 300 points: toys 400 for 200, then food 100 for 100.
    toys = {"id": "toys", "name": "Toys", "categories": ["TOYS"], "points": 1, "per_minor": 2}
    found = quote(checkout(line(1, 900, "FOOD"), line(2, 400, "TOYS"), available=300), rules(rates=[toys, CENT]))
    assert paid(found) == (300, 500, [100, 400])
    assert [(each.points, each.rate_id) for each in found.lines] == [(100, "cent"), (200, "toys")]


def test_a_promotion_counts_from_its_first_day_to_its_last() -> None:
    promotion = CENT | {"id": "promo", "per_minor": 2, "where": {"first_day": "2026-11-20", "last_day": "2026-11-26"}}
    both = rules(rates=[promotion, CENT])
    assert quote(checkout(line(1, 100)), both).points == 50
    assert quote(checkout(line(1, 100), day=date(2026, 11, 20)), both).points == 50
    for outside in (date(2026, 11, 19), date(2026, 11, 27)):
        assert quote(checkout(line(1, 100), day=outside), both).points == 100


def test_no_more_is_quoted_than_is_asked_for() -> None:
    found = quote(checkout(line(1, 100), points_wanted=30), rules())
    assert paid(found) == (30, 30, [30])
    assert codes(found) == ["points_asked_for"]


RATES = st.builds(
    lambda points, per_minor: {"points": points, "per_minor": per_minor}, st.integers(1, 30), st.integers(1, 30)
)
LINES = st.lists(
    st.tuples(st.integers(0, 5_000), st.sampled_from(["FOOD", "TOYS", "TOBACCO"]), st.integers(1, 5)), max_size=8
)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "points_max": st.integers(50, 5_000),
        "points_step": st.integers(1, 100),
        "share_percent_max": st.integers(0, 100),
        "points_min": st.integers(1, 50),
    },
).filter(bool)


@given(LINES, st.integers(0, 20_000), RATES, RATES, st.lists(LIMITS, max_size=3), st.integers(0, 100))
def test_a_quote_is_exact_and_within_every_bound(
    goods: list[tuple[int, str, int]],
    available: int,
    base: dict[str, int],
    toys: dict[str, int],
    limits: list[dict[str, int]],
    percent: int,
) -> None:
    rates = [CENT | toys | {"id": "toys", "categories": ["TOYS"]}, CENT | base]
    document = rules(
        *limits,
        rates=rates,
        excluded={"categories": ["TOBACCO"]},
        floors=[{"id": "food", "categories": ["FOOD"], "percent": percent}],
    )
    lines = [line(number, amount, category) for number, (amount, category, _) in enumerate(goods)]
    found = quote(checkout(*lines, available=available), document)

    assert sum(each.value_minor for each in found.lines) == found.value_minor
    assert sum(each.points for each in found.lines) == found.points <= available
    assert (found.points == 0) == (found.value_minor == 0)
    for each, (amount, category, _) in zip(found.lines, goods, strict=True):
        kept = amount if category == "TOBACCO" else -(-amount * percent // 100) if category == "FOOD" else 0
        assert 0 <= each.value_minor <= amount - kept
    total = sum(amount for amount, _, _ in goods)
    for limit in limits:
        assert found.points <= limit.get("points_max", found.points)
        assert found.points % limit.get("points_step", 1) == 0
        assert found.value_minor <= total * limit.get("share_percent_max", 100) // 100
        assert found.points == 0 or found.points >= limit.get("points_min", 0)
    if not found.bounds:
        assert found.value_minor == total
    held = quote(checkout(*lines, available=available, points_wanted=found.points), document)
    assert (held.points, held.value_minor, held.lines) == (found.points, found.value_minor, found.lines)


@given(LINES, st.integers(0, 5_000), st.integers(0, 5_000), RATES, st.integers(1, 100))
def test_more_points_never_pay_less(
    goods: list[tuple[int, str, int]], available: int, more: int, base: dict[str, int], step: int
) -> None:
    lines = [line(number, amount, category) for number, (amount, category, _) in enumerate(goods)]
    document = rules({"points_step": step}, rates=[CENT | base])
    less, full = (quote(checkout(*lines, available=points), document) for points in (available, available + more))
    assert less.value_minor <= full.value_minor


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"rates": [CENT | {"categories": ["TOYS"]}]}, "the last rate must fit all goods"),
        ({"rates": [CENT, CENT | {"id": "other"}]}, "no rate after cent is ever reached"),
        ({"rates": [CENT | {"categories": ["TOYS"]}, CENT]}, "rate ids must differ"),
        ({"limits": [{"id": "l", "name": "L"}]}, "a limit says at least one bound"),
        ({"limits": [{"id": "l", "name": "L", "points_min": 5, "points_max": 4}]}, "points_max lies below points_min"),
        ({"floors": [{"id": "f", "skus": ["a"], "unit_minor": 1}]}, "say partner_id"),
        ({"floors": [{"id": "f", "categories": ["A"]}]}, "say unit_minor or percent"),
        ({"floors": [{"id": "f", "percent": 5}]}, "say of which skus or categories"),
        (
            {
                "limits": [
                    {
                        "id": "l",
                        "name": "L",
                        "points_max": 1,
                        "where": {"first_day": "2026-02-02", "last_day": "2026-02-01"},
                    }
                ]
            },
            "last_day lies before first_day",
        ),
    ],
)
def test_rules_that_contradict_themselves_are_no_rules(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        rules(**{"rates": [CENT]} | document) if "limits" not in document else WriteOffRules.model_validate(
            {"version": 1, "effective_from": datetime(2026, 1, 1, tzinfo=UTC), "rates": [CENT]} | document
        )


def test_the_version_in_force_prices_and_a_withdrawn_one_does_not() -> None:
    first = rules()
    second = first.model_copy(update={"version": 2, "effective_from": datetime(2026, 6, 1, tzinfo=UTC)})
    history = WriteOffHistory([first, second])
    assert history.at(datetime(2025, 12, 31, tzinfo=UTC)) is None
    assert history.at(datetime(2026, 5, 31, tzinfo=UTC)) == first
    assert history.at(datetime(2026, 6, 1, tzinfo=UTC)) == second
    assert WriteOffHistory([first, second], {2}).at(datetime(2026, 7, 1, tzinfo=UTC)) == first
    assert WriteOffHistory([first, second], {2}).version(2) == second
