"""Points may be spent to the last second of their last day, and not one second longer, whenever the job comes by."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from shared.database.engine import RawConnection, Transaction
from shared.ledger import (
    Balances,
    ClawBack,
    Command,
    Earn,
    EarnPending,
    Give,
    LotTerms,
    Outcome,
    Posted,
    Refused,
    Release,
    Reserve,
    SpendLate,
    Suspend,
    Void,
)
from shared.ledger.records import Lapsed
from tests.support.ledger_memory import MemoryLedger

ANNA, BERT, HOLD = UUID(int=1), UUID(int=2), UUID(int=77)
RECEIPT, RETURN = b"receipt-1", b"return-1"
NOVEMBER = LotTerms("grocer", date(2025, 11, 1), date(2026, 11, 1))
LATER = LotTerms("fuel", date(2025, 11, 1), date(2027, 1, 1))
FOREVER = LotTerms("fuel", date(2025, 11, 1), None)
LAST_DAY, EXPIRY_DAY = date(2026, 10, 31), date(2026, 11, 1)


def earn(points: int, terms: LotTerms = NOVEMBER) -> Earn:
    return Earn(ANNA, "points", RECEIPT, points, terms)


def reserve(points: int) -> Reserve:
    return Reserve(ANNA, "points", HOLD.bytes, points, HOLD)


def ledger_after(*commands: Command) -> MemoryLedger:
    """As it stands at the end of the last day on which the points may be spent."""
    ledger = MemoryLedger()
    ledger.today = LAST_DAY
    for command in commands:
        ledger.post([command])
    return ledger


def next_day(ledger: MemoryLedger, *commands: Command) -> list[Outcome]:
    ledger.today = EXPIRY_DAY
    return [ledger.post([command])[0] for command in commands]


@pytest.mark.parametrize(
    ("moment", "zone", "is_spent"),
    [
        (datetime(2026, 11, 1, 3, 59, 59, tzinfo=UTC), "America/New_York", True),  # 23:59:59 on the last day
        (datetime(2026, 11, 1, 4, 0, 0, tzinfo=UTC), "America/New_York", False),  # 00:00:00 of the next, in summer time
        (datetime(2026, 10, 31, 14, 59, 59, tzinfo=UTC), "Asia/Tokyo", True),
        (datetime(2026, 10, 31, 15, 0, 0, tzinfo=UTC), "Asia/Tokyo", False),
    ],
)
def test_points_are_spent_to_the_last_second_where_the_programme_is(
    moment: datetime, zone: str, *, is_spent: bool
) -> None:
    transaction = Transaction(cast("object", None), cast("RawConnection", None), moment, ZoneInfo(zone))  # type: ignore[arg-type]
    ledger = ledger_after(earn(10))
    ledger.today = transaction.today
    [outcome] = ledger.post([reserve(10)])
    expected = Posted(reserve(10), 10, Balances(held=10)) if is_spent else None
    assert outcome == (expected or Refused(reserve(10), "insufficient_points", Balances()))


def test_what_lapses_in_passing_goes_to_breakage_and_waits_to_be_told() -> None:
    ledger = ledger_after(earn(10), earn(5, LATER))
    [held] = next_day(ledger, reserve(5))
    assert held == Posted(reserve(5), 5, Balances(held=5))
    [lapse] = [transfer for transfer in ledger.transfers if transfer.legs.purpose == "expire_points"]
    assert (lapse.points, lapse.debit_lot, lapse.reference) == (10, NOVEMBER.key, b"expire:2026-11-01")
    assert ledger.lapsed == [Lapsed(1, NOVEMBER.key, 10)]


def test_what_is_taken_late_is_not_taken_from_points_whose_day_has_come() -> None:
    late = SpendLate(ANNA, "points", RECEIPT, 8, "fuel")
    assert next_day(ledger_after(earn(10), earn(5, LATER)), late) == [
        Posted(late, 5, Balances(), shortfall=3, issuers=(("fuel", 5),))
    ]


def test_a_hold_over_midnight_keeps_its_points_and_what_it_lets_go_lapses_then() -> None:
    ledger = ledger_after(earn(10), reserve(4))
    void = Void(ANNA, "points", HOLD.bytes, HOLD)
    assert next_day(ledger, void) == [Posted(void, 4, Balances(), released=4)]
    assert ledger.lapsed == [Lapsed(1, NOVEMBER.key, 10)]


def test_what_a_hold_lets_go_pays_what_is_owed_before_it_lapses() -> None:
    ledger = ledger_after(earn(10), reserve(10))
    taken_back = ClawBack(ANNA, "points", RETURN, 3, NOVEMBER, RECEIPT)
    void = Void(ANNA, "points", HOLD.bytes, HOLD)
    assert next_day(ledger, taken_back, void) == [
        Posted(taken_back, 3, Balances(held=10, debt=3), debt_added=3),
        Posted(void, 10, Balances(), debt_cleared=3, released=10),
    ]
    assert ledger.lapsed == [Lapsed(1, NOVEMBER.key, 7)]


def test_what_has_lapsed_pays_no_debt() -> None:
    """Whether the job came by before the return or not, the member owes what the return could not find."""
    ledger = ledger_after(earn(5, LATER), SpendLate(ANNA, "points", RECEIPT, 5, "fuel"), earn(10))
    taken_back = ClawBack(ANNA, "points", RETURN, 5, LATER, RECEIPT)
    assert next_day(ledger, taken_back) == [Posted(taken_back, 5, Balances(debt=5), debt_added=5)]


def test_what_is_released_or_earned_too_late_lapses_at_once() -> None:
    ledger = ledger_after(earn(10), Suspend(ANNA, "points", RECEIPT, 10, NOVEMBER, RECEIPT))
    release = Release(ANNA, "points", RECEIPT, NOVEMBER, RECEIPT)
    assert next_day(ledger, release, earn(7), earn(2, LATER)) == [
        Posted(release, 10, Balances()),
        Posted(earn(7), 7, Balances()),
        Posted(earn(2, LATER), 2, Balances(available=2)),
    ]
    assert [points for _, _, points in ledger.lapsed] == [10, 7]


def test_nobody_gives_away_what_has_lapsed_and_a_survivor_gets_none_of_it() -> None:
    ledger = ledger_after(earn(10), earn(5, LATER))
    give = Give(ANNA, "points", b"gift-1", BERT, "gift")
    [given] = next_day(ledger, give)
    assert (given.balance, isinstance(given, Posted) and given.receiver) == (Balances(), Balances(available=5))

    ledger = ledger_after(earn(10), earn(5, LATER))
    ledger.today = EXPIRY_DAY
    [merged] = ledger.merge(ANNA, BERT)
    assert merged.balance == Balances(available=5)
    assert ledger.lapsed == [Lapsed(1, NOVEMBER.key, 10)]


def test_a_release_may_say_from_when_and_how_long_points_last_and_what_lapses_by_that() -> None:
    waiting = EarnPending(ANNA, "points", RECEIPT, 10, FOREVER, RECEIPT)
    ledger = ledger_after(waiting)
    release = Release(ANNA, "points", RECEIPT, FOREVER, RECEIPT, LATER)

    assert next_day(ledger, release, release) == [
        Posted(release, 10, Balances(available=10)),
        Posted(release, 0, Balances(available=10)),
    ]
    assert ledger.lots_with_points() == {(ANNA, "points", (LATER, None)): (10, 0)}

    too_late = Release(ANNA, "points", RECEIPT, FOREVER, RECEIPT, NOVEMBER)
    ledger = ledger_after(waiting)
    assert next_day(ledger, too_late) == [Posted(too_late, 10, Balances())]
    assert [points for _, _, points in ledger.lapsed] == [10]


def test_what_comes_back_too_late_lives_on_where_it_is_given_longer() -> None:
    ledger = ledger_after(earn(10), earn(5, LATER), reserve(12))
    longer = replace(NOVEMBER, expires_on=date(2026, 11, 15))
    void = Void(ANNA, "points", HOLD.bytes, HOLD, "void", date(2026, 11, 15))

    [outcome] = next_day(ledger, void)

    assert outcome == Posted(void, 12, Balances(available=15), released=12)
    assert {lot.terms: lot.remaining for lot in ledger.lots.values() if lot.remaining} == {longer: 10, LATER: 5}
    assert [move.legs.purpose for move in ledger.transfers[-3:]] == ["void", "void", "prolong"]
    assert ledger.lapsed == []


def test_what_is_given_longer_to_a_day_that_has_come_as_well_lapses() -> None:
    ledger = ledger_after(earn(10), reserve(10))
    [outcome] = next_day(ledger, Void(ANNA, "points", HOLD.bytes, HOLD, "void", EXPIRY_DAY))
    assert outcome.balance == Balances()
