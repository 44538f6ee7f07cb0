"""One member gives points to another: over HTTP, on the real tables, beside others who do, and beside merges."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.redemption.api.member_data import member_data_router
from services.redemption.domain.errors import FactsBehindError
from services.redemption.domain.gifting import GiftLimits, GiftRefusedError, MergeUnderWayError
from services.redemption.use_cases.give_points import GiftWish, Given, give_points
from services.redemption.use_cases.hold_points import Held, Spender
from services.redemption.use_cases.project import take_in_members
from shared import ledger
from shared.database import Database
from shared.database.roles import role_name
from shared.events.balances import Balance, IssuerPoints
from shared.events.redemptions import GiftData, PointsGifted
from shared.ids import IdentifierType, hash_identifier, new_id
from shared.ledger import Balances, ClawBack, Limits
from tests.support.databases import FreshDatabase
from tests.support.member_data import read_all, served
from tests.support.member_events import erased, status_changed
from tests.support.pooling import Place, left_just_now, move_in
from tests.support.receipts import member, merged_into
from tests.support.redemption import KEY, PROGRAMME, Admin, Spending, earn, linked, until_blocked
from tests.support.registries import bearing

ANNA, BERT, CARA = (member(number) for number in range(1, 4))
LIMITS = GiftLimits(points_max=500, points_per_day_max=800, points_per_month_max=1_000)
GIFTS = 20
PHONE = {"type": "phone", "value": "(212) 555-0123"}
PHONE_HASH = hash_identifier(IdentifierType.PHONE, "+12125550123", KEY)


@pytest.fixture
async def accrual(own_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(own_database.url(role_name("accrual")))
    yield database
    await database.close()


def app(**others: str) -> dict[str, str]:
    return bearing("gifts:write", client_id="app", **others)


async def post(client: httpx2.AsyncClient, points: int, **others: Any) -> httpx2.Response:
    headers = others.pop("headers", None) or app()
    body = {"gift_id": str(new_id()), "member_id": str(ANNA), "points": points}
    if "receiver_identifier" not in others:
        body["receiver_id"] = str(BERT)
    return await client.post("/v1/gifts", json=body | others, headers=headers)


def slug(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, str(response.json()["type"].rpartition("/")[2])


async def give(
    spending: Spending, points: int, *, giver: UUID = ANNA, receiver: UUID = BERT, gift_id: UUID | None = None
) -> Given:
    wish = GiftWish(gift_id or new_id(), giver, Spender(receiver), "points", points, "app")
    return await spending.do(lambda transaction: give_points(transaction, wish, LIMITS, PROGRAMME))


async def refusal(spending: Spending, points: int, giver: UUID = ANNA) -> tuple[str, int | None]:
    with pytest.raises(GiftRefusedError) as refused:
        await give(spending, points, giver=giver)
    return refused.value.reason, refused.value.points_max


async def available(spending: Spending, *people: UUID) -> list[int]:
    return [(await spending.balance(one)).available for one in people or (ANNA, BERT)]


async def words(client: httpx2.AsyncClient, member_id: UUID) -> list[str]:
    answer = await client.get(f"/v1/members/{member_id}/statement", headers=bearing("balances:read"))
    return [line["text"] for line in answer.json()["items"]]


async def test_points_arrive_and_both_see_it(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 300)
    await spending.enrol(BERT, 5)
    given = await post(client, 120)
    assert given.status_code == 201, given.text
    answer = given.json()
    assert answer["balance"] == {"available": 180, "held": 0, "pending": 0, "debt": 0}
    assert (answer["receiver_id"], answer["points"], answer["point_type"]) == (str(BERT), 120, "points")
    assert await available(spending) == [180, 125]
    assert (await words(client, ANNA))[0] == "120 points given to another member"
    assert (await words(client, BERT))[0] == "120 points were a gift of another member"
    [event] = await spending.drain()
    assert isinstance(event, PointsGifted)
    assert event.data == GiftData(
        gift_id=UUID(answer["gift_id"]),
        member_id=ANNA,
        receiver_id=BERT,
        point_type="points",
        points=120,
        reason="gift",
        by_issuer=(IssuerPoints(issuer="grocer", points=120),),
        balance=Balance(available=180, held=0, pending=0, debt=0),
        receiver_balance=Balance(available=125, held=0, pending=0, debt=0),
    )


async def test_twenty_parallel_gifts(client: httpx2.AsyncClient, spending: Spending) -> None:
    """20 gifts of 100 points at once by one who has 100: one arrives, and nothing is made or lost."""
    people = [member(100 + number) for number in range(GIFTS)]
    await spending.enrol(ANNA, 100)
    for one in people:
        await spending.enrol(one)
    answers = await asyncio.gather(*(post(client, 100, receiver_id=str(one)) for one in people))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: GIFTS - 1}
    assert {slug(answer)[1] for answer in answers if answer.status_code == 409} == {"insufficient-points"}
    assert sorted(await available(spending, ANNA, *people)) == [0] * GIFTS + [100]
    [event] = await spending.drain()
    [arrived] = [answer.json()["receiver_id"] for answer in answers if answer.status_code == 201]
    assert isinstance(event, PointsGifted)
    assert str(event.data.receiver_id) == arrived


async def test_a_gift_that_is_sent_again_is_one(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 300)
    await spending.enrol(BERT)
    headers, gift_id = app(), str(new_id())
    first = await post(client, 100, gift_id=gift_id, headers=headers)
    same_key = await post(client, 100, gift_id=gift_id, headers=headers)
    assert same_key.content == first.content
    assert same_key.headers["Idempotency-Replayed"] == "true"

    at_once = await asyncio.gather(*(post(client, 100, gift_id=gift_id) for _ in range(4)))
    assert {answer.status_code for answer in at_once} == {201}
    assert all(answer.json() == first.json() for answer in at_once)
    same: dict[str, Any] = {"points": 100, "gift_id": gift_id}
    for other in ({"points": 99}, {"receiver_id": str(ANNA)}, {"headers": bearing("gifts:write", client_id="other")}):
        assert slug(await post(client, **(same | other))) == (409, "gift-id-taken")
    assert slug(await post(client, 1, gift_id=gift_id, headers=headers)) == (422, "idempotency-key-reused")
    assert await available(spending) == [200, 100]
    assert len(await spending.drain()) == 1


async def test_a_refused_gift_leaves_its_id_free(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 50)
    await spending.enrol(BERT)
    gift_id, headers = str(new_id()), app()
    refused = await post(client, 100, gift_id=gift_id, headers=headers)
    assert slug(refused) == (409, "insufficient-points")
    assert refused.json()["points_max"] == 50
    await spending.do(lambda transaction: ledger.post(transaction, [earn(ANNA, 60)]))
    assert (await post(client, 100, gift_id=gift_id, headers=headers)).content == refused.content
    assert (await post(client, 100, gift_id=gift_id)).status_code == 201
    assert await available(spending) == [10, 100]


async def test_who_is_named_and_how(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 300)
    await spending.enrol(BERT)
    await spending.enrol(CARA)
    assert slug(await post(client, 1, receiver_id=str(member(9)))) == (404, "unknown-receiver")
    assert slug(await post(client, 1, member_id=str(member(9)))) == (404, "unknown-member")
    assert slug(await post(client, 1, receiver_id=str(ANNA))) == (409, "same-member")
    assert slug(await post(client, 1, receiver_identifier=PHONE)) == (404, "unknown-receiver")
    both = await post(client, 1, receiver_id=str(BERT), receiver_identifier=PHONE)
    assert both.status_code == 422
    assert slug(await post(client, 1, point_type="stars"))[0] == 422
    for points in (0, -1):
        assert (await post(client, points)).status_code == 422

    await spending.members(linked(BERT, PHONE_HASH))
    assert (await post(client, 10, receiver_identifier=PHONE)).json()["receiver_id"] == str(BERT)
    await spending.members(linked(BERT, PHONE_HASH, 2, is_blocked=True))
    assert slug(await post(client, 10, receiver_identifier=PHONE)) == (409, "identifier-blocked")
    await spending.members(erased(CARA))
    assert slug(await post(client, 10, receiver_id=str(CARA))) == (404, "unknown-receiver")
    await spending.members(status_changed(ANNA, "suspended"))
    assert slug(await post(client, 10)) == (409, "member-suspended")
    assert await available(spending) == [290, 10]


async def test_only_the_programmes_clients_with_the_scope_give(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 300)
    await spending.enrol(BERT)
    assert (await post(client, 1, headers=bearing("redemptions:write"))).status_code == 403
    assert (await post(client, 1, headers=app(partner_id="grocer"))).status_code == 403
    assert await available(spending) == [300, 0]


async def test_what_is_owed(client: httpx2.AsyncClient, spending: Spending) -> None:
    await spending.enrol(ANNA, 300)
    await spending.enrol(BERT)
    back = ClawBack(BERT, "points", b"return", 80, earn(BERT, 1).terms, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [back]))
    assert slug(await post(client, 1, member_id=str(BERT), receiver_id=str(ANNA))) == (409, "debt-outstanding")
    await post(client, 100)
    assert await spending.balance(BERT) == Balances(available=20)
    [event] = await spending.drain()
    assert isinstance(event, PointsGifted)
    assert (event.data.points, event.data.debt_cleared, event.data.receiver_balance.available) == (100, 80, 20)


async def test_limits_of_a_gift_a_day_and_a_month(spending: Spending, admin: Admin) -> None:
    await spending.enrol(ANNA, 5_000)
    await spending.enrol(BERT, 5_000)
    assert await refusal(spending, 501) == ("gift_too_large", 500)
    await give(spending, 500)
    assert await refusal(spending, 301) == ("gifts_of_day_exceeded", 300)
    await give(spending, 500, giver=BERT, receiver=ANNA)  # whose limits are his own
    now = await spending.now()
    await spending.advance(admin, timedelta(days=32 - now.day))  # a month that has all its days yet
    await give(spending, 500)
    await give(spending, 300)
    assert await refusal(spending, 1) == ("gifts_of_day_exceeded", 0)
    await spending.advance(admin, timedelta(days=1))
    assert await refusal(spending, 201) == ("gifts_of_month_exceeded", 200)
    await give(spending, 200)
    assert await available(spending) == [4_000, 6_000]


async def test_gifts_at_once_stay_within_the_limit(spending: Spending) -> None:
    await spending.enrol(ANNA, 5_000)
    await spending.enrol(BERT)
    found = await asyncio.gather(*(give(spending, 300) for _ in range(6)), return_exceptions=True)
    assert Counter(type(one).__name__ for one in found) == {"Given": 2, "GiftRefusedError": 4}
    assert await available(spending) == [4_400, 600]


async def test_two_who_give_each_other_at_once(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT, 100)
    there = [give(spending, 30) for _ in range(4)]
    back = [give(spending, 20, giver=BERT, receiver=ANNA) for _ in range(4)]
    found = await asyncio.gather(*there, *back, return_exceptions=True)
    refused = [one for one in found if not isinstance(one, Given)]
    assert all(isinstance(one, GiftRefusedError) and one.reason == "insufficient_points" for one in refused)
    moved = sum(one.gift.points * (1 if one.gift.giver_id == ANNA else -1) for one in found if isinstance(one, Given))
    assert await available(spending) == [100 - moved, 100 + moved]


async def test_gifts_and_holds_at_once_share_what_there_is(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT)
    gifts = [give(spending, 60) for _ in range(4)]
    holds = [spending.hold(ANNA, 60) for _ in range(4)]
    found = await asyncio.gather(*gifts, *holds, return_exceptions=True)
    assert sum(isinstance(one, Given | Held) for one in found) == 1
    balances = [await spending.balance(one) for one in (ANNA, BERT)]
    assert balances in (
        [Balances(available=40, held=60), Balances()],
        [Balances(available=40), Balances(available=60)],
    )


async def test_what_came_as_a_gift_after_leaving_a_household_stays_with_the_leaver(spending: Spending) -> None:
    for one, points in ((ANNA, 100), (BERT, 300)):
        await spending.enrol(one, points)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    left = await left_just_now(spending, 2, BERT, ANNA, ANNA)
    await give(spending, 40)
    await spending.members(left)
    assert await available(spending) == [360, 40]


async def test_limited_points_travel_with_their_limit(spending: Spending) -> None:
    await spending.enrol(ANNA)
    await spending.enrol(BERT)
    plain, limits = earn(ANNA, 70), Limits(partners=("fuel",))
    await spending.do(
        lambda transaction: ledger.post(transaction, [replace(plain, terms=replace(plain.terms, limits=limits))])
    )
    await give(spending, 70)
    usable = await spending.do(lambda transaction: ledger.load_usable(transaction, [BERT], "points"))
    assert [(one.limits, one.available) for one in usable] == [(limits, 70)]


async def test_what_is_held_is_not_given(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT)
    await spending.held(ANNA, 60)
    assert await refusal(spending, 41) == ("insufficient_points", 40)


async def test_gifts_of_one_who_was_merged_are_the_survivors(spending: Spending, accrual: Database) -> None:
    for one, points in ((ANNA, 900), (BERT, 0), (CARA, 900)):
        await spending.enrol(one, points)
    gift_id = new_id()
    await give(spending, 500, gift_id=gift_id)
    await accrual.run(lambda transaction: ledger.merge(transaction, ANNA, CARA))
    for points, receiver in ((10, BERT), (10, CARA)):  # the ledger knows, and the registry has not told
        with pytest.raises(MergeUnderWayError):
            await give(spending, points, receiver=receiver)
    await spending.members(merged_into(CARA, ANNA, version=9))
    assert (await give(spending, 500, gift_id=gift_id)).is_repeat
    assert await refusal(spending, 301) == ("gifts_of_day_exceeded", 300)
    assert (await give(spending, 300)).gift.giver_id == CARA
    assert await available(spending, CARA, BERT) == [1_000, 800]


async def test_a_gift_waits_for_a_merge_that_is_under_way(spending: Spending, admin: Admin) -> None:
    for one, points in ((ANNA, 100), (BERT, 0), (CARA, 0)):
        await spending.enrol(one, points)
    async with spending.database.transaction() as merging:
        await take_in_members(merging, [merged_into(CARA, BERT, version=9)], ["points"])
        waiting = asyncio.create_task(give(spending, 100))
        await until_blocked(admin)
    assert (await waiting).gift.receiver_id == CARA


async def test_what_is_kept_is_told_to_the_member_without_the_other_one(spending: Spending) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT)
    given = [(await give(spending, points)).gift for points in (30, 20)]
    async with served(member_data_router(spending.database, PROGRAMME)) as client:
        for one, other, direction in ((ANNA, BERT, "given"), (BERT, ANNA, "received")):
            items = await read_all(client, one)
            told = {item["gift_id"]: (item["direction"], item["points"]) for item in items if item["kind"] == "gift"}
            assert told == {str(gift.gift_id): (direction, gift.points) for gift in given}
            assert str(other) not in str(items)
            assert await read_all(client, one, 1) == items


async def test_a_large_gift_waits_for_fresh_facts(spending: Spending) -> None:
    await spending.enrol(ANNA, 9_000)
    await spending.enrol(BERT)
    limits = GiftLimits(9_000, 9_000, 9_000)
    wish = GiftWish(new_id(), ANNA, Spender(BERT), "points", PROGRAMME.fresh_facts.points_max + 1, "app")
    with pytest.raises(FactsBehindError):
        await spending.do(lambda transaction: give_points(transaction, wish, limits, PROGRAMME))
    assert await available(spending) == [9_000, 0]
