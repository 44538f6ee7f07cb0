"""Worked examples of posting, without a database."""

from datetime import date
from uuid import UUID

import pytest

from shared.ledger import (
    Balances,
    Capture,
    ClawBack,
    Command,
    Earn,
    HoldExistsError,
    LedgerBrokenError,
    LotTerms,
    Outcome,
    Posted,
    Refused,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
    plan,
)
from shared.ledger.commands import LOTS_PER_HOLD_MAX
from shared.ledger.records import Account, StoredLot
from tests.support.ledger_memory import MemoryLedger

ANNA, BORIS = UUID(int=1), UUID(int=2)
HOLD, OTHER_HOLD = UUID(int=77), UUID(int=78)
MARCH = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
APRIL = LotTerms("fuel", date(2026, 4, 1), date(2027, 4, 1))
FOREVER = LotTerms("grocer", date(2026, 1, 1), None)
RECEIPT, RETURN = b"receipt-1", b"return-1"


def earn(points: int, terms: LotTerms = MARCH, owner: UUID = ANNA) -> Earn:
    return Earn(owner, "points", RECEIPT, points, terms)


def claw_back(points: int, terms: LotTerms = MARCH) -> ClawBack:
    return ClawBack(ANNA, "points", RETURN, points, terms, RECEIPT)


def suspend(points: int, terms: LotTerms = MARCH) -> Suspend:
    return Suspend(ANNA, "points", RECEIPT, points, terms, RECEIPT)


def release(terms: LotTerms = MARCH) -> Release:
    return Release(ANNA, "points", RECEIPT, terms, RECEIPT)


def reserve(points: int, hold_id: UUID = HOLD, owner: UUID = ANNA) -> Reserve:
    return Reserve(owner, "points", hold_id.bytes, points, hold_id)


def capture(points: int, *, keep_rest: bool = False, owner: UUID = ANNA) -> Capture:
    return Capture(owner, "points", HOLD.bytes, points, HOLD, "fuel", keep_rest)


def void(owner: UUID = ANNA) -> Void:
    return Void(owner, "points", HOLD.bytes, HOLD)


def spend_late(points: int) -> SpendLate:
    return SpendLate(ANNA, "points", b"tender", points, "fuel")


def after(*commands: Command) -> tuple[MemoryLedger, Outcome]:
    """The ledger after these commands, each posted by itself, and what the last one was answered."""
    ledger = MemoryLedger()
    outcomes = [ledger.post([command])[0] for command in commands]
    return ledger, outcomes[-1]


def moves(ledger: MemoryLedger, last: int) -> list[tuple[str, str, str, int]]:
    """The last transfers: purpose, debit, credit, points."""
    return [(*transfer.legs, transfer.points) for transfer in ledger.transfers[-last:]]


def remaining(ledger: MemoryLedger) -> dict[LotTerms, int]:
    """What is left in Anna's available lots."""
    return {lot.terms: lot.remaining for lot in ledger.lots.values() if lot.award is None and lot.remaining}


def test_earning_adds_to_the_lot_of_its_terms() -> None:
    ledger, outcome = after(earn(10), earn(5), earn(7, APRIL))
    assert outcome == Posted(earn(7, APRIL), 7, Balances(available=22))
    assert remaining(ledger) == {MARCH: 15, APRIL: 7}
    assert [transfer.partner_id for transfer in ledger.transfers] == ["grocer", "grocer", "fuel"]


def test_point_types_of_an_owner_are_accounts_apart() -> None:
    ledger = MemoryLedger()
    ledger.post([earn(10), Earn(ANNA, "status", RECEIPT, 3, MARCH)])
    assert ledger.balances() == {(ANNA, "points"): Balances(10), (ANNA, "status"): Balances(3)}


def test_a_claw_back_takes_the_awards_pending_points_first_then_its_lot() -> None:
    ledger, outcome = after(earn(10), suspend(4), earn(20, APRIL), claw_back(7))
    assert outcome == Posted(claw_back(7), 7, Balances(available=23))
    assert moves(ledger, 2) == [("claw_back", "pending", "issue", 4), ("claw_back", "available", "issue", 3)]
    assert remaining(ledger) == {MARCH: 3, APRIL: 20}


