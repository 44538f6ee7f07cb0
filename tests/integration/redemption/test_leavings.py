"""Who leaves a household with which their points stay: what they had goes to the heir once, whatever comes when."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.redemption.consumer import MemberHandler
from services.redemption.use_cases.hold_points import Held, Spender
from services.redemption.use_cases.project import take_in_members
from services.redemption.use_cases.settle_leavings import LEAVINGS_PER_BATCH_MAX
from shared import ledger
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.events.balances import Balance, IssuerPoints
from shared.events.catalogue import MEMBERS
from shared.events.members import MemberEvent
from shared.events.redemptions import GiftData, PointsGifted
from shared.kafka import PermanentError
from shared.ledger import Balances, ClawBack, Earn, Limits, Suspend
from shared.point_types import ONE_TYPE
from tests.support.databases import FreshDatabase
from tests.support.enrolling import enrol_somebody
from tests.support.fraud_service import batch_of
from tests.support.households import accept, found, households_client, invite, leave, told
from tests.support.interleaving import interleave
from tests.support.member_events import changed, erased, status_changed
from tests.support.pooling import HOME, Place, belongs, household, left_just_now, move_in, pooled
from tests.support.receipts import member, merged_into
from tests.support.redemption import Admin, Spending, earn, hold_in, until_blocked
from tests.support.registries import bearing

ANNA, BERT, CARA, DORA = (member(number) for number in range(1, 5))
PEOPLE = (ANNA, BERT, CARA)
AT_ONCE = 6
OUTCOMES = "select outcome, points from redemption_household_leavings order by household_id, version"


@pytest.fixture
async def accrual(own_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(own_database.url(role_name("accrual")))
    yield database
    await database.close()


async def live_together(spending: Spending, *points: int) -> None:
    for member_id, own in zip(PEOPLE, points, strict=True):
        await spending.enrol(member_id, own)
    await move_in(spending, 1, *map(Place, PEOPLE))
    await spending.drain()


async def available(spending: Spending) -> list[int]:
    return [(await spending.balance(member_id)).available for member_id in PEOPLE]


async def outcomes(spending: Spending) -> list[tuple[str, int]]:
    async with spending.database.transaction() as transaction:
        return [tuple(row) for row in await transaction.raw.fetch(OUTCOMES)]


async def fund(spending: Spending, member_id: UUID, points: int) -> None:
    await spending.do(lambda transaction: ledger.post(transaction, [earn(member_id, points)]))


async def statement(client: httpx2.AsyncClient, member_id: UUID) -> list[dict[str, Any]]:
    answer = await client.get(f"/v1/members/{member_id}/statement", headers=bearing("balances:read"))
    lines: list[dict[str, Any]] = answer.json()["items"]
    return lines


async def test_what_is_available_stays_and_what_is_held_or_pending_goes_along(
    spending: Spending, client: httpx2.AsyncClient
) -> None:
    await live_together(spending, 0, 300, 0)
    owed = ClawBack(ANNA, "points", b"return", 40, earn(ANNA, 1).terms, b"award")
    set_aside = Suspend(BERT, "points", b"check", 20, earn(BERT, 1).terms, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [owed, set_aside]))
    redemption_id = (await pooled(spending, ANNA, 50)).redemption_id
    await spending.drain()

    await spending.members(await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA), belongs(BERT, 200, None))

    [event] = await spending.drain()
    assert isinstance(event, PointsGifted)
    assert event.data == GiftData(
        gift_id=event.data.gift_id,
        member_id=BERT,
        receiver_id=ANNA,
        point_type="points",
        points=230,
        reason="household_left",
        household_id=HOME,
        debt_cleared=40,
        by_issuer=(IssuerPoints(issuer="grocer", points=230),),
        balance=Balance(available=0, held=50, pending=20, debt=0),
        receiver_balance=Balance(available=190, held=0, pending=0, debt=0),
    )
    [left, *_] = await statement(client, BERT)
    assert (left["kind"], left["points"], left["available_after"]) == ("leave", -230, 0)
    assert left["text"] == "230 points stayed with the household that was left"
    [_, received, *_] = await statement(client, ANNA)
    assert (received["kind"], received["points"], received["available_after"]) == ("leave", 230, 230)
    assert received["text"] == "230 points of a member who left the household stayed with it"

    await spending.void(redemption_id)  # was promised to a till: what is not needed is the leaver's
    bread_back = ClawBack(BERT, "points", b"bread", 90, earn(BERT, 1).terms, b"bread")
    await spending.do(lambda transaction: ledger.post(transaction, [bread_back]))
    assert await spending.balance(BERT) == Balances(pending=20, debt=40)  # the leaver's purchase, and debt
    assert await spending.balance(ANNA) == Balances(available=190)


async def test_any_order_of_the_two_events_and_any_replay_gives_once(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    for turn, order in enumerate(permutations(range(3)), 1):
        version = 10 * turn
        anna, bert, cara = await available(spending)
        left = await left_just_now(spending, version, BERT, ANNA, ANNA, CARA, member_version=200 + version)
        gone, next_one = belongs(BERT, 200 + version, None), household(version + 1, Place(ANNA), Place(CARA))
        events: Sequence[MemberEvent] = (left, gone, next_one)
        for index in order:
            await spending.members(events[index])
        await spending.members(*events, *events)
        await fund(spending, BERT, turn)
        for event in events:
            await spending.members(event)

        assert await available(spending) == [anna + bert, turn, cara]
        assert (await outcomes(spending))[-1] == ("given", bert)
        assert len(await spending.drain()) == 1


async def test_a_crash_before_the_commit_gives_nothing_and_one_after_it_nothing_more(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)

    async def lost_before_the_commit(transaction: Transaction) -> None:
        assert [outcome for _, outcome in await take_in_members(transaction, [left], ["points"])] == ["given"]
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        await spending.do(lost_before_the_commit)
    assert (await available(spending), await outcomes(spending), await spending.drain()) == ([100, 300, 500], [], [])

    handler = MemberHandler(spending.database, ONE_TYPE)
    for _ in range(2):  # the offset was not committed
        await handler.handle(batch_of([left], MEMBERS.topic))

    assert await available(spending) == [400, 0, 500]
    assert len(await spending.drain()) == 1


async def test_a_batch_that_tells_of_more_leavings_than_one_transaction_settles_is_halved(spending: Spending) -> None:
    await spending.enrol(ANNA)
    people = [member(100 + number) for number in range(LEAVINGS_PER_BATCH_MAX + 1)]
    await spending.do(lambda transaction: ledger.post(transaction, [earn(one, 10) for one in people]))
    events = [await left_just_now(spending, version, one, ANNA, ANNA) for version, one in enumerate(people, 2)]
    handler = MemberHandler(spending.database, ONE_TYPE)
    with pytest.raises(PermanentError, match="at most 10 leavings"):
        await handler.handle(batch_of(events, MEMBERS.topic))
    assert (await available(spending))[0] == 0
    for half in (events[:6], events[6:]):
        await handler.handle(batch_of(half, MEMBERS.topic))
    assert (await available(spending))[0] == 10 * len(people)


async def test_many_who_take_it_in_at_once_give_it_once(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)
    await asyncio.gather(*(spending.members(left) for _ in range(AT_ONCE)))
    assert await available(spending) == [400, 0, 500]
    assert len(await spending.drain()) == 1


@pytest.mark.parametrize("is_hold_first", [True, False], ids=["hold first", "leaving first"])
async def test_a_hold_of_the_pool_in_flight_and_a_leaving_follow_each_other(
    spending: Spending, as_service: Database, is_hold_first: bool
) -> None:
    await live_together(spending, 100, 300, 0)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)

    async def hold(transaction: Transaction) -> object:
        return await hold_in(transaction, Spender(ANNA), 350)

    async def leaving(transaction: Transaction) -> object:
        return await take_in_members(transaction, [left], ["points"])

    await interleave(as_service, *((hold, leaving) if is_hold_first else (leaving, hold)))
    # A hold from before stands, and what it reserves of the leaver is the leaver's when it is let go.
    held_of_bert = 250 if is_hold_first else 0
    assert await spending.balance(BERT) == Balances(held=held_of_bert)
    assert await spending.balance(ANNA) == Balances(available=50, held=350 - held_of_bert)


async def test_holds_of_all_and_leavings_of_two_at_once_lose_nothing(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    first = await left_just_now(spending, 2, BERT, CARA, CARA, ANNA)
    second = await left_just_now(spending, 3, CARA, ANNA, ANNA)
    holds = [spending.hold(PEOPLE[turn % 3], 60) for turn in range(AT_ONCE)]
    found = await asyncio.gather(*holds, spending.members(first), spending.members(second), spending.members(first))
    held = sum(outcome.redemption.held_points for outcome in found if isinstance(outcome, Held))
    balances = [await spending.balance(member_id) for member_id in PEOPLE]
    assert sum(balance.held for balance in balances) == held
    assert sum(balance.available for balance in balances) == 900 - held
    assert len(await outcomes(spending)) == 2


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_who_leaves_next_leaves_what_the_one_before_left(spending: Spending, is_one_batch: bool) -> None:
    await live_together(spending, 100, 300, 500)
    events = [
        await left_just_now(spending, 2, BERT, CARA, ANNA, CARA),
        await left_just_now(spending, 3, CARA, ANNA, ANNA),
        household(4),  # Anna leaves last: nobody remains, and she keeps all
    ]
    for batch in [events] if is_one_batch else [[event] for event in events]:
        await spending.members(*batch)
    assert await available(spending) == [900, 0, 0]
    assert await outcomes(spending) == [("given", 300), ("given", 800)]


async def test_what_came_after_the_member_left_is_the_members_own(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)
    await fund(spending, BERT, 70)
    await spending.members(left)
    assert await available(spending) == [400, 70, 500]
    nothing = await left_just_now(spending, 4, CARA, ANNA, ANNA)
    await spending.held(CARA, 500)
    await fund(spending, CARA, 5)
    await spending.members(nothing)
    assert await available(spending) == [400, 70, 5]
    assert await outcomes(spending) == [("given", 300), ("nothing_left", 0)]


async def test_what_came_after_stays_with_the_leaver_in_the_lots_that_it_came_to(spending: Spending) -> None:
    """Sooner expiring points go first, and limited ones like others, but what is the leaver's own goes not at all."""
    await live_together(spending, 0, 300, 0)
    await spending.held(BERT, 40)
    redemption_id = (await pooled(spending, BERT, 20)).redemption_id
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)
    prize = replace(earn(BERT, 1).terms, expires_on=date(2099, 1, 1), limits=Limits(partners=("fuel",)))
    await spending.do(lambda transaction: ledger.post(transaction, [Earn(BERT, "points", b"prize", 70, prize)]))
    await spending.void(redemption_id)

    await spending.members(left)

    assert await outcomes(spending) == [("given", 240)]
    assert await lots(spending, ANNA) == [(240, False)]
    assert await lots(spending, BERT) == [(70, True), (20, False)]


