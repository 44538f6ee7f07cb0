"""Who pays for a lot's points and for what they may be spent: written once and for ever, and kept to when spending."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from shared.ledger import (
    Balances,
    Basket,
    Capture,
    Earn,
    Funding,
    Give,
    Limits,
    LotTerms,
    Outcome,
    Posted,
    Refund,
    Refused,
    Reserve,
    SpendLate,
)
from shared.ledger.conditions import read_funding, read_limits, write_funding, write_limits
from tests.support.ledger_memory import MemoryLedger

ANNA, BORIS, HOLD = UUID(int=1), UUID(int=2), UUID(int=77)
SPRING, SUMMER = date(2026, 3, 1), date(2026, 6, 1)
FUNDED = Funding((("store", 300), ("dairy", 700)), 8_500, "EUR", "milk-2026")
LIMITED = Limits(("grocer",), ("s2", "s1"), ("dairy",), ((date(2026, 4, 1), date(2026, 4, 30)),))

GOLDEN_KEYS = [
    "000b49b8000b495c9459c538a1efd906",
    "000b49b8000b495cf7ca329003b1d398",
    "000b49b8000b495c5274d2ca8e00f75f",
]

FREE = LotTerms("grocer", SPRING, SUMMER)
AT_FUEL = LotTerms("grocer", SPRING, None, limits=Limits(partners=("fuel",)))
FUEL_OIL = LotTerms("grocer", SPRING, None, limits=Limits(partners=("fuel",), categories=("oil",)))
FUEL_BASKET = Basket("fuel", date(2026, 4, 1))
OIL_BASKET = replace(FUEL_BASKET, categories=frozenset({"oil", "snacks"}))


def test_golden_keys_never_change() -> None:
    keys = [
        LotTerms("grocer", SPRING, SUMMER, funding=FUNDED).key.hex(),
        LotTerms("grocer", SPRING, SUMMER, limits=LIMITED).key.hex(),
        LotTerms("grocer", SPRING, SUMMER, funding=FUNDED, limits=LIMITED).key.hex(),
    ]
    assert keys == GOLDEN_KEYS
    assert {key[:16] for key in keys} == {FREE.key.hex()[:16]}  # the order of spending comes first, as in every key


def test_golden_written_forms_never_change() -> None:
    assert write_funding(FUNDED) == (
        '{"campaign":"milk-2026","currency":"EUR","payers":[["dairy",7],["store",3]],"price_millionths":8500}'
    )
    assert write_limits(LIMITED) == (
        '{"categories":["dairy"],"dates":[["2026-04-01","2026-04-30"]],"partners":["grocer"],"stores":["s1","s2"]}'
    )
    assert read_funding(write_funding(FUNDED)) == FUNDED
    assert read_limits(write_limits(LIMITED)) == LIMITED


def test_what_means_the_same_is_the_same_lot() -> None:
    assert Funding((("a", 50), ("b", 50))) == Funding((("b", 1), ("a", 1)))
    assert Limits(stores=("b", "a", "b")) == Limits(stores=("a", "b"))
    assert LotTerms("grocer", SPRING, SUMMER, funding=None).key == FREE.key


def test_whatever_differs_makes_another_lot() -> None:
    funded = [
        FUNDED,
        replace(FUNDED, payers=(("dairy", 701), ("store", 299))),
        replace(FUNDED, price_millionths=8_501),
        replace(FUNDED, currency="GBP"),
        replace(FUNDED, campaign=None),
    ]
    limited = [LIMITED, *(replace(LIMITED, **{kind: ()}) for kind in ("partners", "stores", "categories", "dates"))]
    terms = [replace(FREE, funding=one) for one in funded] + [replace(FREE, limits=one) for one in limited]
    terms += [FREE, replace(FREE, funding=FUNDED, limits=LIMITED)]
    assert len({one.key for one in terms}) == len(terms)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Funding(()),
        lambda: Funding((("a", 1), ("a", 2))),
        lambda: Funding((("a", 0),)),
        lambda: Funding((("a", 10_001),)),
        lambda: Funding((("", 1),)),
        lambda: Funding((("a", 1),), 5),
        lambda: Funding((("a", 1),), 5, "EURO"),
        lambda: Funding((("a", 1),), -5, "EUR"),
        Limits,
        lambda: Limits(stores=("",)),
        lambda: Limits(stores=tuple(map(str, range(201)))),
        lambda: Limits(dates=((SUMMER, SPRING),)),
    ],
)
def test_conditions_that_make_no_sense_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"payers|price|currency|weights|limit|window"):
        make()


@pytest.mark.parametrize(
    ("limits", "admitted"),
    [
        (Limits(partners=("fuel", "cinema")), True),
        (Limits(partners=("cinema",)), False),
        (Limits(stores=("s1",)), False),  # the basket's store is not known
        (Limits(categories=("oil", "tyres")), True),
        (Limits(categories=("tyres",)), False),
        (Limits(dates=((date(2026, 4, 1), date(2026, 4, 1)),)), True),
        (Limits(dates=((date(2026, 4, 2), date(2026, 4, 3)), (date(2026, 3, 1), date(2026, 3, 31)))), False),
        (Limits(partners=("fuel",), categories=("tyres",)), False),
    ],
)
def test_a_basket_must_satisfy_every_kind_of_limit(limits: Limits, admitted: bool) -> None:
    assert limits.admit(OIL_BASKET) is admitted


def earn(points: int, terms: LotTerms) -> Earn:
    return Earn(ANNA, "points", b"receipt", points, terms)


def reserve(points: int, basket: Basket | None) -> Reserve:
    return Reserve(ANNA, "points", HOLD.bytes, points, HOLD, basket)


def rich() -> MemoryLedger:
    """Ten points free, ten for the petrol station, ten for its oil; the free ones expire first."""
    ledger = MemoryLedger()
    ledger.post([earn(10, FREE), earn(10, AT_FUEL), earn(10, FUEL_OIL)])
    return ledger


def left(ledger: MemoryLedger) -> dict[LotTerms, int]:
    return {lot.terms: lot.remaining for lot in ledger.lots.values() if lot.remaining}


@pytest.mark.parametrize(
    ("basket", "points", "expected"),
    [
        (OIL_BASKET, 25, {FREE: 5}),
        (OIL_BASKET, 15, {FREE: 10, AT_FUEL: 5}),
        (FUEL_BASKET, 15, {FREE: 5, FUEL_OIL: 10}),
        (None, 10, {AT_FUEL: 10, FUEL_OIL: 10}),
    ],
)
def test_the_most_limited_points_that_a_basket_may_use_go_first(
    basket: Basket | None, points: int, expected: dict[LotTerms, int]
) -> None:
    ledger = rich()
    [outcome] = ledger.post([reserve(points, basket)])
    assert isinstance(outcome, Posted)
    assert left(ledger) == expected


@pytest.mark.parametrize(("basket", "points"), [(OIL_BASKET, 31), (FUEL_BASKET, 21), (None, 11)])
def test_points_that_a_basket_may_not_use_do_not_help_it(basket: Basket | None, points: int) -> None:
    [outcome] = rich().post([reserve(points, basket)])
    assert outcome == Refused(reserve(points, basket), "insufficient_points", Balances(available=30))


def test_late_taking_keeps_to_limits_too() -> None:
    ledger = rich()
    late = SpendLate(ANNA, "points", b"tender", 30, "fuel", HOLD, FUEL_BASKET)
    outcomes: list[Outcome] = ledger.post([late])
    assert outcomes == [Posted(late, 20, Balances(available=10), shortfall=10, issuers=(("grocer", 20),))]
    assert left(ledger) == {FUEL_OIL: 10}


def test_part_of_a_hold_is_captured_most_limited_first_and_a_refund_keeps_the_limits() -> None:
    ledger = rich()
    ledger.post([reserve(30, OIL_BASKET)])
    ledger.post([Capture(ANNA, "points", b"tender", 25, HOLD, "fuel")])
    assert left(ledger) == {FREE: 5}
    ledger.post([Refund(ANNA, "points", b"return", 17, HOLD, "fuel")])
    assert left(ledger) == {FREE: 10, AT_FUEL: 10, FUEL_OIL: 2}


def test_a_gift_and_a_merge_keep_funding_and_limits() -> None:
    ledger = MemoryLedger()
    terms = replace(AT_FUEL, funding=FUNDED)
    ledger.post([earn(10, terms)])
    ledger.post([Give(ANNA, "points", b"gift", BORIS, "gift", 4)])
    assert left(ledger) == {terms: 6, replace(terms, basis="gift"): 4}
    ledger.merge(ANNA, BORIS)
    assert left(ledger) == {terms: 6, replace(terms, basis="gift"): 4}