def test_a_claw_back_of_spent_points_becomes_debt() -> None:
    ledger, outcome = after(earn(10), spend_late(10), claw_back(10))
    assert outcome == Posted(claw_back(10), 10, Balances(debt=10), debt_added=10)
    assert moves(ledger, 1) == [("claw_back", "debt", "issue", 10)]
    assert ledger.transfers[-1].partner_id == "grocer"
    assert ledger.transfers[-1].reference == RETURN


def test_debt_is_settled_at_once_from_other_lots_first_expiring_first() -> None:
    ledger, outcome = after(earn(10), spend_late(10), earn(3, FOREVER), earn(5, APRIL), claw_back(7))
    assert outcome == Posted(claw_back(7), 7, Balances(available=1), debt_added=7, debt_cleared=7)
    assert moves(ledger, 3) == [
        ("claw_back", "debt", "issue", 7),
        ("clear_debt", "available", "debt", 5),
        ("clear_debt", "available", "debt", 2),
    ]
    assert remaining(ledger) == {FOREVER: 1}


def test_earning_clears_debt_before_it_can_be_spent() -> None:
    _, outcome = after(earn(10), spend_late(10), claw_back(10), earn(4, APRIL), earn(9, APRIL))
    assert outcome == Posted(earn(9, APRIL), 9, Balances(available=3), debt_cleared=6)


def test_a_lot_whose_points_all_went_to_debt_is_kept_for_its_history() -> None:
    ledger, _ = after(earn(10), spend_late(10), claw_back(10), earn(4, APRIL))
    assert [(lot.terms, lot.remaining) for lot in ledger.lots.values()] == [(MARCH, 0), (APRIL, 0)]


def test_suspending_takes_what_is_left_and_tells_the_shortfall() -> None:
    ledger, outcome = after(earn(10), earn(5, APRIL), spend_late(8), suspend(10))
    assert outcome == Posted(suspend(10), 2, Balances(available=5, pending=2), shortfall=8)
    assert moves(ledger, 1) == [("suspend", "available", "pending", 2)]


def test_suspending_again_takes_nothing_of_others_in_the_same_lot() -> None:
    ledger, outcome = after(earn(30), suspend(10), suspend(10))
    assert outcome == Posted(suspend(10), 0, Balances(available=20, pending=10))
    assert moves(ledger, 2) == [("earn", "issue", "available", 30), ("suspend", "available", "pending", 10)]


def test_suspending_an_award_without_a_lot_is_all_shortfall_and_leaves_no_lot_behind() -> None:
    ledger, outcome = after(earn(5, APRIL), suspend(10))
    assert outcome == Posted(suspend(10), 0, Balances(available=5), shortfall=10)
    assert len(ledger.lots) == 1


def test_reserved_points_are_not_suspended() -> None:
    _, outcome = after(earn(10), reserve(6), suspend(10))
    assert outcome == Posted(suspend(10), 4, Balances(held=6, pending=4), shortfall=6)


def test_releasing_gives_back_what_is_pending_of_the_award() -> None:
    ledger, outcome = after(earn(10), suspend(10), claw_back(3), release())
    assert outcome == Posted(release(), 7, Balances(available=7))
    assert remaining(ledger) == {MARCH: 7}


def test_released_points_clear_debt_first() -> None:
    other = ClawBack(ANNA, "points", RETURN, 6, APRIL, b"receipt-2")
    _, outcome = after(earn(10), suspend(10), other, release())
    assert outcome == Posted(release(), 10, Balances(available=4), debt_cleared=6)


def test_releasing_nothing_moves_nothing() -> None:
    ledger, outcome = after(earn(10), release())
    assert outcome == Posted(release(), 0, Balances(available=10))
    assert len(ledger.transfers) == 1


def test_reserving_takes_first_expiring_first_and_never_expiring_last() -> None:
    ledger, outcome = after(earn(5, FOREVER), earn(5, APRIL), earn(5, MARCH), reserve(12))
    assert outcome == Posted(reserve(12), 12, Balances(available=3, held=12))
    assert remaining(ledger) == {FOREVER: 3}
    assert moves(ledger, 3) == [
        ("reserve", "available", "held", 5),
        ("reserve", "available", "held", 5),
        ("reserve", "available", "held", 2),
    ]
    assert {transfer.hold_id for transfer in ledger.transfers[-3:]} == {HOLD}


