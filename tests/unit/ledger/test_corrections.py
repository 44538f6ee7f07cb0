"""Worked examples of what people correct: points given and taken by hand, debt forgiven, points that wait."""

from datetime import date
from uuid import UUID

from shared.ledger import (
    AdjustDown,
    AdjustUp,
    Balances,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    LotTerms,
    Outcome,
    Posted,
    Refused,
    Release,
    SpendLate,
    WriteOff,
)
from tests.support.ledger_memory import MemoryLedger

ANNA = UUID(int=1)
MARCH = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
FOREVER = LotTerms("grocer", date(2026, 1, 1), None)
SORRY = LotTerms("fuel", date(2026, 5, 1), date(2026, 12, 1), basis="compensation")
RECEIPT, RETURN, CASE = b"receipt-1", b"return-1", b"adjustment-1"

EARNED = Earn(ANNA, "points", RECEIPT, 10, MARCH)
WAITING = EarnPending(ANNA, "points", RECEIPT, 10, MARCH, RECEIPT)
SPENT = SpendLate(ANNA, "points", b"tender", 10, "fuel")
RETURNED = ClawBack(ANNA, "points", RETURN, 10, MARCH, RECEIPT)
RELEASED = Release(ANNA, "points", RECEIPT, MARCH, RECEIPT)


def up(points: int) -> AdjustUp:
    return AdjustUp(ANNA, "points", CASE, points, SORRY)


def down(points: int, *, is_partial: bool = False) -> AdjustDown:
    return AdjustDown(ANNA, "points", CASE, points, is_partial)


def write_off(points: int) -> WriteOff:
    return WriteOff(ANNA, "points", CASE, points)


def after(*commands: Command) -> tuple[MemoryLedger, Outcome]:
    """The ledger after these commands, each posted by itself, and what the last one was answered."""
    ledger = MemoryLedger()
    return ledger, [ledger.post([command])[0] for command in commands][-1]


def moves(ledger: MemoryLedger, last: int) -> list[tuple[str, str, str, int]]:
    return [(*transfer.legs, transfer.points) for transfer in ledger.transfers[-last:]]


def test_points_given_by_hand_have_terms_of_their_own() -> None:
    ledger, outcome = after(EARNED, up(7))
    assert outcome == Posted(up(7), 7, Balances(available=17))
    assert moves(ledger, 1) == [("adjust", "adjustment", "available", 7)]
    assert {lot.terms: lot.remaining for lot in ledger.lots.values()} == {MARCH: 10, SORRY: 7}
    assert ledger.transfers[-1].partner_id is None  # no partner issued them


def test_points_given_by_hand_clear_what_is_owed() -> None:
    _, outcome = after(EARNED, SPENT, RETURNED, up(14))
    assert outcome == Posted(up(14), 14, Balances(available=4), debt_cleared=10)


def test_points_are_taken_by_hand_first_expiring_first_or_not_at_all() -> None:
    ledger, outcome = after(Earn(ANNA, "points", RECEIPT, 5, FOREVER), EARNED, up(7), down(9))
    assert outcome == Posted(down(9), 9, Balances(available=13), issuers=(("fuel", 7), ("grocer", 2)))
    assert moves(ledger, 2) == [("adjust", "available", "adjustment", 7), ("adjust", "available", "adjustment", 2)]
    _, refused = after(EARNED, down(11))
    assert refused == Refused(down(11), "insufficient_points", Balances(available=10))


def test_as_much_as_there_is_is_taken_where_that_was_asked_for() -> None:
    _, outcome = after(EARNED, down(11, is_partial=True))
    assert outcome == Posted(down(11, is_partial=True), 10, Balances(), shortfall=1, issuers=(("grocer", 10),))
    _, nothing = after(down(11, is_partial=True))
    assert nothing == Posted(down(11, is_partial=True), 0, Balances(), shortfall=11)


def test_what_is_owed_is_forgiven_and_no_more() -> None:
    ledger, outcome = after(EARNED, SPENT, RETURNED, write_off(4))
    assert outcome == Posted(write_off(4), 4, Balances(debt=6), issuers=(("grocer", 4),))
    assert moves(ledger, 1) == [("write_off", "adjustment", "debt", 4)]
    _, outcome = after(EARNED, SPENT, RETURNED, Earn(ANNA, "points", b"later", 3, MARCH), write_off(10))
    assert outcome == Posted(write_off(10), 7, Balances(), shortfall=3, issuers=(("grocer", 7),))


def test_points_that_wait_are_nobodys_to_spend_until_they_are_released() -> None:
    ledger, outcome = after(WAITING, RELEASED)
    assert ledger.lots[1, MARCH.key].remaining == 10
    assert moves(ledger, 2) == [("earn", "issue", "pending", 10), ("release", "pending", "available", 10)]
    assert outcome == Posted(RELEASED, 10, Balances(available=10))


def test_points_that_wait_clear_a_debt_only_when_they_are_released() -> None:
    owing = (EARNED, SPENT, RETURNED)
    _, outcome = after(*owing, WAITING)
    assert outcome == Posted(WAITING, 10, Balances(pending=10, debt=10))
    _, outcome = after(*owing, WAITING, RELEASED)
    assert outcome == Posted(RELEASED, 10, Balances(), debt_cleared=10)


def test_a_return_takes_points_that_wait_first() -> None:
    _, outcome = after(EARNED, WAITING, RETURNED)
    assert outcome == Posted(RETURNED, 10, Balances(available=10))
