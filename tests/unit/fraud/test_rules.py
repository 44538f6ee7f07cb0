"""What each rule hits, and whom it leaves alone."""

from datetime import timedelta

import pytest

from services.fraud.domain.outcomes import Result
from services.fraud.domain.receipts import Receipt
from services.fraud.domain.rules.ins_swipe import InsSwipe
from services.fraud.domain.rules.vel_earn import VelEarn
from tests.support.fraud import ANNA, BERT, MORNING, receipt


def _last(rule: InsSwipe | VelEarn, receipts: list[Receipt]) -> tuple[Result, tuple[int, ...]]:
    finding = rule.evaluate(sorted(receipts), len(receipts) - 1)
    return finding.result, finding.observed


def _daily(days: int, *, by: str = ANNA, had_choice: bool | None = True, start: int = 0) -> list[Receipt]:
    """One receipt a day."""
    return [
        receipt(start + day, by=by, at=MORNING + timedelta(days=day, minutes=start), had_choice=had_choice)
        for day in range(days)
    ]


def test_three_receipts_of_one_cashier_in_one_shift_are_a_hit() -> None:
    finding = InsSwipe().evaluate([receipt(1), receipt(2), receipt(3)], 2)
    assert finding.result is Result.HIT
    assert InsSwipe().checks()[finding.telling] == ("receipts_in_shift", 3, "shift")
    assert finding.observed[finding.telling] == 3
    assert set(finding.evidence) == {receipt(number).receipt_key for number in (1, 2, 3)}


@pytest.mark.parametrize(
    "other",
    [
        receipt(2, by=BERT),
        receipt(2, shift=2),
        receipt(2, store="s2"),
        receipt(2, at=MORNING - timedelta(days=1)),
        receipt(2)._replace(is_cleared=True),
    ],
    ids=["another cashier", "another shift", "another store", "another day", "cleared by a person"],
)
def test_a_receipt_elsewhere_does_not_count_to_the_shift(other: Receipt) -> None:
    assert _last(InsSwipe(), [receipt(1), other, receipt(3)])[0] is Result.NO_HIT


def test_ten_receipts_in_thirty_days_with_two_in_one_shift_are_a_hit() -> None:
    receipts = [*_daily(9), receipt(100, at=MORNING + timedelta(days=8, hours=1))]
    assert _last(InsSwipe(), receipts) == (Result.HIT, (2, 10, 100, 2))


def test_a_colleague_who_buys_lunch_every_day_is_no_hit() -> None:
    assert _last(InsSwipe(), _daily(30)) == (Result.NO_HIT, (1, 30, 100, 1))