async def lots(spending: Spending, owner_id: UUID) -> list[tuple[int, bool]]:
    """What is left of each lot, and whether it is limited."""
    async with spending.database.transaction() as transaction:
        rows = await transaction.raw.fetch(
            "select remaining, limits is not null from ledger_lots join ledger_accounts using (account_id)"
            " where owner_id = $1 and remaining > 0 order by lot_key",
            owner_id,
        )
    return [tuple(row) for row in rows]


async def test_who_comes_back_leaves_twice_at_most(spending: Spending) -> None:
    """Told in the wrong order: first that Bert is back, then that he had left."""
    await live_together(spending, 100, 300, 500)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)
    back = household(3, Place(ANNA), Place(CARA), Place(BERT))
    await spending.members(back, belongs(BERT, 201))
    await spending.members(left, belongs(BERT, 200, None))
    assert await available(spending) == [400, 0, 500]
    await fund(spending, BERT, 40)
    again = await left_just_now(spending, 4, BERT, ANNA, ANNA, CARA, member_version=202)
    await spending.members(again, left, back, again)
    assert await available(spending) == [440, 0, 500]


@pytest.mark.parametrize(
    ("heard", "outcome"),
    [
        (status_changed(BERT, "spend_locked", version=201), "leaver_locked"),
        (status_changed(BERT, "suspended", version=201), "leaver_locked"),
        (status_changed(BERT, "suspended", version=199), "given"),  # over before he left, which is not heard of yet
        (changed(BERT, 201, status="active"), "given"),
        (changed(BERT, 201, status="closed"), "given"),  # he had left before
        (erased(BERT, version=201), "given"),
        (erased(ANNA, version=201), "heir_gone"),
        (status_changed(ANNA, "spend_locked", version=201), "given"),
    ],
)
async def test_what_was_heard_of_the_two_since(spending: Spending, heard: MemberEvent, outcome: str) -> None:
    await live_together(spending, 100, 300, 500)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)
    await spending.members(heard)
    await spending.members(left)
    await spending.members(changed(BERT, 300), left)  # what was settled stays so
    assert await outcomes(spending) == [(outcome, 300 if outcome == "given" else 0)]
    assert sum(await available(spending)) == 900


