"""Prepayments that earn when they are paid: whatever comes first, a sale earns once, and what is undone is undone."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count, permutations
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.accrual.api.preview_answers import preview_answer
from services.accrual.domain.rules import RuleSet
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.envelope import Event
from shared.events.points import PointsClawedBack, PointsExchanged
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, Tender
from shared.ledger import Balances, SpendLate
from tests.support.accrual import PROGRAMME, Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import publish
from tests.support.adjusting import Client
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.ledger_database import posted, verified
from tests.support.receipts import (
    NOON,
    RULES,
    changed_rules,
    correction_of,
    line,
    purchase,
    return_of,
    void_of,
)
from tests.support.registries import bearing

MONTH = {"kind": "calendar", "unit": "month", "zone": "store"}
RULE_SET = changed_rules(
    counted={"prepayments": "at_payment"},
    caps=[{"kind": "member", "points_max": 500, "window": MONTH}],
    rules=[
        *(rule.model_dump() for rule in RULES.rules),
        {
            "id": "visit",
            "name": "Seven a receipt, long after",
            "pending_days": 365,
            "effect": {"kind": "fixed_points", "points": 7},
        },
    ],
)
numbers = count(1)
# Everything that is left of a sale, but for the sides of those that came one after the other.
LEFT = """
    select 'award', encode(natural_key, 'hex'), points, taken_back from awards where owner_id = $1
    union all
    select 'part', encode(natural_key, 'hex') || number, award_parts.points, award_parts.taken_back
        from award_parts join awards using (natural_key) where owner_id = $1
    union all
    select 'counted', name || day, sum(amount), sum(receipts) from counted_days where member_id = $1 group by name, day
    union all
    select 'tier ' || day, '', points, spend_minor + visits from tier_days where member_id = $1
    union all
    select 'lot', encode(lot_key, 'hex'), remaining, reserved
        from ledger_lots join ledger_accounts using (account_id) where owner_id = $1 and remaining + reserved > 0
    order by 1, 2
