"""Worked examples of debt: who carries it, what clears it, and in which order."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from shared.ledger import (
    AdjustUp,
    Balances,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Give,
    LedgerBrokenError,
    LotTerms,
    Refund,
    Reinstate,
    Release,
    Reserve,
    SpendLate,
    Void,
    WriteOff,
    plan,
)
from shared.ledger.records import Account
from tests.support.ledger_memory import MemoryLedger

ANNA, BORIS, HOLD, LATE = UUID(int=1), UUID(int=2), UUID(int=77), UUID(int=78)
GROCER = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
FUEL = LotTerms("fuel", date(2026, 3, 1), date(2027, 3, 1))
CINEMA = LotTerms("cinema", date(2026, 4, 1), None)
KEY = (ANNA, "points")


def earn(points: int, terms: LotTerms, owner: UUID = ANNA) -> Earn:
    return Earn(owner, "points", b"receipt", points, terms)


def claw_back(points: int, terms: LotTerms, owner: UUID = ANNA) -> ClawBack:
    return ClawBack(owner, "points", b"return", points, terms, b"receipt")


def spend(points: int, owner: UUID = ANNA) -> SpendLate:
    return SpendLate(owner, "points", b"tender", points, "pharmacy", LATE)


def owing(*commands: Command) -> MemoryLedger:
    """Anna has spent what two partners took back from her: 6 to the grocer first, then 4 to the petrol station."""
    ledger = MemoryLedger()
    ledger.post([earn(6, GROCER), earn(4, FUEL), *commands, spend(10), claw_back(6, GROCER), claw_back(4, FUEL)])
    assert ledger.owed() == {KEY: {"grocer": 6, "fuel": 4}}
    return ledger


def cleared(ledger: MemoryLedger) -> list[tuple[str | None, int]]:
    """Whose claw-backs were paid, in the order of the transfers."""
    return [(move.partner_id, move.points) for move in ledger.transfers if move.legs.purpose == "clear_debt"]


def test_the_oldest_debt_is_paid_first_and_the_transfer_names_whose_it_was() -> None:
    ledger = owing()
    ledger.post([earn(7, CINEMA)])
    assert cleared(ledger) == [("grocer", 6), ("fuel", 1)]
    assert ledger.owed() == {KEY: {"fuel": 3}}
    ledger.post([earn(5, CINEMA)])
    assert cleared(ledger)[2:] == [("fuel", 3)]
    assert ledger.owed() == {}
    assert ledger.balances() == {KEY: Balances(available=2)}


def test_what_pays_keeps_the_name_of_who_had_issued_it() -> None:
    ledger = owing()
    ledger.post([earn(7, CINEMA)])
    paying = [move.debit_lot for move in ledger.transfers if move.legs.purpose == "clear_debt"]
    assert paying == [CINEMA.key, CINEMA.key]


@pytest.mark.parametrize(
    ("before", "credit"),
    [
        ([], earn(3, CINEMA)),
        (
            [EarnPending(ANNA, "points", b"r", 3, CINEMA, b"award")],
            Release(ANNA, "points", b"r", CINEMA, b"award"),
        ),
        ([], Refund(ANNA, "points", b"refund", 3, LATE, "pharmacy")),
        ([], AdjustUp(ANNA, "points", b"case", 3, CINEMA)),
        ([], Reinstate(ANNA, "points", b"case", 3, CINEMA)),
        ([earn(3, CINEMA, BORIS)], Give(BORIS, "points", b"gift", ANNA, "gift", 3)),
        ([earn(3, CINEMA), Reserve(ANNA, "points", b"hold", 3, HOLD)], Void(ANNA, "points", b"hold", HOLD)),
    ],
    ids=["earning", "release", "refund", "adjustment", "reinstatement", "gift", "hold let go"],
)
def test_every_credit_clears_what_is_owed(before: list[Command], credit: Command) -> None:
    ledger = owing(*before)
    ledger.post([credit])
    assert cleared(ledger) == [("grocer", 3)]
    assert ledger.balances()[KEY].debt == 7


def test_points_that_wait_clear_nothing() -> None:
    ledger = owing()
    ledger.post([EarnPending(ANNA, "points", b"r", 3, CINEMA, b"award")])
    assert cleared(ledger) == []
    assert ledger.balances() == {KEY: Balances(pending=3, debt=10)}


def test_what_is_forgiven_is_forgiven_to_those_who_wait_longest() -> None:
    ledger = owing()
    ledger.post([WriteOff(ANNA, "points", b"case", 8)])
    assert [(move.partner_id, move.points) for move in ledger.transfers[-2:]] == [("grocer", 6), ("fuel", 2)]
    assert ledger.owed() == {KEY: {"fuel": 2}}


def test_a_merge_hands_debts_over_with_issuer_and_age() -> None:
    ledger = MemoryLedger()
    ledger.post([earn(5, FUEL, BORIS), spend(5, BORIS), claw_back(5, FUEL, BORIS)])
    ledger.now += timedelta(days=1)
    ledger.post([earn(6, GROCER), SpendLate(ANNA, "points", b"t", 6, "pharmacy"), claw_back(6, GROCER)])
    ledger.merge(BORIS, ANNA)
    assert ledger.owed() == {KEY: {"grocer": 6, "fuel": 5}}
    ledger.post([earn(6, CINEMA)])
    assert cleared(ledger) == [("fuel", 5), ("grocer", 1)]  # Boris's is the older one


def test_a_merge_pays_debts_of_both_from_what_the_other_has() -> None:
    ledger = owing()
    ledger.post([earn(7, CINEMA, BORIS)])
    ledger.merge(ANNA, BORIS)
    assert cleared(ledger) == [("grocer", 6), ("fuel", 1)]
    assert ledger.owed() == {(BORIS, "points"): {"fuel": 3}}


def test_debts_that_do_not_bear_out_the_balance_stop_the_posting() -> None:
    with pytest.raises(LedgerBrokenError, match="debts"):
        plan({(ANNA.int, "points"): Account(1, debt=5)}, [], [], [earn(1, GROCER)])
