"""A member who was merged away: the survivor spends what both had, and what was reserved under the old id is taken."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from services.redemption.domain.holding import HoldRequest
from services.redemption.use_cases.hold_points import Held, Spender, hold_points
from services.redemption.use_cases.project import project_members
from shared import ledger
from shared.database import Database, Transaction
from shared.database.errors import StartAgainError
from shared.database.roles import role_name
from shared.events.members import MemberEvent
from shared.events.redemptions import RedemptionRefunded
from shared.ids import new_id
from shared.ledger import Balances
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.receipts import card, member, merged_into
from tests.support.redemption import PROGRAMME, Spending, earn, enrolled, linked, paid_with_points, tender_of, void_of
from tests.support.registries import bearing

ANNA, ANNE, CARLA = member(1), member(2), member(3)
MERGE = merged_into(ANNA, ANNE)


@pytest.fixture
async def accrual(own_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(own_database.url(role_name("accrual")))
    yield database
    await database.close()


async def merge(accrual: Database, spending: Spending) -> None:
    """As accrual and redemption do, each in its own time."""
    await accrual.run(lambda transaction: ledger.merge(transaction, ANNE, ANNA))
    await spending.members(MERGE)


async def test_what_was_reserved_before_the_merge_is_captured_voided_and_settled_after_it(
    spending: Spending, accrual: Database
) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(ANNE, 1000)
    captured, voided, tendered = [(await spending.held(ANNE, points)).redemption_id for points in (200, 300, 50)]

    await merge(accrual, spending)

    assert await spending.balance(ANNE) == await spending.balance(ANNA) == Balances(available=550, held=550)
    assert (await spending.capture(captured, 1, 150)).capture.points == 150
    assert (await spending.void(voided)).points == 300
    await spending.settle(tender_of(paid_with_points(2, 60, tendered, owner=ANNE)))  # 10 of them late
    assert await spending.balance(ANNA) == Balances(available=890)


async def test_what_a_receipt_took_before_the_merge_is_given_back_to_the_survivor(
    spending: Spending, accrual: Database
) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(ANNE, 1000)
    redemption_id = (await spending.held(ANNE, 200)).redemption_id
    paid = tender_of(paid_with_points(1, 260, redemption_id, owner=ANNE))  # 60 of them late
    await spending.settle(paid)
    await merge(accrual, spending)
    await spending.drain()

    assert await spending.void_receipts(void_of(paid.receipt_key)) == 260

    assert await spending.balance(ANNE) == await spending.balance(ANNA) == Balances(available=1100)
    [told] = await spending.drain()
    assert isinstance(told, RedemptionRefunded)
    assert told.data.balance.available == 1100


async def test_the_old_card_and_the_old_id_spend_what_both_have(spending: Spending, accrual: Database) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(ANNE, 1000)
    await spending.members(linked(ANNE, card(2)))
    again = new_id()
    first = await spending.hold(ANNE, 10, redemption_id=again)

    await merge(accrual, spending)

    by_card = await spending.hold(None, 600, identifier_hash=card(2))
    by_id = await spending.hold(ANNE, 400)
    same = await spending.hold(ANNE, 10, redemption_id=again)  # sent again: it is the same hold
    for outcome in (by_card, by_id, same):
        assert isinstance(outcome, Held)
        assert outcome.redemption.member_id == ANNA
    assert isinstance(first, Held)
    assert await spending.balance(ANNA) == Balances(available=90, held=1010)


async def test_a_replay_and_an_old_version_change_nothing(spending: Spending) -> None:
    history: list[MemberEvent] = [*(enrolled(one, "active", 1) for one in (ANNA, ANNE, CARLA)), MERGE]
    for _ in range(2):
        await spending.members(*history)
    await spending.members(merged_into(CARLA, ANNA, version=3))
    await spending.members(*history)

    async def look(transaction: Transaction) -> set[tuple[object, ...]]:
        rows = await transaction.raw.fetch("select member_id, status, version, merged_into from redemption_members")
        return {tuple(row) for row in rows}

    assert await spending.do(look) == {
        (ANNA, "merged", 3, CARLA),
        (ANNE, "merged", 2, CARLA),
        (CARLA, "active", 1, None),
    }


async def test_a_hold_that_waits_for_the_merge_starts_again(spending: Spending, as_service: Database) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(ANNE)

    async def hold(transaction: Transaction) -> None:
        request = HoldRequest("grocer", 50, transaction.now + timedelta(seconds=900))
        with pytest.raises(StartAgainError):
            await hold_points(transaction, Spender(ANNE), request, PROGRAMME)

    await interleave(as_service, lambda merging: project_members(merging, [MERGE]), hold)
    outcome = await spending.hold(ANNE, 50)
    assert isinstance(outcome, Held)
    assert outcome.redemption.member_id == ANNA


async def test_balance_and_statement_of_the_old_id_are_the_survivors(
    client: httpx2.AsyncClient, spending: Spending, accrual: Database
) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(ANNE, 1000)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 100)]))
    await merge(accrual, spending)

    answers = [await client.get(f"/v1/members/{one}/balance", headers=bearing()) for one in (ANNA, ANNE)]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["member_id"] == str(ANNA)
    pages = [await client.get(f"/v1/members/{one}/statement", headers=bearing()) for one in (ANNA, ANNE)]
    assert pages[0].json() == pages[1].json()
    lines = pages[0].json()["items"]
    assert [(line["points"], line["moved_points"], line["available_after"]) for line in lines] == [
        (0, 1000, 1100),
        (100, 100, 1100),
        (1000, 1000, 1000),
    ]
