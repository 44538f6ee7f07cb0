"""Worked examples of purchases that took more points than there were, and left the owner owing them to the partner."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from shared.ledger import Balances, ClawBack, Command, Earn, LotTerms, Outcome, Posted, RefundOwed, SpendLate
from shared.ledger.conditions import Limits
from tests.support.ledger_memory import MemoryLedger

ANNA, LATE, OTHER = UUID(int=1), UUID(int=77), UUID(int=78)
GROCER = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
FUEL_ONLY = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1), limits=Limits(partners=("fuel",)))
BACK = LotTerms("cinema", date(2026, 5, 1), None, basis="compensation")
KEY = (ANNA, "points")


def earn(points: int, terms: LotTerms = GROCER) -> Earn:
    return Earn(ANNA, "points", b"receipt", points, terms)


def spend(points: int, taken_as: UUID = LATE) -> SpendLate:
    return SpendLate(ANNA, "points", b"tender", points, "cinema", taken_as, owes=True)


def undo(points: int, owed_as: UUID = LATE) -> RefundOwed:
    return RefundOwed(ANNA, "points", b"void", points, owed_as, "cinema", BACK)


def after(*commands: Command) -> tuple[MemoryLedger, Outcome]:
    """The ledger after these commands, each posted by itself, and what the last one was answered."""
    ledger = MemoryLedger()
    return ledger, [ledger.post([command])[0] for command in commands][-1]


def legs(ledger: MemoryLedger, count: int) -> list[tuple[str, str, str, str | None, int]]:
    return [(*move.legs, move.partner_id, move.points) for move in ledger.transfers[-count:]]


def test_what_is_not_there_is_owed_to_the_partner_that_took_it() -> None:
    ledger, outcome = after(earn(10), spend(25))
    assert outcome == Posted(spend(25), 10, Balances(debt=15), debt_added=15, issuers=(("grocer", 10),))
    assert ledger.owed() == {KEY: {"cinema": 15}}
    assert legs(ledger, 2) == [
        ("spend_late", "available", "redeem", "cinema", 10),
        ("spend_late", "debt", "redeem", "cinema", 15),
    ]


def test_what_is_there_is_not_owed() -> None:
    ledger, outcome = after(earn(10), spend(10))
    assert (outcome.balance, ledger.owed()) == (Balances(), {})


def test_points_that_the_purchase_may_not_use_pay_what_is_owed_for_it() -> None:
    _, outcome = after(earn(10), earn(20, FUEL_ONLY), spend(25))
    assert outcome.balance == Balances(available=5)
    assert isinstance(outcome, Posted)
    assert (outcome.points, outcome.debt_added, outcome.debt_cleared) == (10, 15, 15)


def test_undone_before_anything_was_paid_it_is_owed_no_more() -> None:
    ledger, outcome = after(earn(10), spend(25), undo(15))
    assert outcome == Posted(undo(15), 15, Balances())
    assert (ledger.owed(), legs(ledger, 1)) == ({}, [("refund_owed", "redeem", "debt", "cinema", 15)])


def test_what_had_been_paid_of_it_comes_back_from_the_partner_that_had_it() -> None:
    ledger, outcome = after(spend(15), earn(10), undo(15))
    assert outcome.balance == Balances(available=10)
    assert legs(ledger, 2) == [
        ("refund_owed", "redeem", "debt", "cinema", 5),
        ("refund_owed", "issue", "available", "cinema", 10),
    ]
    assert {lot.terms: lot.remaining for lot in ledger.lots.values() if lot.remaining} == {BACK: 10}


def test_what_comes_back_pays_what_is_owed_to_others() -> None:
    claw_back = ClawBack(ANNA, "points", b"return", 4, GROCER, b"receipt")
    ledger, outcome = after(spend(15), earn(10), claw_back, undo(15))
    assert outcome == Posted(undo(15), 15, Balances(available=6), debt_cleared=4)
    assert ledger.owed() == {}


def test_only_what_this_purchase_left_is_undone() -> None:
    """Not what the same partner took back under the receipt's own name."""
    claw_back = ClawBack(ANNA, "points", b"tender", 4, replace(GROCER, issuer="cinema"), b"tender")
    ledger, _ = after(spend(15), spend(7, OTHER), claw_back, undo(15))
    assert ledger.owed() == {KEY: {"cinema": 11}}
    assert [debt.owed for debt in ledger.debts.values() if debt.owed] == [7, 4]


def test_a_part_of_it_is_undone_for_a_part_of_the_goods() -> None:
    ledger, _ = after(spend(15), undo(5), undo(4))
    assert ledger.owed() == {KEY: {"cinema": 6}}


def test_whoever_was_paid_gives_back() -> None:
    with pytest.raises(ValueError, match="whoever was paid"):
        RefundOwed(ANNA, "points", b"void", 1, LATE, "cinema", GROCER)


def test_what_is_owed_has_an_id() -> None:
    with pytest.raises(ValueError, match="needs an id"):
        SpendLate(ANNA, "points", b"tender", 1, "cinema", owes=True)
