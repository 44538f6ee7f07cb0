"""Receipts that were claimed later: how many, of one day, and how late."""

from datetime import timedelta

import pytest

from services.fraud.domain.outcomes import Result
from services.fraud.domain.receipts import Receipt
from services.fraud.domain.rules.claims import Claims
from tests.support.fraud import ANNA, MORNING, fact, play, receipt


def claimed(number: int, *, day: int = 0, after_days: int = 0, by: str | None = None) -> Receipt:
    return receipt(number, by=by, at=MORNING + timedelta(days=day, minutes=number), claimed_after_days=after_days)


@pytest.mark.parametrize(
    ("receipts", "result", "observed"),
    [
        ([claimed(1)], Result.NO_HIT, (1, 1, 0)),
        ([claimed(1), claimed(2)], Result.NO_HIT, (2, 2, 0)),
        ([claimed(1), claimed(2), claimed(3)], Result.HIT, (3, 3, 0)),
        ([claimed(1), receipt(2), claimed(3)], Result.NO_HIT, (2, 2, 0)),  # a card was shown
        ([claimed(day, day=day) for day in range(4)], Result.NO_HIT, (1, 4, 0)),
        ([claimed(day, day=day) for day in range(5)], Result.HIT, (1, 5, 0)),
        ([claimed(day, day=day) for day in (0, 31, 32, 33, 34)], Result.NO_HIT, (1, 4, 0)),  # the first is long ago
        ([claimed(1, after_days=9)], Result.NO_HIT, (1, 1, 9)),  # who comes back from a journey
        ([claimed(1), claimed(2, day=1, after_days=7)], Result.HIT, (1, 2, 7)),
        ([claimed(1), claimed(2)._replace(is_cleared=True), claimed(3)], Result.NO_HIT, (2, 2, 0)),
    ],
)
def test_what_is_a_hit(receipts: list[Receipt], result: Result, observed: tuple[int, ...]) -> None:
    finding = Claims().evaluate(receipts, len(receipts) - 1)
    assert (finding.result, finding.observed) == (result, observed)


def test_a_case_is_about_the_member_alone_and_takes_in_every_further_claim_and_nothing_else() -> None:
    stream = [*(claimed(number) for number in (1, 2, 3)), receipt(4), claimed(5, day=20), receipt(6, by=None)]

    states, effects = play(fact(one) for one in stream)

    (case,) = effects.cases
    assert (case.operator_hash, case.rule_code) == ("", "CLAIMS")
    assert [hold.receipt.receipt_key for hold in effects.holds] == [stream[at].receipt_key for at in (0, 1, 2, 4)]
    assert [decision.action for decision in effects.decisions] == ["none", "none", "hold", "none", "hold", "none"]
    assert len(states) == 1


def test_one_receipt_may_open_a_case_about_its_operator_and_one_about_its_member() -> None:
    _, effects = play(fact(claimed(number, by=ANNA)) for number in (1, 2, 3))

    assert [(case.rule_code, case.opened_by) for case in effects.cases] == [
        (code, receipt(3).receipt_key) for code in ("INS_SWIPE", "CLAIMS")
    ]
    assert len(effects.holds) == 3  # a receipt is held once


def test_a_receipt_that_was_shown_a_card_costs_no_outcome() -> None:
    _, effects = play([fact(receipt(1))])
    assert [outcome.rule_code for outcome in effects.decisions[0].outcomes] == ["INS_SWIPE", "VEL_EARN"]
