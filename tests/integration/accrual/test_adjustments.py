"""Points that people give and take: over HTTP, on the real database, each of them once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.accrual.programme import KnownTierSchemes
from services.accrual.use_cases.adjust_points import approve_adjustment
from services.accrual.use_cases.project_members import project_members
from shared.database import Transaction
from shared.events.adjustments import PointsAdjusted
from shared.ledger import Balances, Reserve, post, terms
from tests.support.accrual import PROGRAMME, Accrual
from tests.support.accrual_members import new_member
from tests.support.adjusting import ADJUSTMENTS, BOSS, SUPPORT, Client, adjust, asked, decide, listed, slug
from tests.support.databases import FreshDatabase
from tests.support.interleaving import interleave
from tests.support.ledger_database import verified
from tests.support.member_events import erased, status_changed
from tests.support.receipts import enrolled, member, merged_into
from tests.support.registries import bearing


async def test_given_points_are_the_programmes_are_told_and_say_who_gave_them_why(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    answer = await adjust(client, asked(anna, 500, expires_on="2099-01-01", note="ticket 4711"))

    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["state"], told["posted_points"], told["created_by"]) == ("posted", 500, SUPPORT)
    assert await module_accrual.balance(anna) == Balances(available=500)
    (event,) = await module_accrual.drain()
    assert isinstance(event, PointsAdjusted)
    assert (event.data.member_id, event.data.points, event.data.reason_code) == (anna, 500, "complaint")
    assert SUPPORT not in event.to_bytes().decode()
    assert "4711" not in event.to_bytes().decode()
    async with module_accrual.database.transaction() as transaction:
        lot = await transaction.raw.fetchrow(
            "select issuer, basis, expires_on::text from ledger_lots join ledger_accounts using (account_id)"
            " where owner_id = $1",
            anna,
        )
        reference = await transaction.raw.fetchval(
            "select reference from ledger_transfers join ledger_accounts using (account_id) where owner_id = $1", anna
        )
    assert lot is not None
    assert tuple(lot) == (terms.PROGRAMME, "compensation", "2099-01-01")
    assert reference == b"adjustment:" + UUID(told["adjustment_id"]).bytes
    one = await client.get(f"{ADJUSTMENTS}/{told['adjustment_id']}", headers=bearing("adjustments:read"))
    assert one.json() == told


async def test_the_key_is_the_adjustments_identity_for_ever(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    key = uuid4().hex
    first = await adjust(client, asked(anna, 100), key=key)
    again = await adjust(client, asked(anna, 100), key=key)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    async with module_accrual.database.transaction() as transaction:  # a week later the answer is forgotten
        await transaction.raw.execute("delete from idempotency")

    late = await adjust(client, asked(anna, 100), key=key)
    other = await adjust(client, asked(anna, 101), key=uuid4().hex)
    async with module_accrual.database.transaction() as transaction:
        await transaction.raw.execute("delete from idempotency")
    clash = await adjust(client, asked(anna, 102), key=key)

    assert (late.status_code, late.json()["adjustment_id"]) == (201, first.json()["adjustment_id"])
    assert other.status_code == 201
    assert slug(clash) == (409, "adjustment-exists")
    assert (await module_accrual.balance(anna)).available == 201


async def test_taking_never_goes_below_zero_and_is_clipped_where_it_is_asked_for(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    await adjust(client, asked(anna, 300))
    too_much = await adjust(client, asked(anna, -301))
    assert slug(too_much) == (409, "insufficient-points")
    assert await module_accrual.balance(anna) == Balances(available=300)
    kept = await listed(client, member_id=str(anna), state="refused")
    assert [(each["points"], each["refused_because"]) for each in kept] == [(-301, "insufficient_points")]

    some = await adjust(client, asked(anna, -100, reason_code="mistake"))
    rest = await adjust(client, asked(anna, -301, clip=True))

    assert (some.json()["posted_points"], rest.json()["posted_points"]) == (-100, -200)
    assert await module_accrual.balance(anna) == Balances()
    events = [event for event in await module_accrual.drain() if isinstance(event, PointsAdjusted)]
    assert [(event.data.points, event.data.shortfall) for event in events] == [(300, 0), (-100, 0), (-200, 101)]


async def test_what_is_asked_for_wrongly_is_refused_at_its_field(client: Client, anna: UUID) -> None:
    wrong: list[tuple[dict[str, Any], tuple[int, str]]] = [
        (asked(anna, 0), (422, "unusable-adjustment")),
        (asked(anna, 5, reason_code="because"), (422, "unknown-reason")),
        (asked(anna, 5, note="mail ada@example.com"), (422, "unusable-adjustment")),
        (asked(anna, 5, point_type="miles"), (422, "invalid-request")),
        (asked(anna, 5, expires_on="2020-01-01"), (422, "unusable-adjustment")),
        (asked(anna, True), (422, "invalid-request")),
        (asked(member(9_999), 5), (404, "not-found")),
    ]
    for body, refusal in wrong:
        assert slug(await adjust(client, body)) == refusal, body
    bound = bearing("adjustments:write", client_id="acme", partner_id="acme")
    assert slug(await client.post(ADJUSTMENTS, json=asked(anna, 5), headers=bound)) == (403, "programme-only")
    assert await listed(client, member_id=str(anna)) == []


async def test_a_large_one_waits_for_a_second_person(client: Client, module_accrual: Accrual, anna: UUID) -> None:
    large = (await adjust(client, asked(anna, 10_001))).json()
    small_debit = (await adjust(client, asked(anna, -20_000, clip=True))).json()
    assert (large["state"], small_debit["state"]) == ("waiting", "waiting")
    assert await module_accrual.balance(anna) == Balances()
    path = f"{ADJUSTMENTS}/{large['adjustment_id']}"

    assert slug(await decide(client, f"{path}/approve", by=SUPPORT)) == (403, "own-adjustment")
    approved = await decide(client, f"{path}/approve")
    again = await decide(client, f"{path}/approve")
    late = await decide(client, f"{path}/refuse")
    turned_down = await decide(client, f"{ADJUSTMENTS}/{small_debit['adjustment_id']}/refuse")

    assert (approved.json()["state"], approved.json()["decided_by"]) == ("posted", BOSS)
    assert again.json() == approved.json()
    assert slug(late) == (409, "adjustment-decided")
    assert (turned_down.json()["state"], turned_down.json()["refused_because"]) == ("refused", "not_approved")
    assert await module_accrual.balance(anna) == Balances(available=10_001)
    assert {each["state"] for each in await listed(client, member_id=str(anna), author=SUPPORT)} == {
        "posted",
        "refused",
    }
    assert await listed(client, member_id=str(anna), author=BOSS) == []


async def test_what_became_impossible_while_it_waited_is_refused_with_its_reason(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    await adjust(client, asked(anna, 10_000))
    waiting = [(await adjust(client, asked(anna, points))).json() for points in (-10_001, 20_000)]
    await module_accrual.members(status_changed(anna, "closed"))
    answers = [await decide(client, f"{ADJUSTMENTS}/{each['adjustment_id']}/approve") for each in waiting]
    assert [slug(answer) for answer in answers] == [(409, "member-closed")] * 2
    assert slug(await adjust(client, asked(anna, 5))) == (409, "member-closed")
    assert await module_accrual.balance(anna) == Balances(available=10_000)
    assert await listed(client, member_id=str(anna), state="waiting") == []


async def test_two_approve_at_once_and_one_approves_while_another_refuses(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    first = (await adjust(client, asked(anna, 20_000))).json()["adjustment_id"]
    second = (await adjust(client, asked(anna, 30_000))).json()["adjustment_id"]

    answers = await asyncio.gather(
        *(decide(client, f"{ADJUSTMENTS}/{first}/approve", by=f"{BOSS}-{number}") for number in range(4))
    )
    mixed = await asyncio.gather(
        decide(client, f"{ADJUSTMENTS}/{second}/approve"), decide(client, f"{ADJUSTMENTS}/{second}/refuse")
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert sorted(answer.status_code for answer in mixed) == [200, 409]
    is_posted = mixed[0].status_code == 200
    assert (await module_accrual.balance(anna)).available == (50_000 if is_posted else 20_000)


async def test_a_merged_members_goes_to_the_survivor_also_while_the_merge_runs(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    anne, carla = new_member(), new_member()
    await module_accrual.members(enrolled(anne), enrolled(carla))
    waiting = UUID((await adjust(client, asked(anne, 10_001))).json()["adjustment_id"])

    async def approve(transaction: Transaction) -> None:
        # What the merge has changed under us is found at the lock, and the transaction begun again.
        with pytest.raises(Exception, match="merged away meanwhile"):
            await approve_adjustment(transaction, waiting, BOSS, PROGRAMME, KnownTierSchemes())

    await interleave(
        module_accrual.database, lambda merging: project_members(merging, [merged_into(anna, anne)]), approve
    )
    approved = await decide(client, f"{ADJUSTMENTS}/{waiting}/approve")
    direct = await adjust(client, asked(anne, 9))

    assert (approved.status_code, direct.status_code) == (200, 201)
    assert await module_accrual.balance(anna) == Balances(available=10_010)
    assert len(await listed(client, member_id=str(anna))) == 2
    assert await listed(client, member_id=str(carla)) == []
    told = [event.data.member_id for event in await module_accrual.drain() if isinstance(event, PointsAdjusted)]
    assert told == [anna, anna]


async def test_giving_clears_what_is_owed_and_held_points_are_left_alone(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    await adjust(client, asked(anna, 100))
    async with module_accrual.database.transaction() as transaction:
        await post(transaction, [Reserve(anna, "points", b"checkout", 60, uuid4())])

    assert slug(await adjust(client, asked(anna, -41))) == (409, "insufficient-points")
    taken = await adjust(client, asked(anna, -41, clip=True))
    assert taken.json()["posted_points"] == -40
    assert await module_accrual.balance(anna) == Balances(held=60)


async def test_an_erased_members_notes_are_forgotten_and_what_happened_is_not(
    client: Client, module_accrual: Accrual, anna: UUID
) -> None:
    key = uuid4().hex
    first = await adjust(client, asked(anna, 7, note="was very angry"), key=key)
    await adjust(client, asked(anna, 20_000, note="was angrier"))
    data = await client.get(f"/v1/members/{anna}/data", headers=bearing("members:data"))
    told = data.json()["items"]
    assert {(item["kind"], item["points"], item["note"]) for item in told} == {
        ("adjustment", 7, "was very angry"),
        ("adjustment", 20_000, "was angrier"),
    }
    assert SUPPORT not in data.text

    await module_accrual.members(erased(anna))

    rows = await listed(client, member_id=str(anna))
    assert [(row["note"], row["state"]) for row in rows] == [(None, "waiting"), (None, "posted")]
    refused = await decide(client, f"{ADJUSTMENTS}/{rows[0]['adjustment_id']}/approve")
    assert slug(refused) == (409, "member-erased")
    async with module_accrual.database.transaction() as transaction:
        kept = await transaction.raw.fetch("select body from idempotency where position('angr'::bytea in body) > 0")
    assert kept == []
    again = await adjust(client, asked(anna, 7, note="was very angry"), key=key)  # whoever missed the answer
    assert again.json() == first.json() | {"note": None}


async def test_the_ledger_bears_all_of_it_out(module_database: FreshDatabase) -> None:
    assert (await verified(module_database)).findings == ()
