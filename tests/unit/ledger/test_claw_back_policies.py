"""What a claw-back does that the owner's points do not cover, by its policy: debt, clip or refuse."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.ledger import Balances, ClawBack, ClawBackPolicy, Earn, LotTerms, Posted, Refused, SpendLate, Suspend
from tests.support.ledger_memory import MemoryLedger

ANNA, LATE = UUID(int=1), UUID(int=78)
MARCH, APRIL = (LotTerms("grocer", date(2026, month, 1), date(2027, month, 1)) for month in (3, 4))
KEY = (ANNA, "points")


def claw_back(points: int, policy: ClawBackPolicy) -> ClawBack:
    return ClawBack(ANNA, "points", b"return", points, MARCH, b"receipt", policy)


def left_with(of_march: int, of_april: int, spent: int) -> MemoryLedger:
    """Anna earned two receipts' points and has spent some, those of March first."""
    ledger = MemoryLedger()
    for reference, points, terms in ((b"receipt", of_march, MARCH), (b"other", of_april, APRIL)):
        if points:
            ledger.post([Earn(ANNA, "points", reference, points, terms)])
    if spent:
        ledger.post([SpendLate(ANNA, "points", b"tender", spent, "pharmacy", LATE)])
    return ledger


def test_clip_takes_what_is_there_whatever_lot_it_is_of_and_leaves_the_rest() -> None:
    ledger = left_with(10, 4, spent=9)

    (posted,) = ledger.post([claw_back(10, "clip")])

    assert isinstance(posted, Posted)
    assert (posted.points, posted.shortfall, posted.debt_added - posted.debt_cleared) == (5, 5, 0)
    assert posted.balance == Balances()
    assert ledger.owed() == {}


def test_refuse_takes_nothing_where_a_point_is_missing() -> None:
    ledger = left_with(10, 4, spent=5)

    refused, taken = ledger.post([claw_back(10, "refuse"), claw_back(9, "refuse")])

    assert isinstance(refused, Refused)
    assert (refused.reason, refused.balance) == ("insufficient_points", Balances(available=9))
    assert isinstance(taken, Posted)
    assert (taken.points, taken.balance) == (9, Balances())


def test_what_waits_of_the_award_is_there_for_it() -> None:
    ledger = left_with(10, 0, spent=2)
    ledger.post([Suspend(ANNA, "points", b"hold", 10, MARCH, b"receipt")])

    (taken,) = ledger.post([claw_back(8, "refuse")])

    assert isinstance(taken, Posted)
    assert taken.balance == Balances()


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 40), st.integers(1, 20))
def test_policies_agree_wherever_the_points_are_there(of_march: int, of_april: int, spent: int, points: int) -> None:
    spent = min(spent, of_march + of_april)
    points = min(points, max(1, of_march))
    asked = claw_back(points, "debt")
    owing, clipped, strict = (left_with(of_march, of_april, spent) for _ in range(3))
    if not of_march:
        return
    (owed,) = owing.post([asked])
    (left,) = clipped.post([replace(asked, policy="clip")])
    (all_or_nothing,) = strict.post([replace(asked, policy="refuse")])

    assert isinstance(owed, Posted)
    assert isinstance(left, Posted)
    assert left.shortfall == owed.balance.debt
    assert left.balance == owed.balance._replace(debt=0)
    assert isinstance(all_or_nothing, Refused) == bool(owed.balance.debt)
    if isinstance(all_or_nothing, Posted):
        assert all_or_nothing.balance == owed.balance
