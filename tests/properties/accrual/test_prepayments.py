"""Where prepayments earn when they are paid a sale earns once all the same, however it is paid and in any order."""

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accrual.domain.corrections import why_not_corrected
from services.accrual.domain.decisions import Awarded, ClawedBack, Decision, Exchanged, Original, Parked, Refused
from services.accrual.domain.evaluation import evaluate_purchase
from services.accrual.domain.exchanged_goods import KnownExchange
from services.accrual.domain.prepayments import decide_of_sale, handover_key, prepaid_keys
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import CorrectionData, PurchaseEvent, PurchaseRecorded, Tender
from shared.receipt_key import natural_key_of
from tests.support.pure_decisions import ANNA, facts_for
from tests.support.receipts import NOON, RULES, changed_rules, document, line, purchase, return_of, void_of

FIXED = {"id": "visit", "name": "Seven a receipt", "effect": {"kind": "fixed_points", "points": 7}}
THIRDS = {
    "id": "thirds",
    "name": "A point for three",
    "effect": {"kind": "points_per_amount", "points": 1, "step_minor": 300},
    "rounding": "ceiling",
}
AT_PAYMENT = {"counted": {"prepayments": "at_payment"}}
SETS = (
    changed_rules(**AT_PAYMENT),
    changed_rules(**AT_PAYMENT, rules=[*RULES.model_dump()["rules"], FIXED, THIRDS]),
    changed_rules(**AT_PAYMENT, returns={"claw_back": "clip"}, rules=[*RULES.model_dump()["rules"], FIXED]),
    changed_rules(**AT_PAYMENT, returns={"claw_back": "refuse"}, pending_days=14),
)


def points(rule_set: RuleSet, events: list[PurchaseEvent]) -> tuple[int, dict[bytes, Decision]]:
    """What the member has of these documents when they come in this order; what waits is decided after the others."""
    facts = facts_for(events, rule_set=rule_set)._replace(handovers={})
    total, final, waiting = 0, dict[bytes, Decision](), [document(event) for event in events]
    while waiting:
        parked = []
        for one in waiting:
            for decision in decide_of_sale(one, facts):
                total += moved(decision)
                final[decision.document.natural_key] = decision
                if isinstance(decision, Parked):
                    parked.append(one)
                elif isinstance(decision, Refused):
                    facts.originals.setdefault(one.natural_key, Original("refused"))
        for original in facts.originals.values():  # the batch is over: what it took is known
            if original.exchange is not None and original.exchange.is_new:
                original.exchange = settled(original, facts.originals, final)
        if len(parked) == len(waiting):
            break
        waiting = parked
    return total, final


def moved(decision: Decision) -> int:
    match decision:
        case Awarded():
            return decision.evaluation.points
        case ClawedBack():
            return -decision.points
        case Exchanged(given_back=back, taken=taken):
            return (back.points if back is not None else 0) - taken.points
        case _:
            return 0


def settled(original: Original, originals: dict[bytes, Original], final: dict[bytes, Decision]) -> KnownExchange | None:
    """What the database says of a handover's side after its batch."""
    if original.exchange is None:
        return None
    (taken,) = [
        one
        for key, one in final.items()
        if isinstance(one, ClawedBack) and originals.get(key) is original and one.cause == "handover"
    ]
    return original.exchange._replace(
        is_new=False, points=taken.points, returned_thousandths=taken.returned_thousandths
    )


def ahead(number: int, amount_minor: int, category: str = "GROCERY", days: int = -3) -> PurchaseRecorded:
    return purchase(
        number,
        [line(1, amount_minor, category, settlement="prepayment")],
        owner=ANNA,
        occurred_at=NOON + timedelta(days=days),
        tenders=[Tender(kind="card", amount_minor=amount_minor)],
    )


Sale: TypeAlias = tuple[RuleSet, PurchaseRecorded, PurchaseRecorded, list[PurchaseRecorded]]


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """A sale at once; the receipt that hands it over; and those in which it was paid ahead."""
    rule_set = draw(st.sampled_from(SETS))
    goods = [
        line(number, draw(st.integers(1, 20_000)), draw(st.sampled_from(["GROCERY", "PRODUCE"])), 2_000)
        for number in range(1, draw(st.integers(2, 4)))
    ]
    total = sum(one.amount_minor for one in goods)
    cuts = sorted(draw(st.lists(st.integers(1, total), min_size=1, max_size=3, unique=True)))
    paid = [end - start for start, end in zip([0, *cuts], cuts, strict=False)]
    receipts = [ahead(10 + at, one, draw(st.sampled_from(["GROCERY", "PRODUCE"]))) for at, one in enumerate(paid)]
    tenders = [Tender(kind="prepaid", amount_minor=cuts[-1])]
    if total > cuts[-1]:
        tenders.append(Tender(kind="card", amount_minor=total - cuts[-1]))
    at_once = purchase(1, goods, owner=ANNA, tenders=[Tender(kind="card", amount_minor=total)])
    handover = purchase(2, goods, owner=ANNA, tenders=tenders, prepaid=receipts)
    return rule_set, at_once, handover, receipts