@pytest.mark.parametrize("merged", [BERT, ANNA], ids=["leaver", "heir"])
async def test_a_merge_in_flight_is_followed(spending: Spending, accrual: Database, admin: Admin, merged: UUID) -> None:
    await live_together(spending, 100, 300, 500)
    await spending.enrol(DORA, 10)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)
    async with accrual.transaction() as merging:
        await ledger.merge(merging, merged, DORA)
        waiting = asyncio.create_task(spending.members(left))
        await until_blocked(admin)
    await waiting
    await spending.members(merged_into(DORA, merged, version=300), left)
    if merged == BERT:  # nobody can tell any more which of Dora's points were his
        assert await outcomes(spending) == [("leaver_merged", 0)]
        assert (await available(spending))[0] == 100
        assert (await spending.balance(DORA)).available == 310
    else:
        assert await outcomes(spending) == [("given", 300)]
        assert (await spending.balance(DORA)).available == 410


async def test_two_who_turned_out_to_be_one_give_each_other_nothing(spending: Spending, accrual: Database) -> None:
    await live_together(spending, 100, 300, 500)
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA, CARA)
    await accrual.run(lambda transaction: ledger.merge(transaction, ANNA, BERT))
    await spending.members(left)
    assert await outcomes(spending) == [("same_owner", 0)]
    assert (await spending.balance(BERT)).available == 400


async def test_what_the_registry_tells_is_what_stays(own_database: FreshDatabase, spending: Spending) -> None:
    registry = Database(own_database.url(role_name("members")))
    stays: dict[str, object] = {"policy": "stays_with_household", "notice_days": 30}
    async with households_client(registry, household_leaving_policy="stays_with_household") as client:
        founder, guest = await enrol_somebody(client), await enrol_somebody(client)
        home = await found(client, founder, leaving=stays)
        await accept(client, guest, await invite(client, home, founder, guest), leaving=stays)
        await spending.members(*await told(registry))
        for one in (founder, guest):
            await fund(spending, UUID(one), 100)
        await leave(client, home, guest)
        events = await told(registry)
    await registry.close()
    await spending.members(*events)
    await spending.members(*reversed(events))  # the whole topic again, backwards

    balances = [await spending.balance(UUID(one)) for one in (founder, guest)]
    assert balances == [Balances(available=200), Balances()]
    assert await outcomes(spending) == [("given", 100)]
