"""A household spends together: what a member lacks is reserved of the others who lend, and is theirs all the time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx2
import pytest

from services.redemption.domain.redemption import State
from services.redemption.use_cases.hold_points import Declined, Held
from services.redemption.use_cases.read_member import read_balances, read_spendable
from shared import ledger
from shared.database import Database, Transaction
from shared.database.roles import role_name
from shared.events.members import MemberEvent
from shared.events.redemptions import RedemptionCaptured, RedemptionExpired, RedemptionHeld, RedemptionVoided
from shared.ids import new_id
from shared.ledger import Balances
from tests.support.databases import FreshDatabase
from tests.support.enrolling import enrol_somebody
from tests.support.households import found, households_client, join, leave, told
from tests.support.member_events import erased, status_changed
from tests.support.pooling import ELSEWHERE, Place, belongs, household, move_in, pooled
from tests.support.receipts import card, member, merged_into
from tests.support.redemption import Admin, Spending, earn, linked, paid_with_points, tender_of
from tests.support.registries import bearing

ANNA, BERT, CARA, DORA = member(1), member(2), member(3), member(4)
SPENDERS = 12


async def live_together(spending: Spending, *points: int, **rights: bool) -> None:
    """Anna, Bert and Cara with so many points each, in one household; ``rights`` are those of all but Anna."""
    people = (ANNA, BERT, CARA)
    for member_id, own in zip(people, points, strict=True):
        await spending.enrol(member_id, own)
    await move_in(spending, 1, Place(ANNA), *(Place(member_id, **rights) for member_id in people[1:]))


async def fund(spending: Spending, member_id: UUID, points: int) -> None:
    await spending.do(lambda transaction: ledger.post(transaction, [earn(member_id, points)]))


async def available(spending: Spending) -> list[int]:
    return [(await spending.balance(member_id)).available for member_id in (ANNA, BERT, CARA)]


async def may_spend_of_others(spending: Spending, member_id: UUID) -> int:
    async def read(transaction: Transaction) -> int:
        owner_id, balances = await read_balances(transaction, member_id, ["points"])
        found = await read_spendable(transaction, owner_id, balances, ["points"], debt_stops_spending=False)
        return found["points"].pooled

    return await spending.do(read)


async def test_own_points_are_spent_first_and_then_the_others_in_the_order_of_joining(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)

    await pooled(spending, ANNA, 90)
    assert await available(spending) == [10, 300, 500]
    redemption = await pooled(spending, ANNA, 350)

    assert await available(spending) == [0, 0, 460]
    assert [(share.owner_id, share.held_points) for share in redemption.shares] == [(BERT, 300), (CARA, 40)]
    assert (redemption.held_points, redemption.pooled_points) == (350, 340)
    assert (await spending.balance(BERT)).held == 300


async def test_a_capture_takes_own_points_first_and_lets_the_rest_go_to_whose_it_was(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    redemption = await pooled(spending, ANNA, 600)

    captured = await spending.capture(redemption.redemption_id, 1, 250)
    again = await spending.capture(redemption.redemption_id, 1, 250)

    assert (captured.capture.points, captured.capture.released_points) == (250, 350)
    assert again.capture == captured.capture
    assert [await spending.balance(one) for one in (ANNA, BERT, CARA)] == [
        Balances(),
        Balances(available=150),
        Balances(available=500),
    ]
    held, taken = await spending.drain()
    assert isinstance(held, RedemptionHeld)
    assert isinstance(taken, RedemptionCaptured)
    assert [(one.member_id, one.points, one.balance.available) for one in held.data.pooled] == [
        (BERT, 300, 0),
        (CARA, 200, 300),
    ]
    assert [(one.member_id, one.points, one.balance.available) for one in taken.data.pooled] == [
        (BERT, 150, 150),
        (CARA, 0, 500),
    ]
    assert (taken.data.member_id, taken.data.points) == (ANNA, 250)
    assert [(one.issuer, one.points) for one in taken.data.by_issuer] == [("grocer", 250)]


async def test_what_is_left_stays_reserved_of_each_while_more_is_to_come(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    redemption_id = (await pooled(spending, ANNA, 600)).redemption_id

    await spending.capture(redemption_id, 1, 50, more=True)
    await spending.capture(redemption_id, 2, 100, more=True)
    assert [share.open_points for share in (await spending.redemption(redemption_id)).shares] == [250, 200]
    await spending.capture(redemption_id, 3, 300)

    assert await available(spending) == [0, 0, 450]
    assert (await spending.redemption(redemption_id)).state is State.CAPTURED


@pytest.mark.parametrize("end", ["void", "expire"])
async def test_a_void_and_an_expiry_give_everything_back(spending: Spending, admin: Admin, *, end: str) -> None:
    await live_together(spending, 0, 300, 500)
    redemption_id = (await pooled(spending, ANNA, 600)).redemption_id

    if end == "void":
        assert (await spending.void(redemption_id)).points == 600
    else:
        assert await spending.expire(await spending.advance(admin, timedelta(hours=1))) == 1

    assert await available(spending) == [0, 300, 500]
    _, let_go = await spending.drain()
    assert isinstance(let_go, RedemptionVoided | RedemptionExpired)
    assert (let_go.data.points, [one.points for one in let_go.data.pooled]) == (600, [300, 300])
    assert let_go.data.balance.available == 0


async def test_a_receipt_takes_what_is_reserved_and_late_only_its_members_own(spending: Spending, admin: Admin) -> None:
    await live_together(spending, 100, 300, 500)
    in_time, late = [(await pooled(spending, ANNA, points)).redemption_id for points in (250, 200)]
    first = tender_of(paid_with_points(1, 220, in_time, owner=ANNA))

    report = await spending.settle(first)
    assert (await spending.settle(first)).outcomes == {"repeat": 1}
    assert report.outcomes == {"captured": 1}
    assert await available(spending) == [0, 30, 450]
    await spending.expire(await spending.advance(admin, timedelta(hours=1)))
    await spending.settle(tender_of(paid_with_points(2, 200, late, owner=ANNA)))

    assert await available(spending) == [0, 180, 500]  # nobody lends without a hold: the partner came too late
    assert (await spending.redemption(late)).uncovered_points == 200


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((household(2, Place(ANNA, may_spend=False), Place(BERT), Place(CARA)),), id="no right to spend"),
        pytest.param((household(2, Place(ANNA), *(Place(one, contributes=False) for one in (BERT, CARA))),), id="none"),
        pytest.param((household(2, Place(ANNA)),), id="the household says that they left"),
        pytest.param((belongs(BERT, 200, None), belongs(CARA, 200, ELSEWHERE)), id="they say that they left"),
        pytest.param((belongs(ANNA, 200, None),), id="Anna left"),
        pytest.param((status_changed(BERT, "spend_locked", 200), status_changed(CARA, "suspended", 200)), id="locked"),
        pytest.param((erased(BERT, version=200), erased(CARA, version=200)), id="erased"),
    ],
)
async def test_nobody_lends_without_the_right(spending: Spending, events: tuple[MemberEvent, ...]) -> None:
    await live_together(spending, 100, 300, 500)
    await spending.members(*events)

    declined = await spending.hold(ANNA, 101)

    assert isinstance(declined, Declined)
    assert (declined.decline.reason, declined.available) == ("insufficient_points", 100)
    assert await available(spending) == [100, 300, 500]
    assert await may_spend_of_others(spending, ANNA) == 0


async def test_what_all_have_together_is_the_limit_and_the_answer_says_so(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)

    declined = await spending.hold(ANNA, 901)

    assert isinstance(declined, Declined)
    assert (declined.decline.reason, declined.available) == ("insufficient_points", 900)
    assert await may_spend_of_others(spending, ANNA) == 800
    assert isinstance(await spending.hold(ANNA, 900), Held)


async def test_whoever_is_in_debt_lends_nothing_and_clears_it_first(spending: Spending) -> None:
    await live_together(spending, 100, 0, 0)
    earned = earn(BERT, 300)
    taken_back = ledger.ClawBack(BERT, "points", b"return", 400, earned.terms, b"award")
    await spending.do(lambda transaction: ledger.post(transaction, [earned, taken_back]))

    assert (await spending.balance(BERT)).debt == 100
    assert isinstance(await spending.hold(ANNA, 101), Declined)
    await spending.do(lambda transaction: ledger.post(transaction, [earn(BERT, 150)]))
    assert isinstance(await spending.hold(ANNA, 150), Held)
    assert isinstance(await spending.hold(ANNA, 1), Declined)


async def test_points_in_too_many_lots_reserve_nothing_of_anybody(spending: Spending) -> None:
    await live_together(spending, 100, 0, 500)
    lots = [earn(BERT, 1, (await spending.now()).date() + timedelta(days=day)) for day in range(1, 202)]
    await spending.do(lambda transaction: ledger.post(transaction, lots))

    declined = await spending.hold(ANNA, 400)

    assert isinstance(declined, Declined)
    assert declined.decline.reason == "too_many_lots"
    assert await available(spending) == [100, 201, 500]


async def test_an_old_version_of_a_household_and_a_replay_change_nothing(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    before, after = household(2, Place(ANNA), Place(BERT)), household(3, Place(ANNA), Place(CARA))
    await spending.members(after)
    await spending.members(before, after, belongs(ANNA, 1, None), belongs(CARA, 1, ELSEWHERE))

    redemption = await pooled(spending, ANNA, 300)

    assert [share.owner_id for share in redemption.shares] == [CARA]


async def test_the_same_hold_twice_is_one(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    redemption_id = new_id()

    first, second = [await spending.hold(ANNA, 350, redemption_id=redemption_id) for _ in range(2)]

    assert isinstance(first, Held)
    assert isinstance(second, Held)
    assert second.redemption == first.redemption
    assert await available(spending) == [0, 50, 500]


async def test_all_spend_at_once_and_nothing_is_oversold(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    people = (ANNA, BERT, CARA)

    outcomes = await asyncio.gather(*(spending.hold(people[turn % 3], 100) for turn in range(SPENDERS)))

    held = [outcome for outcome in outcomes if isinstance(outcome, Held)]
    assert len(held) == 9  # 900 points, 100 each: not one too many, and not one too few
    assert await available(spending) == [0, 0, 0]
    await asyncio.gather(*(spending.capture(one.redemption.redemption_id, 1, 60) for one in held[:5]))
    await asyncio.gather(*(spending.void(one.redemption.redemption_id) for one in held[5:]))
    assert sum(await available(spending)) == 900 - 5 * 60


async def test_holds_captures_voids_and_receipts_of_all_at_once_agree_with_the_ledger(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    people = (ANNA, BERT, CARA)
    open_holds = [(await pooled(spending, people[turn % 3], 60)).redemption_id for turn in range(SPENDERS)]
    captures = [spending.capture(one, 1, 50) for one in open_holds[:4]]
    voids = [spending.void(one) for one in open_holds[4:8]]
    tenders = [tender_of(paid_with_points(number, 60, one)) for number, one in enumerate(open_holds[8:], 1)]
    holds = [spending.hold(people[-turn % 3], 45) for turn in range(SPENDERS)]

    outcomes = await asyncio.gather(*captures, *voids, spending.settle(*tenders), *holds)

    held = sum(outcome.redemption.held_points for outcome in outcomes if isinstance(outcome, Held))
    balances = [await spending.balance(member_id) for member_id in people]
    assert sum(balance.held for balance in balances) == held
    assert sum(balance.available for balance in balances) == 900 - held - 4 * 50 - 4 * 60


async def test_what_an_erased_member_lent_is_still_taken_and_given_back(spending: Spending) -> None:
    await live_together(spending, 100, 300, 0)
    redemption_id = (await pooled(spending, ANNA, 350)).redemption_id

    await spending.members(erased(BERT, version=200))

    assert (await spending.capture(redemption_id, 1, 120)).capture.released_points == 230
    assert await available(spending) == [0, 280, 0]  # nobody's, as whatever an erased member had


async def test_a_hold_made_before_a_leave_stands(spending: Spending) -> None:
    await live_together(spending, 100, 300, 500)
    redemption_id = (await pooled(spending, ANNA, 350)).redemption_id

    await spending.members(household(2, Place(ANNA), Place(CARA)), belongs(BERT, 200, None))

    assert (await spending.capture(redemption_id, 1)).capture.points == 350
    assert (await spending.balance(BERT)) == Balances(available=50)  # the rest left with its owner
    assert await may_spend_of_others(spending, ANNA) == 500
    assert await may_spend_of_others(spending, BERT) == 0


async def test_a_leave_and_a_hold_at_once_leave_a_sound_ledger(spending: Spending) -> None:
    await live_together(spending, 0, 300, 0)
    left = (household(2, Place(ANNA), Place(CARA)), belongs(BERT, 200, None))

    outcome, _ = await asyncio.gather(spending.hold(ANNA, 200), spending.members(*left))

    reserved = 200 if isinstance(outcome, Held) else 0
    assert await spending.balance(BERT) == Balances(available=300 - reserved, held=reserved)
    assert isinstance(await spending.hold(ANNA, 1), Declined)


@pytest.fixture
async def accrual(own_database: FreshDatabase) -> Database:
    return Database(own_database.url(role_name("accrual")))


@pytest.mark.parametrize(("survivor", "merged"), [(DORA, BERT), (DORA, ANNA), (ANNA, BERT), (BERT, ANNA)])
async def test_a_pooled_hold_follows_those_who_are_merged_away(
    spending: Spending, accrual: Database, survivor: UUID, merged: UUID
) -> None:
    await live_together(spending, 100, 300, 0)
    await spending.enrol(DORA, 10)
    taken, voided = [(await pooled(spending, ANNA, points)).redemption_id for points in (150, 100)]

    await accrual.run(lambda transaction: ledger.merge(transaction, merged, survivor))
    await accrual.close()
    await spending.members(merged_into(survivor, merged, version=300))
    await spending.capture(taken, 1, 120)
    await spending.void(voided)

    people = {survivor, ANNA, BERT, DORA} - {merged}
    balances = [await spending.balance(member_id) for member_id in people]
    assert sum(balance.available for balance in balances) == 410 - 120
    assert sum(balance.held for balance in balances) == 0


async def test_two_of_a_household_who_are_one_by_now_lend_their_points_once(
    spending: Spending, accrual: Database
) -> None:
    await live_together(spending, 100, 300, 0)
    await accrual.run(lambda transaction: ledger.merge(transaction, BERT, ANNA))  # redemption has not heard of it yet
    await accrual.close()

    assert isinstance(await spending.hold(ANNA, 401), Declined)
    redemption = await pooled(spending, ANNA, 400)

    assert redemption.shares == ()
    assert await may_spend_of_others(spending, ANNA) == 0


async def test_what_the_registry_tells_is_what_lends(own_database: FreshDatabase, spending: Spending) -> None:
    registry = Database(own_database.url(role_name("members")))
    async with households_client(registry) as client:
        founder, guest = await enrol_somebody(client), await enrol_somebody(client)
        home = await found(client, founder)
        await join(client, home, founder, guest, may_spend=False)
        await spending.members(*await told(registry))
        for one in (founder, guest):
            await fund(spending, UUID(one), 100)
        together = await may_spend_of_others(spending, UUID(founder)), await may_spend_of_others(spending, UUID(guest))
        before = await pooled(spending, UUID(founder), 120)

        await leave(client, home, guest)
        await spending.members(*await told(registry))  # the whole topic again, and what is new
    await registry.close()

    assert together == (100, 0)
    assert isinstance(await spending.hold(UUID(founder), 1), Declined)
    assert (await spending.balance(UUID(guest))) == Balances(available=80, held=20)
    assert (await spending.void(before.redemption_id)).points == 120
    assert (await spending.balance(UUID(guest))) == Balances(available=100)


async def test_over_http_a_card_of_one_spends_what_another_has(client: httpx2.AsyncClient, spending: Spending) -> None:
    await live_together(spending, 100, 300, 0)
    await spending.members(linked(ANNA, card(1)))
    headers = bearing("redemptions:write", "balances:read", client_id="g", partner_id="grocer")

    balance = await client.get(f"/v1/members/{ANNA}/balance", headers=headers)
    body = {"identifier": {"type": "card", "value": f"{1:012d}"}, "points": 250}
    held = await client.post("/v1/redemptions", json=body, headers=headers | {"Idempotency-Key": "till-1"})
    again = await client.post("/v1/redemptions", json=body, headers=headers | {"Idempotency-Key": "till-1"})

    [points] = balance.json()["balances"]
    assert (points["available"], points["pooled"], points["spendable"]) == (100, 300, 400)
    assert held.status_code == 201, held.text
    assert (held.json()["held_points"], held.json()["pooled_points"]) == (250, 150)
    assert held.json()["balance"] == {"available": 0, "held": 100, "pending": 0, "debt": 0}
    assert again.json() == held.json()
    assert (await spending.balance(BERT)).held == 150


async def test_a_large_hold_waits_for_fresh_facts_whoever_lends(client: httpx2.AsyncClient, spending: Spending) -> None:
    await live_together(spending, 1_000, 9_000, 0)
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")

    answer = await client.post("/v1/redemptions", json={"member_id": str(ANNA), "points": 5_001}, headers=headers)

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "facts-behind")
    assert await available(spending) == [1_000, 9_000, 0]