"""


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET, zone=ZoneInfo("America/New_York")) as accrual:
        await publish(accrual)
        yield accrual


def ahead(owner: UUID, amount_minor: int, days: int = 3) -> PurchaseRecorded:
    lines = [line(1, amount_minor, settlement="prepayment")]
    return purchase(next(numbers), lines, owner=owner, occurred_at=NOON - timedelta(days=days))


def handed_over(owner: UUID, amount_minor: int, *prepaid: PurchaseRecorded) -> PurchaseRecorded:
    by = sum(one.data.total_minor for one in prepaid)
    tenders = [Tender(kind="prepaid", amount_minor=by), Tender(kind="card", amount_minor=amount_minor - by)]
    goods = [line(1, amount_minor, quantity_thousandths=2_000)]
    return purchase(next(numbers), goods, owner=owner, tenders=tenders, prepaid=prepaid)


async def settle(accrual: Accrual, *batches: Sequence[PurchaseEvent]) -> list[Event]:
    """Award batches, and what they let go, until nothing comes back."""
    told: list[Event] = []
    for batch in batches:
        await accrual.award(*batch)
        while released := await accrual.released():
            await accrual.award(*released)
        told += await accrual.drain()
    return told


async def left(accrual: Accrual, owner: UUID) -> list[tuple[object, ...]]:
    async with accrual.database.transaction() as transaction:
        return [tuple(row) for row in await transaction.raw.fetch(LEFT, owner)]


async def test_a_payment_earns_when_it_is_paid_and_the_handover_the_rest(
    client: Client, module_accrual: Accrual, anna: UUID, module_database: FreshDatabase
) -> None:
    paid = ahead(anna, 4_050)
    await settle(module_accrual, [paid])
    assert await module_accrual.balance(anna) == Balances(available=40, pending=7)
    await posted(module_accrual.database, SpendLate(anna, "points", b"spent", 35, "fuel"))

    handover = handed_over(anna, 10_080, paid)
    told = await settle(module_accrual, [handover])

    # 100.80 dollars are 100 points and a visit, less the 35: what is owed for a moment is paid at once.
    assert await module_accrual.balance(anna) == Balances(available=65, pending=7)
    (taken, waited) = [one.data for one in told if isinstance(one, PointsClawedBack)]
    assert {(one.points, one.cause) for one in (taken, waited)} == {(40, "handover"), (7, "handover")}
    assert (taken.receipt_id, taken.original_receipt_id) == (handover.data.receipt_id, paid.data.receipt_id)
    shown = await client.get(f"/v1/receipts/{paid.data.receipt_id}", headers=bearing("receipts:read"))
    assert shown.json()["trace_in_words"][-1] == (
        "Its goods were handed over later: their receipt earns what they give, and 47 points went back."
    )
    before = await left(module_accrual, anna)
    assert (await module_accrual.award(paid, handover)).duplicates == 2
    assert await left(module_accrual, anna) == before

    await settle(module_accrual, [return_of(handover, next(numbers), {1: 1_000})])  # 50.40 are kept
    assert await module_accrual.balance(anna) == Balances(available=15, pending=7)
    report = await module_accrual.award(return_of(paid, next(numbers), {1: 1_000}))  # not the money, but its goods
    assert report.refused == {"returned_more_than_bought": 1}
    await settle(module_accrual, [void_of(handover, next(numbers))])
    # Nothing was handed over: 40 and 7 for the payment, less the 35.
    assert await module_accrual.balance(anna) == Balances(available=5, pending=7)
    await settle(module_accrual, [void_of(paid, next(numbers))])
    assert await module_accrual.balance(anna) == Balances(debt=35)
    assert (await verified(module_database)).findings == ()


async def test_in_any_order_and_however_it_is_cut_the_same_is_left(module_accrual: Accrual) -> None:
    found: list[tuple[Balances, list[tuple[object, ...]]]] = []
    for order in permutations(range(3)):
        for is_one_batch in (False, True):
            owner = await joined(module_accrual)
            first, second = ahead(owner, 4_000), ahead(owner, 2_000, days=40)
            sale = [first, second, handed_over(owner, 10_080, first, second)]
            events = [sale[at] for at in order]
            await settle(module_accrual, *([events] if is_one_batch else [[one] for one in events]))
            rows = [(kind, *rest) for kind, _, *rest in await left(module_accrual, owner)]
            found.append((await module_accrual.balance(owner), sorted(rows, key=str)))

    assert found[0][0] == Balances(available=100, pending=7)
    assert [one for one in found if one != found[0]] == []
    # The spend and the visit are the handover's, on its day.
    assert ("tier 2026-11-01", 107, 10_080 + 1) in found[0][1]


async def test_a_void_at_any_time_leaves_what_was_paid(module_accrual: Accrual) -> None:
    for order in permutations(range(3)):
        for is_one_batch in (False, True):
            owner = await joined(module_accrual)
            paid = ahead(owner, 4_000)
            handover = handed_over(owner, 10_000, paid)
            sale: list[PurchaseEvent] = [paid, handover, void_of(handover, next(numbers))]
            events = [sale[at] for at in order]
            told = await settle(module_accrual, *([events] if is_one_batch else [[one] for one in events]))
            assert await module_accrual.balance(owner) == Balances(available=40, pending=7), (order, is_one_batch)
            again = handed_over(owner, 10_000, paid)
            told += await settle(
                module_accrual, [again], [void_of(again, next(numbers))], [handed_over(owner, 10_000, paid)]
            )
            assert await module_accrual.balance(owner) == Balances(available=100, pending=7)
            given = [given for one in told if isinstance(one, PointsExchanged) for given in one.data.given]
            assert {one.receipt_id for one in given} == {paid.data.receipt_id}


@pytest.mark.parametrize(("policy", "days"), [("clip", 1), ("refuse", 2)])
async def test_whatever_rules_say_of_returns_what_was_spent_of_a_payment_is_owed_for_a_moment_and_the_sale_pays_it(
    module_accrual: Accrual, policy: str, days: int
) -> None:
    since = NOON + timedelta(days=days)
    changes = {"version": 1 + days, "effective_from": since, "returns": {"claw_back": policy}}
    await module_accrual.publish(RuleSet.model_validate(RULE_SET.model_dump() | changes))
    owner = await joined(module_accrual)
    lines = [line(1, 4_000, settlement="prepayment")]
    paid = purchase(next(numbers), lines, owner=owner, occurred_at=since)
    await settle(module_accrual, [paid])
    await posted(module_accrual.database, SpendLate(owner, "points", b"spent", 35, "fuel"))

    report = await module_accrual.award(handed_over(owner, 10_000, paid))

    assert report.refused == {}
    assert await module_accrual.balance(owner) == Balances(available=100 - 35, pending=7)


async def test_a_preview_of_a_void_says_what_those_paid_ahead_have_again(
    client: Client, module_accrual: Accrual
) -> None:
    """What they have again covers what is taken: of a hundred points ninety are spent, and forty were paid ahead."""
    owner = await joined(module_accrual)
    paid = ahead(owner, 4_000)
    handover = handed_over(owner, 10_000, paid)
    await settle(module_accrual, [paid], [handover])
    await posted(module_accrual.database, SpendLate(owner, "points", b"spent", 90, "fuel"))
    void = void_of(handover, next(numbers))

    told = preview_answer(await module_accrual.previewed(void), PROGRAMME)
    await settle(module_accrual, [void])

    shown = await client.get(f"/v1/receipts/{void.data.receipt_id}", headers=bearing("receipts:read"))
    assert told.returned is not None
    assert (told.returned.points, told.returned.became_debt, told.returned.given_back) == (107, 50, 47)
    said = told.returned.model_dump(exclude_none=True, exclude={"policy"})
    assert said == {key: value for key, value in shown.json()["returned"].items() if key != "member_id"}
    assert told.trace_in_words == shown.json()["trace_in_words"]
    assert "in which its goods were paid ahead, 47 points, was given again." in str(told.trace_in_words)
    assert await module_accrual.balance(owner) == Balances(debt=50, pending=7)


async def test_of_two_that_hand_over_what_was_paid_the_one_that_stands_has_it(module_accrual: Accrual) -> None:
    owner = await joined(module_accrual)
    paid = ahead(owner, 4_000)
    one, other = handed_over(owner, 5_000, paid), handed_over(owner, 6_000, paid)

    await settle(module_accrual, [paid], [one], [other])
    assert await module_accrual.balance(owner) == Balances(available=110, pending=14)
    await settle(module_accrual, [void_of(one, next(numbers))])
    assert await module_accrual.balance(owner) == Balances(available=60, pending=7)
    await settle(module_accrual, [void_of(other, next(numbers))])
    assert await module_accrual.balance(owner) == Balances(available=40, pending=7)


async def test_of_a_payment_whose_goods_were_handed_over_no_correction_makes_more(module_accrual: Accrual) -> None:
    """Its till had not said that it was a payment for goods to come: the handover found nothing to take."""
    owner = await joined(module_accrual)
    silent = purchase(next(numbers), [line(1, 4_000)], owner=owner)
    handover = handed_over(owner, 10_000, silent)
    told = [line(1, 4_000, settlement="prepayment")]

    await settle(module_accrual, [silent], [handover])
    both = await module_accrual.balance(owner)
    report = await module_accrual.award(correction_of(silent, next(numbers), told, minutes_later=1))
    assert report.refused == {"prepayment_settled": 1}
    assert await module_accrual.balance(owner) == both
    await settle(module_accrual, [void_of(handover, next(numbers))])
    assert (await module_accrual.award(correction_of(silent, next(numbers), told, minutes_later=2))).corrected == 1
    await settle(module_accrual, [handed_over(owner, 10_000, silent)])
    assert await module_accrual.balance(owner) == Balances(available=100, pending=7)


async def test_a_handover_that_was_none_is_voided_and_not_corrected(module_accrual: Accrual) -> None:
    """What it took of the payment would stay with nobody: goods that come later earn, and until then the payment."""
    owner = await joined(module_accrual)
    paid = ahead(owner, 4_000)
    handover = handed_over(owner, 10_000, paid)
    await settle(module_accrual, [paid], [handover])

    for settlement in ("prepayment", "advance"):
        lines = [line(1, 10_000, quantity_thousandths=2_000, settlement=settlement)]
        report = await module_accrual.award(correction_of(handover, next(numbers), lines))
        assert report.refused == {"handover_stands": 1}
    assert await module_accrual.balance(owner) == Balances(available=100, pending=7)
    await settle(module_accrual, [correction_of(handover, next(numbers), 8_000, minutes_later=2)])
    assert await module_accrual.balance(owner) == Balances(available=80, pending=7)
    await settle(module_accrual, [void_of(handover, next(numbers))])
    assert await module_accrual.balance(owner) == Balances(available=40, pending=7)


@pytest.mark.parametrize("is_void_first", [True, False])
async def test_a_payment_that_is_decided_while_its_handover_is_voided(
    module_accrual: Accrual, *, is_void_first: bool
) -> None:
    owner = await joined(module_accrual)
    paid = ahead(owner, 4_000)
    handover = handed_over(owner, 10_000, paid)
    await settle(module_accrual, [handover])
    events: list[PurchaseEvent] = [void_of(handover, next(numbers)), paid]

    await race(module_accrual, *(events if is_void_first else reversed(events)))

    assert await module_accrual.balance(owner) == Balances(available=40, pending=7)


@pytest.mark.parametrize("is_payment_first", [True, False])
async def test_a_payment_and_its_handover_at_once(module_accrual: Accrual, *, is_payment_first: bool) -> None:
    owner = await joined(module_accrual)
    paid = ahead(owner, 4_000)
    events: list[PurchaseEvent] = [paid, handed_over(owner, 10_000, paid)]

    await race(module_accrual, *(events if is_payment_first else reversed(events)))

    assert await module_accrual.balance(owner) == Balances(available=100, pending=7)


async def test_a_second_handover_while_the_first_is_voided(module_accrual: Accrual) -> None:
    owner = await joined(module_accrual)
    paid = ahead(owner, 4_000)
    one, other = handed_over(owner, 5_000, paid), handed_over(owner, 6_000, paid)
    await settle(module_accrual, [paid, one])

    await race(module_accrual, other, void_of(one, next(numbers)))

    assert await module_accrual.balance(owner) == Balances(available=60, pending=7)


async def race(accrual: Accrual, first: PurchaseEvent, second: PurchaseEvent) -> None:
    """Both at once, the second as often as it must begin again."""

    async def award(event: PurchaseEvent, transaction: Transaction) -> None:
        await accrual.award_in(transaction, [event])

    with suppress(StartAgainError):
        await interleave(accrual.database, partial(award, first), partial(award, second))
    await settle(accrual, [first, second])


async def test_who_paid_without_a_card_earned_nothing_until_that_is_claimed(module_accrual: Accrual) -> None:
    owner = await joined(module_accrual)
    paid = ahead(owner, 4_000)
    without = paid.model_copy(update={"data": paid.data.model_copy(update={"member_id": None})})
    handover = handed_over(owner, 10_000, paid)

    await settle(module_accrual, [without], [handover])
    assert await module_accrual.balance(owner) == Balances(available=100, pending=7)
    await settle(module_accrual, [paid])
    assert await module_accrual.balance(owner) == Balances(available=100, pending=7)
