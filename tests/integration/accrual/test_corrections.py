"""A correction says what a receipt should have said: its award changes by the difference, as if it had come so."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from itertools import permutations
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds
from shared.database import Transaction
from shared.events.points import PointsClawedBack, PointsEarned
from shared.events.purchases import PurchaseEvent
from shared.ledger import Balances, Reserve
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import kept_rows, publish
from tests.support.adjusting import Client
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances, hold, hold_decision, release
from tests.support.interleaving import Work, interleave
from tests.support.ledger_database import posted, verified
from tests.support.member_data import read_all
from tests.support.member_events import status_changed
from tests.support.receipt_moves import RULE_SET, bought, counted, move, numbers
from tests.support.receipts import NOON, correction_of, line, merged_into, purchase, return_of, void_of
from tests.support.registries import bearing


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET, zone=ZoneInfo("America/New_York")) as accrual:
        await publish(accrual)
        yield accrual


async def tier_day(accrual: Accrual, owner: UUID) -> list[int]:
    rows = [row for row in await kept_rows(accrual, "tier_days") if row["member_id"] == owner]
    return [sum(row[what] for row in rows) for what in ("points", "spend_minor", "visits")]


def award(accrual: Accrual, event: PurchaseEvent) -> Work:
    async def work(transaction: Transaction) -> None:
        await accrual.award_in(transaction, [event])

    return work


async def test_the_difference_alone_is_taken_or_given_and_told_and_both_stands_are_shown(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    await module_accrual.drain()
    less, more = (correction_of(receipt, next(numbers), cents, minutes_later=at) for at, cents in ((1, 700), (2, 1500)))

    report = await module_accrual.award(less)

    assert (report.corrected, report.clawed_back, report.awarded) == (1, 0, 0)
    assert await module_accrual.balance(anna) == Balances(available=7)
    (event,) = await module_accrual.drain()
    assert isinstance(event, PointsClawedBack)
    assert (event.data.points, event.data.cause, event.data.became_debt) == (3, "correction", 0)
    assert (event.data.receipt_id, event.data.original_receipt_id) == (less.data.receipt_id, receipt.data.receipt_id)
    assert event.data.occurred_at == NOON

    await module_accrual.award(more)

    assert await module_accrual.balance(anna) == Balances(available=15)
    (event,) = await module_accrual.drain()
    assert isinstance(event, PointsEarned)
    assert (event.data.points, event.data.occurred_at, event.data.part) == (8, NOON, None)
    assert (event.data.receipt_id, event.data.original_receipt_id) == (more.data.receipt_id, receipt.data.receipt_id)
    assert [(rule.rule_id, rule.points) for rule in event.data.by_rule] == [("dollar", 8)]

    story = (await client.get(f"/v1/receipts/{receipt.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (story["award"]["points"], story["award"]["taken_back"]) == (15, 0)
    assert story["award"]["corrected_by"] == more.data.receipt_id
    stands = [
        (one["before"]["total_minor"], one["after"]["points"], one["points_moved"]) for one in story["corrections"]
    ]
    assert stands == [(1000, 7, -3), (700, 15, 8)]
    assert story["trace_in_words"][-2:] == [
        "The receipt was corrected: it had earned 10 points, and earns 7. 3 were taken back.",
        "The receipt was corrected: it had earned 7 points, and earns 15. 8 points more were given.",
    ]
    own = (await client.get(f"/v1/receipts/{more.data.receipt_id}", headers=bearing("receipts:read"))).json()
    assert (own["status"], own["correction"], "award" in own) == ("awarded", story["corrections"][1], False)

    # The whole topic again, and the older one after the newer: nothing changes.
    again = [await module_accrual.award(each) for each in (receipt, less, more, less)]
    assert [each.duplicates for each in again] == [1, 1, 1, 1]
    other = more.model_copy(update={"data": more.data.model_copy(update={"content_hash": "f" * 64})})
    assert (await module_accrual.award(other)).conflicts == 1
    assert await module_accrual.balance(anna) == Balances(available=15)


async def test_windows_caps_budgets_and_tier_days_change_by_it_and_no_visit_is_added(
    module_accrual: Accrual, anna: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10, "AUTUMN")
    before = await counted(module_accrual, anna)

    await module_accrual.award(correction_of(receipt, next(numbers), 1300))

    days = {key: (amount, receipts) for key, (amount, receipts) in (await counted(module_accrual, anna)).items()}
    assert {name for (name, _) in days} == {name for (name, _) in before}
    for key, (amount, receipts) in before.items():
        by = 300 if key[0].startswith("bought/") else 3
        assert days[key] == (amount + by, receipts), key
    assert await tier_day(module_accrual, anna) == [53, 1300, 1]

    # Without the coupon the budget has its 40 points again; who was there before it is no second visit.
    await module_accrual.award(correction_of(receipt, next(numbers), 100, coupons=("SECOND",), minutes_later=2))

    assert await module_accrual.balance(anna) == Balances(available=1)
    budget = [row for row in await kept_rows(module_accrual, "campaign_budgets") if row["campaign_id"] == "autumn"]
    assert [(row["points_used"], row["receipts_used"]) for row in budget] == [(0, 0)]
    assert await tier_day(module_accrual, anna) == [1, 100, 1]
    (last,) = [row for row in (await counted(module_accrual, anna)).items() if row[0][0] == "bought/store"]
    assert last[1] == (100, 1)


async def test_it_earns_no_more_than_its_budget_and_its_cap_have_left_and_keeps_what_it_had(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    bert = await joined(module_accrual)
    receipt, big = await bought(module_accrual, anna, 10), await bought(module_accrual, anna, 19_985)
    await bought(module_accrual, bert, 1, "AUTUMN")
    assert await module_accrual.balance(anna) == Balances(available=19_995)

    # Twenty of the day's 20,000 points would be more than are left; of the budget 30 of 40 are.
    await module_accrual.award(correction_of(receipt, next(numbers), 3000, coupons=("AUTUMN",)))
    assert await module_accrual.balance(anna) == Balances(available=20_000 + 30)
    await module_accrual.award(correction_of(receipt, next(numbers), 3000, coupons=("AUTUMN",), minutes_later=2))
    assert await module_accrual.balance(anna) == Balances(available=20_000 + 30)
    story = await client.get(f"/v1/receipts/{receipt.data.receipt_id}", headers=bearing("receipts:read"))
    assert (story.status_code, story.json()["award"]["points"]) == (200, 15 + 30), story.text
    await module_accrual.award(void_of(big, next(numbers)))
    await module_accrual.award(void_of(receipt, next(numbers)))
    assert await module_accrual.balance(anna) == Balances()
    await module_accrual.award(correction_of(big, next(numbers), 100))
    budget = [row for row in await kept_rows(module_accrual, "campaign_budgets") if row["campaign_id"] == "autumn"]
    assert [(row["points_used"], row["receipts_used"]) for row in budget] == [(40, 1)]


async def test_one_that_comes_first_waits_and_in_one_batch_too(module_accrual: Accrual, anna: UUID) -> None:
    receipt = purchase(next(numbers), 1000, owner=anna)
    early, second = correction_of(receipt, next(numbers), 400), correction_of(receipt, next(numbers), 600)
    later = second.model_copy(
        update={"data": second.data.model_copy(update={"occurred_at": NOON + timedelta(minutes=9)})}
    )

    reports = await module_accrual.award_in_runs(early, receipt, later)

    assert [report.parked for report in reports] == [{"purchase_not_decided_yet": 1}, {}, {}]
    assert (reports[1].released, reports[2].corrected) == (1, 1)
    assert await module_accrual.balance(anna) == Balances(available=6)
    reports = await module_accrual.award_in_runs(*await module_accrual.released())
    assert [report.refused for report in reports] == [{"corrected_later": 1}]
    assert await module_accrual.balance(anna) == Balances(available=6)


async def test_in_every_order_and_again_the_last_one_stands(module_accrual: Accrual, anna: UUID) -> None:
    for order in permutations(range(4)):
        receipt = purchase(next(numbers), [line(1, 1000), line(2, 500)], owner=anna)
        first, last = (
            correction_of(receipt, next(numbers), [line(1, cents), line(2, 300)], minutes_later=at)
            for at, cents in ((1, 2000), (2, 800))
        )
        documents = (receipt, first, last, return_of(receipt, next(numbers), {1: 500}))
        for number in (*order, *order):
            await module_accrual.award(documents[number])
        for released in await module_accrual.released():
            await module_accrual.award(released)
        # Half of 8.00, and 3.00, are kept.
        assert (await module_accrual.balance(anna)).available == 7, order
        other = void_of(receipt, next(numbers), total_minor=1100)  # it repeats what the receipt came to at first
        assert (await module_accrual.award(other)).refused == {"other_total": 1}
        await module_accrual.award(void_of(receipt, next(numbers)))
        assert await module_accrual.balance(anna) == Balances(), order


async def test_what_is_gone_is_owed_and_what_comes_back_later_is_of_the_corrected_lines(
    module_accrual: Accrual, anna: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    await posted(module_accrual.database, Reserve(anna, "points", b"r", 8, uuid4()))

    await module_accrual.award(correction_of(receipt, next(numbers), 400))

    assert await module_accrual.balance(anna) == Balances(held=8, debt=4)
    await module_accrual.award(correction_of(receipt, next(numbers), 1000, minutes_later=2))
    assert await module_accrual.balance(anna) == Balances(available=2, held=8)
    more = correction_of(receipt, next(numbers), [line(1, 1000, quantity_thousandths=3000)], minutes_later=3)
    await module_accrual.award(more)
    back = return_of(receipt, next(numbers), {1: 2400})  # more than were sold at first
    assert (await module_accrual.award(back)).clawed_back == 1
    assert await module_accrual.balance(anna) == Balances(held=8, debt=6)
    less = correction_of(receipt, next(numbers), [line(1, 1000, quantity_thousandths=2000)], minutes_later=4)
    assert (await module_accrual.award(less)).refused == {"less_than_returned": 1}


async def test_of_who_was_merged_the_survivor_gets_more_or_loses_it(module_accrual: Accrual, anna: UUID) -> None:
    anne = await joined(module_accrual)
    receipt = await bought(module_accrual, anne, 10)
    await module_accrual.members(status_changed(anne, "merged"), merged_into(anna, anne))

    await module_accrual.award(correction_of(receipt, next(numbers), 1300, owner=anne))
    await module_accrual.award(correction_of(receipt, next(numbers), 400, minutes_later=2))

    assert await module_accrual.balance(anna) == Balances(available=4)


async def test_what_fraud_holds_gets_more_set_aside_and_less_is_taken_of_it(
    module_accrual: Accrual, anna: UUID
) -> None:
    receipt, parts = await bought(module_accrual, anna, 10), await bought(module_accrual, anna, 10, "STATUS")
    for each in (receipt, parts):
        await hold(module_accrual, each)
        await module_accrual.award(correction_of(each, next(numbers), 1400))
    assert await module_accrual.balance(anna) == Balances(pending=28)
    assert await balances(module_accrual, anna, "status") == Balances(pending=28)
    for each in (receipt, parts):
        await module_accrual.award(correction_of(each, next(numbers), 500, minutes_later=2))
    assert await module_accrual.balance(anna) == Balances(pending=10)
    for each in (receipt, parts):
        await release(module_accrual, each)
    assert await module_accrual.balance(anna) == Balances(available=10)
    assert await balances(module_accrual, anna, "status") == Balances(available=10)


@pytest.mark.parametrize("is_hold_first", [True, False])
async def test_fraud_in_flight_meets_it_in_the_receipts_claim(
    module_accrual: Accrual, anna: UUID, is_hold_first: bool
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    holding = partial(apply_fraud_holds, decisions=[hold_decision(receipt)])
    correcting = award(module_accrual, correction_of(receipt, next(numbers), 1400))

    await interleave(module_accrual.database, *((holding, correcting) if is_hold_first else (correcting, holding)))

    assert await module_accrual.balance(anna) == Balances(pending=14)


@pytest.mark.parametrize("is_return_first", [True, False])
async def test_a_return_in_flight_meets_it_too(module_accrual: Accrual, anna: UUID, is_return_first: bool) -> None:
    receipt = await bought(module_accrual, anna, 10)
    returning = award(module_accrual, return_of(receipt, next(numbers), {1: 500}))
    correcting = award(module_accrual, correction_of(receipt, next(numbers), 1400))

    pair = (returning, correcting) if is_return_first else (correcting, returning)
    await interleave(module_accrual.database, *pair)

    assert await module_accrual.balance(anna) == Balances(available=7)


async def test_a_corrected_receipt_is_moved_exported_and_told_as_it_stands(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    bert = await joined(module_accrual)
    receipt = await bought(module_accrual, anna, 0)
    fix = correction_of(receipt, next(numbers), 1200, owner=anna)
    await module_accrual.award(fix)
    award_of_anna, correction = [
        each for each in await read_all(client, anna) if each["kind"] in ("award", "correction")
    ]
    assert (award_of_anna["points"], award_of_anna["document"]["total_minor"]) == (12, 0)
    assert correction["correction"]["receipt_id"] == fix.data.receipt_id
    assert correction["document"]["lines"][0]["amount_minor"] == 1200

    nothing = await bought(module_accrual, anna, 10)
    await module_accrual.award(correction_of(nothing, next(numbers), 0))
    kinds = [(each["kind"], each.get("points")) for each in await read_all(client, anna)]
    assert sorted(each for each in kinds if each[0] == "award") == [("award", 0), ("award", 12)]

    assert (await move(client, receipt, anna, bert)).json()["given_points"] == 12
    assert await module_accrual.balance(bert) == Balances(available=12)
    # With the card that was shown at the till it is corrected still, and whoever has it now gets less.
    await module_accrual.award(correction_of(receipt, next(numbers), 700, owner=anna, minutes_later=2))
    assert [await module_accrual.balance(each) for each in (anna, bert)] == [Balances(), Balances(available=7)]
    assert [each["kind"] for each in await read_all(client, bert)].count("correction") == 2
    assert [each["kind"] for each in await read_all(client, anna)].count("correction") == 1
    story = await client.get(f"/v1/receipts/{receipt.data.receipt_id}", headers=bearing("receipts:read"))
    assert (story.json()["award"]["points"], story.json()["award"]["member_id"]) == (7, str(bert))


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