def test_reserving_more_than_is_available_is_refused_whole() -> None:
    ledger, outcome = after(earn(10), reserve(11))
    assert outcome == Refused(reserve(11), "insufficient_points", Balances(available=10))
    assert len(ledger.transfers) == 1
    assert not ledger.holds


def test_reserving_from_too_many_lots_is_refused_whole() -> None:
    lots = [LotTerms(f"p{number}", date(2026, 1, 1), None) for number in range(LOTS_PER_HOLD_MAX + 1)]
    earned = [earn(1, terms) for terms in lots]
    ledger, outcome = after(*earned, reserve(LOTS_PER_HOLD_MAX + 1))
    assert outcome == Refused(reserve(LOTS_PER_HOLD_MAX + 1), "too_many_lots", Balances(LOTS_PER_HOLD_MAX + 1))
    assert isinstance(ledger.post([reserve(LOTS_PER_HOLD_MAX)])[0], Posted)


def test_two_holds_in_one_call_each_reach_as_many_lots_as_one_alone() -> None:
    lots = [LotTerms(f"p{number}", date(2026, 1, 1), None) for number in range(2 * LOTS_PER_HOLD_MAX)]
    ledger, _ = after(*(earn(1, terms) for terms in lots))
    outcomes = ledger.post([reserve(LOTS_PER_HOLD_MAX), reserve(LOTS_PER_HOLD_MAX, OTHER_HOLD)])
    assert [type(outcome) for outcome in outcomes] == [Posted, Posted]
    assert ledger.balances()[ANNA, "points"] == Balances(held=2 * LOTS_PER_HOLD_MAX)


def test_a_hold_sees_past_a_lot_that_was_suspended_in_the_same_call() -> None:
    ledger, _ = after(earn(10), earn(10, APRIL))
    outcomes = ledger.post([suspend(10), reserve(5)])
    assert outcomes[1] == Posted(reserve(5), 5, Balances(available=5, held=5, pending=10))


def test_a_capture_takes_first_expiring_first_and_returns_the_rest_to_its_lots() -> None:
    ledger, outcome = after(earn(5), earn(5, APRIL), reserve(8), capture(6))
    assert outcome == Posted(capture(6), 6, Balances(available=4), released=2, issuers=(("fuel", 1), ("grocer", 5)))
    assert moves(ledger, 3) == [
        ("capture", "held", "redeem", 5),
        ("capture", "held", "redeem", 1),
        ("void", "held", "available", 2),
    ]
    assert [transfer.partner_id for transfer in ledger.transfers[-3:]] == ["fuel", "fuel", None]
    assert remaining(ledger) == {APRIL: 4}
    assert ledger.holds_by_state()[HOLD] == ("captured", {MARCH.key: (0, 5, 0), APRIL.key: (0, 1, 0)})


def test_a_capture_may_keep_the_rest_for_another_one() -> None:
    ledger, outcome = after(earn(10), reserve(8), capture(3, keep_rest=True), capture(4))
    assert outcome == Posted(capture(4), 4, Balances(available=3), released=1, issuers=(("grocer", 4),))
    assert ledger.holds_by_state()[HOLD] == ("captured", {MARCH.key: (0, 7, 0)})


def test_a_hold_with_nothing_left_is_closed_even_if_more_was_announced() -> None:
    _, outcome = after(earn(10), reserve(8), capture(8, keep_rest=True), capture(1))
    assert outcome == Refused(capture(1), "hold_not_open", Balances(available=2))


def test_what_a_capture_returns_clears_debt_first() -> None:
    _, outcome = after(earn(10), reserve(10), claw_back(3), capture(5))
    assert outcome == Posted(capture(5), 5, Balances(available=2), debt_cleared=3, released=5, issuers=(("grocer", 5),))


def test_more_than_the_hold_is_refused() -> None:
    _, outcome = after(earn(20), reserve(8), capture(9))
    assert outcome == Refused(capture(9), "exceeds_hold", Balances(available=12, held=8))


