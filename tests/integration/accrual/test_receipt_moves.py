"""A receipt that came under the wrong member is moved: taken back from one, awarded anew to the other, counted once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds
from shared.database import Transaction
from shared.events.points import PointsClawedBack, PointsPending
from shared.ledger import AdjustDown, Balances, Expire, LotTerms, Reserve
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.accrual_tiers import kept_rows, publish
from tests.support.adjusting import BOSS, SUPPORT, Client, slug
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances, hold, hold_decision, release
from tests.support.interleaving import interleave
from tests.support.ledger_database import posted, verified
from tests.support.member_data import read_all
from tests.support.member_events import erased, status_changed
from tests.support.receipt_moves import (
    CLIPS_THEN_REFUSES,
    RULE_SET,
    bought,
    counted,
    decide,
    move,
    moving,
    numbers,
    told,
)
from tests.support.receipts import NOON, member, merged_into, purchase, return_of, void_of
from tests.support.registries import bearing


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULE_SET, zone=ZoneInfo("America/New_York")) as accrual:
        await publish(accrual)
        yield accrual


@pytest.fixture
async def bert(module_accrual: Accrual) -> UUID:
    """Another member of this test's own, who joined long ago."""
    return await joined(module_accrual, NOON - timedelta(days=400))


async def test_one_has_it_no_more_and_the_other_has_it_with_all_that_comes_later(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    await module_accrual.drain()
    key = uuid4().hex

    answer = await move(client, receipt, anna, bert, by=SUPPORT, key=key)
    again = await move(client, receipt, anna, bert, by=SUPPORT, key=key)

    assert answer.status_code == 201, answer.text
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (answer.json(), "true")
    said = answer.json()
    assert (said["state"], said["taken_points"], said["given_points"], said["became_debt"]) == ("moved", 10, 10, 0)
    assert await module_accrual.balance(anna) == Balances()
    assert await module_accrual.balance(bert) == Balances(available=10)
    went, came = await told(module_accrual)
    assert (went.direction, went.member_id, went.points, came.member_id, came.points) == ("from", anna, 10, bert, 10)
    assert SUPPORT not in str(went)
    story = await client.get(f"/v1/receipts/{receipt.data.receipt_id}", headers=bearing("receipts:read"))
    assert (story.json()["award"]["member_id"], story.json()["award"]["points"]) == (str(bert), 10)

    # The event that named Anna, the till's retry, comes again; so does the request, when its answer is forgotten.
    assert (await module_accrual.award(receipt)).duplicates == 1
    async with module_accrual.database.transaction() as transaction:
        await transaction.raw.execute("delete from idempotency")
    assert (await move(client, receipt, anna, bert, by=SUPPORT, key=key)).json() == said
    assert await module_accrual.balance(bert) == Balances(available=10)

    back = return_of(receipt, next(numbers), {1: 400}, owner=anna)  # with the card that was shown at the till
    await module_accrual.award(back)
    await module_accrual.award(back)
    assert await module_accrual.balance(bert) == Balances(available=6)
    assert await module_accrual.balance(anna) == Balances()
    (clawed,) = [event for event in await module_accrual.drain() if isinstance(event, PointsClawedBack)]
    assert (clawed.data.member_id, clawed.data.points) == (bert, 4)
    listed = await client.get(
        "/v1/receipt-moves", params={"member_id": str(bert)}, headers=bearing("receipt-moves:read")
    )
    assert [each["move_id"] for each in listed.json()["items"]] == [said["move_id"]]
    one = await client.get(f"/v1/receipt-moves/{said['move_id']}", headers=bearing("receipt-moves:read"))
    assert one.json() == said


async def test_windows_caps_budgets_and_tier_days_go_with_it_as_if_it_had_come_so(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    carl = await joined(module_accrual)
    await bought(module_accrual, carl, 15, "AUTUMN")
    receipt = await bought(module_accrual, anna, 15, "AUTUMN", "SECOND")
    assert await module_accrual.balance(anna) == Balances(available=15 + 30)  # what is left of the budget
    await bought(module_accrual, bert, 1, at=NOON - timedelta(days=1))
    as_annas = await counted(module_accrual, anna)
    before = await counted(module_accrual, bert)

    answer = await move(client, receipt, anna, bert)

    # For Bert it is the second visit of the year. The budget's last 30 points stay with the receipt.
    assert answer.json()["given_points"] == 15 + 30 + 30, answer.text
    assert await counted(module_accrual, bert) == before | as_annas
    assert set((await counted(module_accrual, anna)).values()) == {(0, 0)}
    budget = [row for row in await kept_rows(module_accrual, "campaign_budgets") if row["campaign_id"] == "autumn"]
    assert [(row["points_used"], row["receipts_used"]) for row in budget] == [(70, 2)]
    days = {(row["member_id"], row["day"]): row for row in await kept_rows(module_accrual, "tier_days")}
    day = NOON.date()
    assert [days[anna, day][what] for what in ("points", "spend_minor", "visits")] == [0, 0, 0]
    assert [days[bert, day][what] for what in ("points", "spend_minor", "visits")] == [75, 1500, 1]


async def test_it_is_judged_by_the_facts_of_whose_it_is_and_by_no_later_ones(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10, "NEW")
    assert await module_accrual.balance(anna) == Balances(available=15)

    assert (await move(client, receipt, anna, bert)).json()["given_points"] == 10  # joined long before
    assert (await move(client, receipt, bert, anna)).json()["given_points"] == 15
    assert await module_accrual.balance(bert) == Balances()


async def test_what_is_gone_is_owed_and_what_had_come_back_is_not_given_again(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    await module_accrual.award(return_of(receipt, next(numbers), {1: 300}))
    await posted(module_accrual.database, Reserve(anna, "points", b"r", 5, uuid4()))

    answer = (await move(client, receipt, anna, bert)).json()

    assert [answer[name] for name in ("taken_points", "became_debt", "given_points")] == [7, 5, 7]
    assert await module_accrual.balance(anna) == Balances(held=5, debt=5)
    await module_accrual.award(return_of(receipt, next(numbers), {1: 700}))
    assert await module_accrual.balance(bert) == Balances()
    assert (await module_accrual.award(return_of(receipt, next(numbers), {1: 1}))).refused == {
        "returned_more_than_bought": 1
    }
    # Of which nothing is left it may be moved as well: to whom it is shown is whose it is.
    assert (await move(client, receipt, bert, anna)).json()["given_points"] == 0
    shown = await read_all(client, anna)
    assert [each["receipt_id"] for each in shown if each["kind"] == "award"] == [receipt.data.receipt_id]


async def test_moved_twice_and_back_it_is_as_it_was_and_shown_to_whose_it_is_alone(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    carl = await joined(module_accrual)
    receipt = await bought(module_accrual, anna, 12)
    before = await counted(module_accrual, anna)

    for from_id, to_id in ((anna, bert), (bert, carl), (carl, anna)):
        assert (await move(client, receipt, from_id, to_id)).status_code == 201
        kinds = {each: [one["kind"] for one in await read_all(client, each)] for each in (anna, bert, carl)}
        assert {each: found.count("award") for each, found in kinds.items()} == {anna: 0, bert: 0, carl: 0} | {to_id: 1}
    assert await module_accrual.balance(anna) == Balances(available=12)
    assert await counted(module_accrual, anna) == before
    sides = await told(module_accrual)
    assert [(each.direction, each.points) for each in sides] == [("from", 12)] * 3 + [("to", 12)] * 3
    numbers_told = sorted((each.move_number, each.member_id) for each in sides if each.direction == "to")
    assert numbers_told == [(1, bert), (2, carl), (3, anna)]


async def test_all_parts_go_with_it_and_what_waits_goes_on_waiting(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10, "STATUS", "LATER")
    await module_accrual.award(return_of(receipt, next(numbers), {1: 500}))
    assert await module_accrual.balance(anna) == Balances(available=5, pending=7)
    await module_accrual.drain()

    assert (await move(client, receipt, anna, bert)).json()["given_points"] == 12

    for owner, (available, pending, status) in ((anna, (0, 0, 0)), (bert, (5, 7, 10))):
        assert await module_accrual.balance(owner) == Balances(available=available, pending=pending)
        assert await balances(module_accrual, owner, "status") == Balances(available=status)
    moves = await told(module_accrual)
    assert sorted((each.direction, each.point_type, each.points) for each in moves) == [
        ("from", "points", 5), ("from", "points", 7), ("from", "status", 10),
        ("to", "points", 5), ("to", "points", 7), ("to", "status", 10),
    ]  # fmt: skip
    assert [each.part.waits_until is not None for each in moves if each.direction == "to" and each.part] == [
        each.points == 7 for each in moves if each.direction == "to"
    ]
    await module_accrual.award(return_of(receipt, next(numbers), {1: 500}))
    assert await module_accrual.balance(bert) == Balances()
    assert await balances(module_accrual, bert, "status") == Balances()


async def test_a_large_one_waits_for_a_second_person_and_is_judged_when_it_is_approved(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt, other = await bought(module_accrual, anna, 10_001), await bought(module_accrual, anna, 9_000)

    waiting = (await move(client, receipt, anna, bert, by=SUPPORT)).json()
    assert (waiting["state"], waiting["taken_points"], waiting["given_points"]) == ("waiting", 10_001, 10_001)
    assert slug(await move(client, receipt, anna, bert)) == (409, "move-waits")
    assert slug(await decide(client, waiting["move_id"], by=SUPPORT)) == (403, "own-move")
    await module_accrual.award(return_of(receipt, next(numbers), {1: 500}))

    done = await decide(client, waiting["move_id"])
    assert (done.json()["state"], done.json()["taken_points"], done.json()["decided_by"]) == ("moved", 5_000, BOSS)
    assert (await decide(client, waiting["move_id"])).json() == done.json()
    assert slug(await decide(client, waiting["move_id"], "refuse")) == (409, "move-decided")
    assert (await module_accrual.balance(bert)).available == 5_000

    # Small ones of one day add up: a member gets no more by many than by one.
    state = ""
    for _ in range(2):
        small = await bought(module_accrual, anna, 9_000, at=NOON - timedelta(days=next(numbers)))
        state = (await move(client, small, anna, bert)).json()["state"]
    third = (await move(client, other, anna, bert)).json()
    assert (state, third["state"]) == ("moved", "waiting")
    assert (await decide(client, third["move_id"], "refuse")).json()["refused_because"] == "not_approved"
    assert (await module_accrual.balance(anna)).available == 9_000

    fourth = (await move(client, other, anna, bert)).json()
    await module_accrual.members(status_changed(bert, "closed"))
    assert slug(await decide(client, fourth["move_id"])) == (409, "member-closed")
    kept = await client.get(f"/v1/receipt-moves/{fourth['move_id']}", headers=bearing("receipt-moves:read"))
    assert (kept.json()["state"], kept.json()["refused_because"]) == ("refused", "member_closed")


async def test_what_cannot_be_moved_says_why_and_nothing_of_it_stays(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    held, expired = await bought(module_accrual, anna, 10), await bought(module_accrual, anna, 10)
    await hold(module_accrual, held)
    back = return_of(receipt, next(numbers), {1: 100})
    waiting = purchase(next(numbers), 1000)
    undone = await bought(module_accrual, anna, 10)
    await module_accrual.award(back, waiting, void_of(undone, next(numbers)))
    async with module_accrual.database.transaction() as transaction:
        await transaction.raw.execute(
            "update awards set expires_on = '2026-11-02' where natural_key = (select natural_key from claims"
            " where content_hash = $1)",
            bytes.fromhex(expired.data.content_hash),
        )
    gone, merged, suspended, carl = [await joined(module_accrual) for _ in range(4)]
    await module_accrual.members(erased(gone))
    await module_accrual.members(status_changed(merged, "merged"), merged_into(carl, merged))
    await module_accrual.members(status_changed(suspended, "suspended"))
    before = await module_accrual.balance(anna)
    for answer, refusal in (
        (await move(client, receipt, anna, anna), (409, "same-member")),
        (await move(client, receipt, bert, anna), (409, "not-theirs")),
        (await move(client, held, anna, bert), (409, "held-by-fraud")),
        (await move(client, expired, anna, bert), (409, "points-expired")),
        (await move(client, undone, anna, bert), (409, "not-awarded")),
        (await move(client, receipt, anna, member(99_999)), (409, "member-unknown")),
        (await move(client, receipt, anna, gone), (409, "member-erased")),
        (await move(client, receipt, anna, merged), (409, "member-merged")),
        (await move(client, receipt, anna, suspended), (409, "member-suspended")),
        (await move(client, back.data.receipt_id, anna, bert), (409, "not-awarded")),
        (await move(client, waiting, anna, bert), (409, "not-awarded")),
        (await move(client, purchase(90_000, 1), anna, bert), (404, "not-found")),
        (await move(client, "nonsense", anna, bert), (404, "not-found")),
        (await move(client, receipt, anna, bert, reason_code="because"), (422, "unknown-reason")),
    ):
        assert slug(answer) == refusal, answer.text
    bound = bearing("receipt-moves:write", client_id="grocer-hq", partner_id="grocer")
    body = {"from_member_id": str(anna), "to_member_id": str(bert), "reason_code": "wrong_card"}
    url = f"/v1/receipts/{receipt.data.receipt_id}:move"
    assert slug(await client.post(url, json=body, headers=bound)) == (403, "programme-only")
    assert await module_accrual.balance(anna) == before
    async with module_accrual.database.transaction() as transaction:
        moves = await transaction.raw.fetchval("select count(*) from receipt_moves where from_member_id = $1", anna)
        named = await transaction.raw.fetchval("select count(*) from claims where content_hash is null")
    assert (moves, named) == (0, 0)


async def test_who_joined_later_has_it_only_while_it_could_be_claimed(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    late = await joined(module_accrual, NOON + timedelta(days=1))
    fresh = await bought(module_accrual, anna, 10)
    event = purchase(next(numbers), 1000, owner=anna)
    received_at = event.data.received_at - timedelta(days=15)
    old = event.model_copy(update={"data": event.data.model_copy(update={"received_at": received_at})})
    await module_accrual.award(old)

    assert (await move(client, fresh, anna, late)).status_code == 201
    assert slug(await move(client, old, anna, late)) == (409, "not-a-member-then")


async def test_of_who_was_merged_the_survivor_has_it_and_the_old_id_names_it(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    anne = await joined(module_accrual)
    receipt = await bought(module_accrual, anne, 10)
    await module_accrual.members(status_changed(anne, "merged"), merged_into(anna, anne))

    assert (await move(client, receipt, anne, bert)).json()["taken_points"] == 10
    assert await module_accrual.balance(anna) == Balances()


async def test_two_who_move_it_at_once_and_one_has_it(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    receipt = await bought(module_accrual, anna, 10)
    others = [await joined(module_accrual) for _ in range(4)]

    answers = await asyncio.gather(*(move(client, receipt, anna, each) for each in others))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    found = [(await module_accrual.balance(each)).available for each in (anna, *others)]
    assert sorted(found) == [0, 0, 0, 0, 10]


@pytest.mark.parametrize("is_move_first", [True, False])
async def test_a_return_in_flight_meets_the_move_in_the_claim(
    module_accrual: Accrual, anna: UUID, bert: UUID, is_move_first: bool
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    back = return_of(receipt, next(numbers), {1: 1000})
    going = moving(module_accrual, receipt, anna, bert)

    async def returning(transaction: Transaction) -> None:
        await module_accrual.award_in(transaction, [back])

    await interleave(module_accrual.database, *((going, returning) if is_move_first else (returning, going)))

    assert await module_accrual.balance(anna) == Balances()
    assert await module_accrual.balance(bert) == Balances()
    assert (await module_accrual.award(back)).duplicates == 1


async def test_fraud_that_still_names_the_former_member_holds_what_the_other_has(
    module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt = await bought(module_accrual, anna, 10)
    await interleave(
        module_accrual.database,
        moving(module_accrual, receipt, anna, bert),
        partial(apply_fraud_holds, decisions=[hold_decision(receipt)]),
    )

    assert await module_accrual.balance(bert) == Balances(pending=10)
    assert await module_accrual.balance(anna) == Balances()
    pending = [event for event in await module_accrual.drain() if isinstance(event, PointsPending)]
    assert [event.data.member_id for event in pending] == [bert]
    await release(module_accrual, receipt)
    assert await module_accrual.balance(bert) == Balances(available=10)


async def test_what_is_spent_is_owed_left_to_the_issuer_or_keeps_the_receipt_as_the_rules_of_the_purchase_say(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    await module_accrual.publish(*CLIPS_THEN_REFUSES)
    clipped = await bought(module_accrual, anna, 10, at=NOON + timedelta(days=1))
    kept = await bought(module_accrual, anna, 10, at=NOON + timedelta(days=2))
    await posted(module_accrual.database, Reserve(anna, "points", b"r", 15, uuid4()))

    assert slug(await move(client, kept, anna, bert)) == (409, "points-spent")
    answer = (await move(client, clipped, anna, bert)).json()

    assert [answer[name] for name in ("taken_points", "became_debt", "given_points")] == [5, 0, 10]
    assert await module_accrual.balance(anna) == Balances(held=15)
    assert await module_accrual.balance(bert) == Balances(available=10)
    assert slug(await move(client, kept, anna, bert)) == (409, "points-spent")


async def test_what_lapsed_for_inactivity_is_owed_by_nobody_and_what_was_spent_before_is(
    client: Client, module_accrual: Accrual, anna: UUID, bert: UUID
) -> None:
    receipt, sent_again = await bought(module_accrual, anna, 10), await bought(module_accrual, bert, 10)
    lot = LotTerms("grocer", NOON.date(), None)
    await posted(module_accrual.database, Expire(anna, "points", b"inactive", lot))

    assert slug(await move(client, receipt, anna, bert)) == (409, "points-expired")
    assert (await module_accrual.balance(anna), await module_accrual.balance(bert)) == (Balances(), Balances(10))

    await posted(module_accrual.database, AdjustDown(bert, "points", b"spent", 10))
    await posted(module_accrual.database, Expire(bert, "points", b"inactive", lot))
    assert (await move(client, sent_again, bert, anna)).json()["became_debt"] == 10


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
