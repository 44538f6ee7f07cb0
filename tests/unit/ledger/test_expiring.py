"""Worked examples of points that lapse and come back."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from shared.ledger import (
    Balances,
    Capture,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Expire,
    LotTerms,
    Outcome,
    Posted,
    Reinstate,
    Reserve,
    SpendLate,
    Void,
)
from tests.support.ledger_memory import MemoryLedger

ANNA, HOLD = UUID(int=1), UUID(int=77)
MARCH = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
LONGER = LotTerms("grocer", date(2026, 3, 1), date(2027, 6, 1))
FOREVER = LotTerms("fuel", date(2026, 1, 1), None)
RECEIPT, MIDNIGHT = b"receipt-1", b"expiry:2027-03-01"

EARNED = Earn(ANNA, "points", RECEIPT, 10, MARCH)
EXPIRED = Expire(ANNA, "points", MIDNIGHT, MARCH)
RESERVED = Reserve(ANNA, "points", HOLD.bytes, 4, HOLD)


def reinstate(points: int, terms: LotTerms) -> Reinstate:
    return Reinstate(ANNA, "points", b"case-1", points, terms)


def after(*commands: Command) -> tuple[MemoryLedger, Outcome]:
    """The ledger after these commands, each posted by itself, and what the last one was answered."""
    ledger = MemoryLedger()
    return ledger, [ledger.post([command])[0] for command in commands][-1]


def test_what_is_left_of_a_lot_lapses_and_other_lots_stay() -> None:
    ledger, outcome = after(EARNED, Earn(ANNA, "points", RECEIPT, 5, FOREVER), EXPIRED)
    assert outcome == Posted(EXPIRED, 10, Balances(available=5), issuers=(("grocer", 10),))
    assert ledger.transfers[-1].legs == ("expire_points", "available", "breakage")
    assert ledger.transfers[-1].debit_lot == MARCH.key


def test_expiring_twice_takes_nothing_the_second_time() -> None:
    ledger, outcome = after(EARNED, EXPIRED, EXPIRED)
    assert outcome == Posted(EXPIRED, 0, Balances())
    assert len(ledger.transfers) == 2


def test_what_is_reserved_does_not_expire_and_is_captured_afterwards() -> None:
    capture = Capture(ANNA, "points", HOLD.bytes, 4, HOLD, "fuel")
    _, outcome = after(EARNED, RESERVED, EXPIRED)
    assert outcome == Posted(EXPIRED, 6, Balances(held=4), issuers=(("grocer", 6),))
    _, captured = after(EARNED, RESERVED, EXPIRED, capture)
    assert captured == Posted(capture, 4, Balances(), issuers=(("grocer", 4),))


def test_what_a_hold_lets_go_after_its_day_lapses_when_it_is_asked_again() -> None:
    _, outcome = after(EARNED, RESERVED, EXPIRED, Void(ANNA, "points", HOLD.bytes, HOLD), EXPIRED)
    assert outcome == Posted(EXPIRED, 4, Balances(), issuers=(("grocer", 4),))


def test_pending_points_do_not_expire() -> None:
    _, outcome = after(EarnPending(ANNA, "points", RECEIPT, 10, MARCH, RECEIPT), EXPIRED)
    assert outcome == Posted(EXPIRED, 0, Balances(pending=10))


def test_what_lapsed_comes_back_with_its_own_dates_or_with_new_ones() -> None:
    ledger, outcome = after(EARNED, EXPIRED, reinstate(6, MARCH), reinstate(4, LONGER))
    assert outcome == Posted(reinstate(4, LONGER), 4, Balances(available=10))
    assert ledger.transfers[-1].legs == ("reinstate", "breakage", "available")
    assert {lot.terms: lot.remaining for lot in ledger.lots.values()} == {MARCH: 6, LONGER: 4}


def test_what_comes_back_clears_a_debt() -> None:
    spent = (Earn(ANNA, "points", b"receipt-2", 3, FOREVER), SpendLate(ANNA, "points", b"tender", 3, "fuel"))
    taken_back = ClawBack(ANNA, "points", b"return-2", 3, FOREVER, b"receipt-2")
    _, outcome = after(EARNED, EXPIRED, *spent, taken_back, reinstate(10, MARCH))
    assert outcome == Posted(reinstate(10, MARCH), 10, Balances(available=7), debt_cleared=3)


def test_in_one_batch_a_checkout_draws_on_what_an_expiry_leaves() -> None:
    ledger = MemoryLedger()
    ledger.post([EARNED, Earn(ANNA, "points", RECEIPT, 5, FOREVER)])
    reserve = replace(RESERVED, points=5)
    assert ledger.post([EXPIRED, reserve])[1] == Posted(reserve, 5, Balances(held=5))
