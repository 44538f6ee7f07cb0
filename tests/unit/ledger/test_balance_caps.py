"""A cap on the balance: what is earned lifts it up to there and no further. Worked by hand."""

from datetime import date
from uuid import UUID

import pytest

from shared.ledger import Balances, ClawBack, Command, Earn, EarnPending, LotTerms, Posted, Release, Reserve
from tests.support.ledger_memory import MemoryLedger

ANNA = UUID(int=1)
TERMS = LotTerms("grocer", date(2026, 3, 1), date(2027, 3, 1))
OLD = LotTerms("grocer", date(2025, 3, 1), date(2026, 3, 1))


def earn(points: int, balance_max: int | None = None, terms: LotTerms = TERMS) -> Earn:
    return Earn(ANNA, "points", b"receipt", points, terms, balance_max)


def earn_pending(points: int, balance_max: int) -> EarnPending:
    return EarnPending(ANNA, "points", b"receipt", points, TERMS, b"receipt", balance_max)


def claw_back(points: int) -> ClawBack:
    return ClawBack(ANNA, "points", b"return", points, TERMS, b"other receipt")


def given_and_trimmed(commands: list[Command], ledger: MemoryLedger | None = None) -> tuple[int, int]:
    """Of the last command."""
    outcome = (ledger or MemoryLedger()).post(commands)[-1]
    assert isinstance(outcome, Posted)
    return outcome.points, outcome.trimmed


@pytest.mark.parametrize(
    ("before", "given"),
    [
        pytest.param([earn(95)], (5, 5), id="what is available counts"),
        pytest.param([earn(95), Reserve(ANNA, "points", b"hold", 90, UUID(int=2))], (5, 5), id="what is held counts"),
        pytest.param([earn_pending(95, 100)], (5, 5), id="what is pending counts"),
        pytest.param([earn(95), claw_back(3)], (8, 2), id="what was taken back makes room"),
        pytest.param([claw_back(90), earn(95)], (10, 0), id="what paid a debt took no room"),
        pytest.param([earn(100)], (0, 10), id="a full balance earns nothing"),
        pytest.param([earn(300)], (0, 10), id="so does one that was fuller before there was a cap"),
    ],
)
def test_what_is_earned_lifts_the_balance_up_to_the_cap(before: list[Command], given: tuple[int, int]) -> None:
    for last in (earn(10, 100), earn_pending(10, 100)):
        assert given_and_trimmed([*before, last]) == given


def test_what_pays_a_debt_takes_no_room() -> None:
    """105 are owed: of 200 earned under a cap of 90, 105 pay the debt and 90 are there."""
    ledger = MemoryLedger()
    assert given_and_trimmed([claw_back(105), earn(200, 90)], ledger) == (195, 5)
    assert ledger.balances() == {(ANNA, "points"): Balances(available=90)}


def test_what_was_earned_under_a_cap_is_still_below_it_when_it_is_released() -> None:
    ledger = MemoryLedger()
    assert given_and_trimmed([claw_back(40), earn_pending(200, 100)], ledger) == (140, 60)
    ledger.post([Release(ANNA, "points", b"receipt", TERMS, b"receipt")])
    assert ledger.balances() == {(ANNA, "points"): Balances(available=100)}


def test_a_cap_that_gives_nothing_writes_nothing() -> None:
    ledger = MemoryLedger()
    ledger.post([earn(100), earn(10, 100, OLD), earn_pending(10, 100)])
    assert len(ledger.transfers) == 1
    assert len(ledger.lots) == 1


def test_what_may_no_longer_be_spent_takes_no_room() -> None:
    """70 of 90 points lapsed in the night, and no job has come by: there is room for 80."""
    ledger = MemoryLedger()
    ledger.post([earn(70, terms=OLD), earn(20)])
    ledger.today = date(2026, 3, 1)
    assert given_and_trimmed([earn(85, 100)], ledger) == (80, 5)
    assert ledger.balances() == {(ANNA, "points"): Balances(available=100)}
    assert sum(lapsed.points for lapsed in ledger.lapsed) == 70


def test_while_there_is_room_no_lot_is_read_and_nothing_lapses() -> None:
    ledger = MemoryLedger()
    ledger.post([earn(70, terms=OLD)])
    ledger.today = date(2026, 3, 1)
    assert given_and_trimmed([earn(30, 100)], ledger) == (30, 0)
    assert ledger.lapsed == []