@given(sales(), st.randoms(use_true_random=False))
def test_any_split_of_a_sale_into_payments_earns_what_the_sale_earns_in_any_order(sale: Sale, chance: Random) -> None:
    rule_set, at_once, handover, receipts = sale
    events: list[PurchaseEvent] = [handover, *receipts]
    chance.shuffle(events)

    earned, _ = points(rule_set, events)

    assert earned == evaluate_purchase(at_once.data, rule_set).points


@given(sales(), st.randoms(use_true_random=False))
def test_what_comes_back_of_it_comes_back_as_of_a_sale_that_was_paid_at_once(sale: Sale, chance: Random) -> None:
    rule_set, at_once, handover, receipts = sale
    back = {1: chance.randint(1, 2_000)}
    events: list[PurchaseEvent] = [handover, *receipts, return_of(handover, 30, back)]
    chance.shuffle(events)

    earned, _ = points(rule_set, events)

    assert earned == points(rule_set, [at_once, return_of(at_once, 31, back)])[0]


@given(sales(), st.randoms(use_true_random=False))
def test_a_handover_that_was_voided_leaves_what_was_paid_ahead(sale: Sale, chance: Random) -> None:
    rule_set, _, handover, receipts = sale
    events: list[PurchaseEvent] = [handover, *receipts, void_of(handover, 30)]
    chance.shuffle(events)

    earned, _ = points(rule_set, events)

    assert earned == sum(evaluate_purchase(one.data, rule_set).points for one in receipts)


def test_voided_and_handed_over_again_it_earns_once_and_voids_of_everything_leave_nothing() -> None:
    rule_set = SETS[1]
    first, second = ahead(10, 4_000), ahead(11, 2_000)
    goods = [line(1, 10_050)]
    tenders = [Tender(kind="prepaid", amount_minor=6_000), Tender(kind="card", amount_minor=4_050)]
    one, other = (purchase(at, goods, owner=ANNA, tenders=tenders, prepaid=[first, second]) for at in (1, 2))
    sale: list[PurchaseEvent] = [first, second, one, void_of(one, 30), other]
    # 100.50 dollars: 100 points, 34 for thirds rounded up, and 7 for the receipt.
    assert points(rule_set, sale)[0] == 141
    assert points(rule_set, [other, void_of(one, 30), second, one, first])[0] == 141
    assert points(rule_set, [*sale, void_of(other, 31), void_of(first, 32), void_of(second, 33)])[0] == 0
    assert points(rule_set, [*sale, void_of(first, 32), void_of(second, 33), void_of(other, 31)])[0] == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_prepayment_that_comes_back_before_the_handover_is_no_part_of_it(order: tuple[int, ...]) -> None:
    rule_set = SETS[0]
    paid = ahead(10, 4_000)
    # The customer got the money back and paid all of it at the handover, which names the payment all the same.
    handover = purchase(2, [line(1, 10_000)], owner=ANNA, prepaid=[paid])
    events: list[PurchaseEvent] = [paid, return_of(paid, 30, {1: 1_000}), handover]

    assert points(rule_set, [events[at] for at in order])[0] == 100


def test_what_was_paid_ahead_without_saying_where_does_not_earn_twice() -> None:
    rule_set = SETS[0]
    tenders = [Tender(kind="prepaid", amount_minor=4_000), Tender(kind="card", amount_minor=6_000)]

    assert evaluate_purchase(purchase(2, [line(1, 10_000)], tenders=tenders).data, rule_set).points == 60


def test_keys_of_sides_never_change() -> None:
    paid = ahead(10, 4_000)
    handover = purchase(2, [line(1, 10_000)], prepaid=[paid])
    (named,) = prepaid_keys(handover.data)

    assert named == natural_key_of(paid.data.receipt_id)
    key = handover_key(natural_key_of(handover.data.receipt_id), named)
    assert key.startswith(b"grocer\x00~handover\x00")
    assert key.hex()[-48:] == "a6119c9e12eea893a4b5ee06ad0d6ea46c4134715831cbed"


def test_what_was_settled_of_a_payment_is_not_corrected_any_more() -> None:
    paid = ahead(10, 4_000).data
    said = paid.model_dump(exclude={"lines", "prepaid_receipt_ids"})
    said |= {"original_receipt_id": paid.receipt_id, "original_total_minor": paid.total_minor}
    more = line(1, 8_000, quantity_thousandths=2_000, settlement="prepayment")
    dearer = CorrectionData(**said, lines=(line(1, 5_000, settlement="prepayment"),))

    refusal = why_not_corrected(paid, CorrectionData(**said, lines=(more,)), {1: 1_000})
    assert refusal is not None
    assert refusal[0] == "prepayment_settled"
    assert why_not_corrected(paid, CorrectionData(**said, lines=(more,)), {}) is None
    assert why_not_corrected(paid, dearer, {1: 1_000}) is None