@pytest.mark.parametrize("late", [capture(1), void()])
@pytest.mark.parametrize("first", [capture(8), void()])
def test_only_the_first_of_capture_and_void_wins(first: Command, late: Command) -> None:
    ledger, outcome = after(earn(8), reserve(8), first)
    assert isinstance(outcome, Posted)
    balance = ledger.balances()[ANNA, "points"]
    assert ledger.post([late]) == [Refused(late, "hold_not_open", balance)]


def test_a_void_returns_points_to_their_lots_with_their_own_dates() -> None:
    ledger, outcome = after(earn(5), earn(5, FOREVER), reserve(8), void())
    assert outcome == Posted(void(), 8, Balances(available=10), released=8)
    assert remaining(ledger) == {MARCH: 5, FOREVER: 5}


def test_an_expired_hold_says_so() -> None:
    expire = Void(ANNA, "points", HOLD.bytes, HOLD, "expire")
    ledger, _ = after(earn(5), reserve(5), expire)
    assert moves(ledger, 1) == [("expire", "held", "available", 5)]
    assert ledger.holds_by_state()[HOLD][0] == "expired"


def test_what_a_void_returns_clears_debt_first() -> None:
    _, outcome = after(earn(10), reserve(10), claw_back(4), void())
    assert outcome == Posted(void(), 10, Balances(available=6), debt_cleared=4, released=10)


@pytest.mark.parametrize("command", [capture(1, owner=BORIS), void(owner=BORIS)])
def test_another_owners_hold_is_not_there(command: Command) -> None:
    ledger, _ = after(earn(10), earn(10, owner=BORIS), reserve(5))
    together = ledger.post([command, reserve(1, OTHER_HOLD)])  # with both accounts in the call
    assert together[0] == Refused(command, "hold_not_open", Balances(available=10))


def test_spending_late_takes_what_is_there_and_tells_the_shortfall() -> None:
    ledger, outcome = after(earn(5), earn(2, APRIL), spend_late(10))
    assert outcome == Posted(spend_late(10), 7, Balances(), shortfall=3, issuers=(("fuel", 2), ("grocer", 5)))
    assert moves(ledger, 2) == [("spend_late", "available", "redeem", 5), ("spend_late", "available", "redeem", 2)]


def test_commands_of_one_call_see_those_before_them() -> None:
    ledger = MemoryLedger()
    outcomes = ledger.post([reserve(5), earn(5), reserve(5, OTHER_HOLD), capture(5)])
    assert [type(outcome) for outcome in outcomes] == [Refused, Posted, Posted, Refused]
    assert ledger.balances()[ANNA, "points"] == Balances(held=5)


def test_earning_reads_no_lots_and_writes_each_lot_once() -> None:
    accounts = {(ANNA.int, "points"): Account(1, available=100)}
    planned = plan(accounts, [], [], [earn(1), earn(2), earn(4, APRIL)])
    assert [(lot.terms, lot.remaining) for lot in planned.credited_lots] == [(MARCH, 3), (APRIL, 4)]
    assert planned.accounts == [(1, 7, 0, 0, 0)]
    assert not planned.stored_lots


def test_a_refusal_alone_writes_nothing() -> None:
    planned = plan({(ANNA.int, "points"): Account(1, available=4)}, [], [], [reserve(5), void()])
    assert not planned.transfers
    assert not planned.accounts
    assert not planned.new_holds


def test_reserving_a_hold_twice_in_one_call_is_an_error() -> None:
    accounts = {(ANNA.int, "points"): Account(1, available=10)}
    lots = [StoredLot(1, MARCH.key, None, MARCH, 10, 0)]
    with pytest.raises(HoldExistsError):
        plan(accounts, lots, [], [reserve(5), reserve(5)])


def test_lots_that_do_not_bear_out_the_balance_stop_everything() -> None:
    accounts = {(ANNA.int, "points"): Account(1, available=10)}
    lots = [StoredLot(1, MARCH.key, None, MARCH, 9, 0)]
    with pytest.raises(LedgerBrokenError, match="account 1"):
        plan(accounts, lots, [], [reserve(10)])
