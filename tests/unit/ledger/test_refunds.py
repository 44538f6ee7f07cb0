"""Worked examples of points that a partner gives back."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger import (
    Balances,
    Capture,
    ClawBack,
    Command,
    Earn,
    HoldExistsError,
    LotTerms,
    Outcome,
    Posted,
    Refund,
    Refused,
    Reserve,
    SpendLate,
    Void,
)
from tests.support.ledger_memory import MemoryLedger

ANNA, BORIS, HOLD, LATE = UUID(int=1), UUID(int=2), UUID(int=77), UUID(int=78)
MARCH = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
APRIL = LotTerms("fuel", date(2026, 4, 1), date(2027, 4, 1))
RECEIPT, TENDER, RETURN = b"receipt-1", b"tender-1", b"return-1"

EARNED = (Earn(ANNA, "points", RECEIPT, 5, MARCH), Earn(ANNA, "points", RECEIPT, 5, APRIL))
RESERVED = Reserve(ANNA, "points", HOLD.bytes, 9, HOLD)
CAPTURED = Capture(ANNA, "points", TENDER, 8, HOLD, "cinema")
SPENT = (*EARNED, RESERVED, CAPTURED)
TAKEN_LATE = SpendLate(ANNA, "points", TENDER, 20, "cinema", LATE)


def refund(points: int, hold_id: UUID = HOLD) -> Refund:
    return Refund(ANNA, "points", RETURN, points, hold_id, "cinema")


def after(*commands: Command) -> tuple[MemoryLedger, Outcome]:
    """The ledger after these commands, each posted by itself, and what the last one was answered."""
    ledger = MemoryLedger()
    return ledger, [ledger.post([command])[0] for command in commands][-1]


def left(ledger: MemoryLedger) -> dict[LotTerms, int]:
    return {lot.terms: lot.remaining for lot in ledger.lots.values() if lot.remaining}


def test_what_was_captured_last_comes_back_first_with_its_own_dates() -> None:
    ledger, outcome = after(*SPENT, refund(4))
    assert outcome == Posted(refund(4), 4, Balances(available=6), issuers=(("fuel", 3), ("grocer", 1)))
    assert left(ledger) == {MARCH: 1, APRIL: 5}
    assert [(move.legs, move.partner_id, move.hold_id, move.points) for move in ledger.transfers[-2:]] == [
        (("refund", "redeem", "available"), "cinema", HOLD, 3),
        (("refund", "redeem", "available"), "cinema", HOLD, 1),
    ]


@given(captured=st.integers(1, 9), refunds=st.lists(st.integers(1, 4), max_size=9))
def test_after_any_refunds_the_lots_stand_as_if_less_had_been_captured(captured: int, refunds: list[int]) -> None:
    ledger, _ = after(*EARNED, RESERVED, replace(CAPTURED, points=captured))
    given_back = 0
    for points in refunds:
        [outcome] = ledger.post([refund(points)])
        assert isinstance(outcome, Posted) == (given_back + points <= captured)
        given_back += points if isinstance(outcome, Posted) else 0
    kept = captured - given_back
    less = replace(CAPTURED, points=kept) if kept else Void(ANNA, "points", HOLD.bytes, HOLD)
    assert left(ledger) == left(after(*EARNED, RESERVED, less)[0])


def test_no_more_comes_back_than_was_captured_and_nothing_from_a_hold_that_is_unknown_or_anothers() -> None:
    _, refused = after(*SPENT, refund(9))
    assert refused == Refused(refund(9), "exceeds_captured", Balances(available=2))
    _, refused = after(*SPENT, refund(5), refund(4))
    assert refused == Refused(refund(4), "exceeds_captured", Balances(available=7))
    _, refused = after(*EARNED, refund(1))
    assert refused == Refused(refund(1), "exceeds_captured", Balances(available=10))
    others = replace(refund(1), owner_id=BORIS)
    _, refused = after(*SPENT, others)
    assert refused == Refused(others, "exceeds_captured", Balances())


def test_what_an_open_hold_has_captured_so_far_comes_back_while_the_rest_stays_reserved() -> None:
    ledger, outcome = after(*EARNED, RESERVED, replace(CAPTURED, points=3, keep_rest=True), refund(2))
    assert outcome == Posted(refund(2), 2, Balances(available=3, held=6), issuers=(("grocer", 2),))
    rest = replace(CAPTURED, points=6)
    [captured] = ledger.post([rest])
    assert captured == Posted(rest, 6, Balances(available=3), issuers=(("fuel", 4), ("grocer", 2)))
    assert isinstance(ledger.post([refund(7)])[0], Posted)


def test_what_comes_back_clears_a_debt() -> None:
    claw_back = ClawBack(ANNA, "points", RETURN, 5, MARCH, RECEIPT)
    _, outcome = after(*SPENT, claw_back, refund(8))
    assert outcome == Posted(refund(8), 8, Balances(available=5), debt_cleared=3, issuers=(("fuel", 3), ("grocer", 5)))


def test_what_was_taken_late_comes_back_if_it_has_an_id() -> None:
    ledger, outcome = after(*EARNED, TAKEN_LATE, refund(6, LATE))
    assert outcome == Posted(refund(6, LATE), 6, Balances(available=6), issuers=(("fuel", 5), ("grocer", 1)))
    assert left(ledger) == {MARCH: 1, APRIL: 5}
    _, refused = after(*EARNED, replace(TAKEN_LATE, taken_as=None), refund(1, LATE))
    assert refused == Refused(refund(1, LATE), "exceeds_captured", Balances())


def test_an_id_names_one_taking() -> None:
    ledger = MemoryLedger()
    with pytest.raises(HoldExistsError):
        ledger.post([*EARNED, replace(TAKEN_LATE, points=2), replace(TAKEN_LATE, points=2)])


def test_nothing_taken_late_leaves_the_id_free() -> None:
    ledger, outcome = after(TAKEN_LATE)
    assert outcome == Posted(TAKEN_LATE, 0, Balances(), shortfall=20)
    assert ledger.holds == {}


@pytest.mark.parametrize("is_return_first", [True, False])
def test_goods_that_were_paid_with_points_come_back_in_either_order(is_return_first: bool) -> None:
    """The claw-back of what the purchase earned, and the refund of what it cost: balance less debt is the same."""
    commands = [ClawBack(ANNA, "points", RETURN, 5, MARCH, RECEIPT), refund(8)]
    ledger, _ = after(*SPENT, *(commands if is_return_first else reversed(commands)))
    assert ledger.balances() == {(ANNA, "points"): Balances(available=5)}
