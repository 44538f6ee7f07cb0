"""Lot keys: stored for ever, and sorted in the order of spending."""

from collections.abc import Callable
from datetime import date

import pytest

from shared.ledger import LotTerms
from shared.ledger.terms import KEY_BYTES, pending_key

SPRING, SUMMER = date(2026, 3, 1), date(2026, 6, 1)


@pytest.mark.parametrize(
    ("terms", "key"),
    [
        (LotTerms("grocer", SPRING, SUMMER), "000b49b8000b495c6ce96a44df5ac1be"),
        (LotTerms("grocer", SPRING, None), "ffffffff000b495c6ce96a44df5ac1be"),
        (LotTerms("fuel", SPRING, SUMMER), "000b49b8000b495c927be44b28c8f87e"),
        (LotTerms("grocer", SPRING, SUMMER, basis="gift"), "000b49b8000b495c1ecd66d75274364d"),
        (LotTerms("Кофе №1", SPRING, SUMMER), "000b49b8000b495cd0dc3cd84f95c09d"),
    ],
)
def test_golden_keys_never_change(terms: LotTerms, key: str) -> None:
    assert terms.key.hex() == key


def test_golden_key_of_a_pending_lot_never_changes() -> None:
    assert pending_key(LotTerms("grocer", SPRING, SUMMER), b"receipt-1").hex() == "000b49b8000b495c3452fdc9a876775a"


def test_equal_terms_are_one_lot() -> None:
    assert LotTerms("grocer", SPRING, SUMMER).key == LotTerms("grocer", SPRING, SUMMER, basis="purchase").key


def test_whatever_differs_makes_another_lot() -> None:
    terms = [
        LotTerms("grocer", SPRING, SUMMER),
        LotTerms("grocers", SPRING, SUMMER),
        LotTerms("grocer", date(2026, 3, 2), SUMMER),
        LotTerms("grocer", SPRING, date(2026, 6, 2)),
        LotTerms("grocer", SPRING, None),
        LotTerms("grocer", SPRING, SUMMER, basis="gift"),
        LotTerms("grocerg", SPRING, SUMMER, basis="ift"),
    ]
    keys = {one.key for one in terms} | {pending_key(one, b"a") for one in terms} | {pending_key(terms[0], b"b")}
    assert len(keys) == 2 * len(terms) + 1
    assert {len(key) for key in keys} == {KEY_BYTES}


def test_keys_sort_first_expiring_first_then_older_first() -> None:
    in_order = [
        LotTerms("z", SPRING, date(2026, 5, 31)),
        LotTerms("z", date(2026, 2, 28), SUMMER),
        LotTerms("a", SPRING, SUMMER),
        LotTerms("a", date(2025, 1, 1), None),
        LotTerms("a", SPRING, None),
    ]
    assert sorted(in_order, key=lambda terms: terms.key) == in_order


def test_the_key_is_no_part_of_equality_or_text() -> None:
    terms = LotTerms("grocer", SPRING, SUMMER)
    assert "key" not in repr(terms)
    assert hash(terms) == hash(LotTerms("grocer", SPRING, SUMMER))


@pytest.mark.parametrize(
    "make",
    [
        lambda: LotTerms("", SPRING, SUMMER),
        lambda: LotTerms("x" * 65, SPRING, SUMMER),
        lambda: LotTerms("grocer", SPRING, SUMMER, basis=""),
        lambda: LotTerms("grocer", SPRING, SUMMER, basis="x" * 33),
        lambda: LotTerms("grocer", SPRING, SPRING),
        lambda: LotTerms("grocer", SPRING, date(2025, 1, 1)),
    ],
)
def test_terms_that_make_no_sense_are_refused(make: Callable[[], LotTerms]) -> None:
    with pytest.raises(ValueError, match=r"lot needs|no points"):
        make()