@pytest.mark.parametrize(("through_others", "result"), [(2, Result.HIT), (3, Result.NO_HIT)])
def test_the_share_is_of_all_the_members_receipts_and_is_not_rounded_up(through_others: int, result: Result) -> None:
    receipts = [
        *_daily(through_others, by=BERT, start=200),
        *_daily(9),
        receipt(100, at=MORNING + timedelta(days=8, hours=1)),
    ]
    finding = _last(InsSwipe(), receipts)
    assert finding == (result, (2, 10, 1000 // (10 + through_others), 2))


def test_a_regular_of_a_store_with_one_till_is_no_hit() -> None:
    receipts = [
        *_daily(20, had_choice=False),
        receipt(100, at=MORNING + timedelta(days=19, hours=1), had_choice=False),
    ]
    assert _last(InsSwipe(), receipts) == (Result.NO_HIT, (2, 0, 0, 0))


def test_receipts_of_a_store_with_one_till_do_not_dilute_the_share() -> None:
    receipts = [
        *_daily(20, by=BERT, had_choice=False, start=200),
        *_daily(9),
        receipt(100, at=MORNING + timedelta(days=8, hours=1)),
    ]
    finding = InsSwipe().evaluate(sorted(receipts), sorted(receipts).index(receipts[-1]))
    assert (finding.result, finding.observed) == (Result.HIT, (2, 10, 100, 2))


def test_without_an_operator_or_with_an_unknown_store_the_rule_says_that_it_cannot_tell() -> None:
    assert _last(InsSwipe(), [receipt(1, by=None)])[0] is Result.INSUFFICIENT
    unknown = [
        *_daily(9, had_choice=None),
        receipt(100, at=MORNING + timedelta(days=8, hours=1), had_choice=None),
    ]
    assert _last(InsSwipe(), unknown) == (Result.INSUFFICIENT, (2, 0, 0, 0))


def test_what_is_older_than_the_window_does_not_count() -> None:
    old, new = _daily(9), receipt(100, at=MORNING + timedelta(days=38))
    assert _last(InsSwipe(), [*old, new, receipt(101, at=MORNING + timedelta(days=38, hours=1))]) == (
        Result.NO_HIT,
        (2, 3 - 1, 100, 2),
    )


def _own(number: int, *, days: int = 0, by: str = ANNA, is_own_card: bool = True) -> Receipt:
    """A receipt some days later; a shift of its own for each day."""
    return receipt(number, by=by, at=MORNING + timedelta(days=days, minutes=number), is_own_card=is_own_card)


def test_the_third_receipt_with_the_cashiers_own_card_in_thirty_days_is_a_hit() -> None:
    rule, receipts = InsSwipe(own_card_receipts=3), [_own(1), _own(2, days=9), _own(3, days=29)]
    assert _last(rule, receipts[:2]) == (Result.NO_HIT, (1, 2, 100, 1, 2))
    finding = rule.evaluate(receipts, 2)
    assert (finding.result, finding.observed) == (Result.HIT, (1, 3, 100, 1, 3))
    assert rule.checks()[finding.telling] == ("own_card_receipts", 3, "30d")
    assert finding.evidence == tuple(one.receipt_key for one in receipts)


@pytest.mark.parametrize(
    "other",
    [_own(2, by=BERT), _own(2, is_own_card=False), _own(2, days=-31), _own(2)._replace(is_cleared=True)],
    ids=["another cashier", "another card", "long ago", "cleared by a person"],
)
def test_what_is_no_swipe_of_an_own_card_does_not_count(other: Receipt) -> None:
    receipts = sorted([_own(1), other, _own(3, days=1)])
    assert _last(InsSwipe(own_card_receipts=3), receipts)[0] is Result.NO_HIT


def test_a_receipt_without_the_own_card_is_no_hit_for_those_before_it() -> None:
    receipts = [*(_own(number, days=number) for number in range(3)), _own(9, days=9, is_own_card=False)]
    assert _last(InsSwipe(own_card_receipts=3), receipts) == (Result.NO_HIT, (1, 4, 100, 1, 0))


def test_without_the_parameter_own_cards_are_not_looked_at() -> None:
    receipts = [_own(number, days=number) for number in range(3)]
    assert _last(InsSwipe(), receipts) == (Result.NO_HIT, (1, 3, 100, 1))


def test_where_several_checks_are_met_the_own_card_says_it_best_and_all_receipts_are_evidence() -> None:
    receipts = [_own(1), _own(2, days=1), *(_own(number, days=2, is_own_card=number > 4) for number in (3, 4, 5))]
    finding = InsSwipe(own_card_receipts=3).evaluate(receipts, 4)
    assert (finding.observed, finding.telling) == ((3, 5, 100, 3, 3), 4)
    assert finding.evidence == tuple(one.receipt_key for one in receipts)


def test_five_receipts_a_day_are_fine_and_the_sixth_is_a_hit() -> None:
    assert _last(VelEarn(), [receipt(number) for number in range(5)]) == (Result.NO_HIT, (5,))
    assert _last(VelEarn(), [receipt(number) for number in range(6)]) == (Result.HIT, (6,))


def test_a_day_begins_anew() -> None:
    receipts = [receipt(number) for number in range(5)]
    assert _last(VelEarn(), [*receipts, receipt(9, at=MORNING + timedelta(days=1))]) == (Result.NO_HIT, (1,))
