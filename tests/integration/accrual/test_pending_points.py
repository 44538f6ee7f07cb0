"""Points wait by days, for a date and for events on the real tables, and are released: by time, told, beside others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx2
import pytest

from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds
from services.accrual.use_cases.release_points import release_page
from shared.database import Transaction
from shared.database.roles import role_name
from shared.events.points import PointsReleased
from shared.events.purchases import PurchaseRecorded
from shared.ledger import Balances, HeldSince
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined, new_member
from tests.support.accrual_tiers import publish
from tests.support.adjusting import Client, slug
from tests.support.applications import application
from tests.support.databases import FreshDatabase
from tests.support.earning_in_parts import balances, hold, hold_decision, release
from tests.support.interleaving import interleave
from tests.support.ledger_database import verified
from tests.support.moving_clock import NEW_YORK, MovingClock
from tests.support.pending_points import LATE, RULES, bought, lots, numbers, result, run_releases, tell, told
from tests.support.receipt_moves import moving
from tests.support.receipts import enrolled, line, merged_into, return_of
from tests.support.registries import bearing
from tests.support.tiers import scheme


@pytest.fixture(scope="module")
async def accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database, RULES, zone=NEW_YORK) as accrual:
        yield accrual


@pytest.fixture(scope="module")
async def client(module_database: FreshDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    async with application("accrual", module_database.url(role_name("accrual"))) as app:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.fixture
async def owner(accrual: Accrual) -> UUID:
    return await joined(accrual)


async def test_points_wait_for_days_to_the_last_second(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID, module_database: FreshDatabase
) -> None:
    """Two days: from the first second of the second day after the receipt's, and to the end of a day from then."""
    await accrual.award(await bought(clock, owner, line(1, 1_000, "WAITS")))

    assert await told(accrual) == [
        ("PointsEarned", "points", 10, 10),
        ("PointsEarned", "status", 20, 0),
        ("PointsPending", "status", 20, 0),
        ("PointsEarned", "points", 10, 10),
        ("PointsPending", "points", 10, 10),
    ]
    await clock.set_to(day + timedelta(days=1), LATE)
    await run_releases(accrual)
    assert await balances(accrual, owner) == Balances(available=10, pending=10)

    free = day + timedelta(days=2)
    await clock.set_to(free)
    await run_releases(accrual)
    await run_releases(accrual)

    assert await told(accrual) == [("PointsReleased", "status", 20, 20), ("PointsReleased", "points", 10, 20)]
    assert await lots(accrual, owner) == [
        ("points", 10, False, free, free + timedelta(days=1)),
        ("points", 10, False, day, day + timedelta(days=10)),
        ("status", 20, False, free, free + timedelta(days=10)),
    ]
    assert (await verified(module_database)).is_sound


async def test_what_is_awarded_after_its_day_waits_no_more(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID
) -> None:
    late = await bought(clock, owner, line(1, 1_000, "WAITS"))
    await clock.set_to(day + timedelta(days=2))
    await accrual.award(late)

    assert await balances(accrual, owner) == Balances(available=20)
    assert [kind for kind, *_ in await told(accrual)] == ["PointsEarned"] * 3


async def test_an_outage_is_made_up_for_in_the_order_of_days_page_by_page(
    accrual: Accrual, clock: MovingClock, day: date
) -> None:
    """A worker that dies before or after a commit leaves the rest to the next: what is done shows in the parts."""
    owners = [new_member() for _ in range(3)]
    await accrual.members(*(enrolled(owner) for owner in owners))
    for owner in owners:  # the last one's day is the first
        await accrual.award(await bought(clock, owner, line(1, 1_000, "WAITS")))
        await clock.next_noon()
    await accrual.drain()
    await clock.set_to(day + timedelta(days=9))

    with pytest.raises(RuntimeError, match="before the commit"):
        await accrual.database.run(_released_and_then_gone)
    async with accrual.database.transaction() as transaction:
        assert await release_page(transaction, 2, HeldSince()) == 2
    await asyncio.gather(run_releases(accrual, 1), run_releases(accrual, 1))

    released = [event.data for event in await accrual.drain() if isinstance(event, PointsReleased)]
    async with accrual.database.transaction() as transaction:
        moved = await transaction.raw.fetch(
            "select owner_id from ledger_transfers join ledger_accounts using (account_id)"
            " where purpose = 'release' and point_type = 'status' and owner_id = any($1) order by transfer_id",
            owners,
        )
    assert [row["owner_id"] for row in moved] == owners
    assert [len([data for data in released if data.member_id == owner]) for owner in owners] == [2, 2, 2]
    # What could be spent for a day only lapsed while nobody was there to release it; the rest has its own days.
    assert [await balances(accrual, owner, "status") for owner in owners] == [Balances(available=20)] * 3


async def _released_and_then_gone(transaction: Transaction) -> None:
    assert await release_page(transaction, 2, HeldSince()) == 2
    raise RuntimeError("before the commit")


async def test_what_comes_back_of_it_is_taken_before_and_after_its_release_alike(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID
) -> None:
    before, after = [await bought(clock, owner, line(1, 1_000, "WAITS")) for _ in range(2)]
    await accrual.award(before, after)
    await accrual.award(return_of(before, next(numbers), {1: 400}))
    assert await balances(accrual, owner) == Balances(available=16, pending=16)
    await clock.set_to(day + timedelta(days=2))
    await run_releases(accrual)
    await accrual.award(return_of(after, next(numbers), {1: 400}))
    assert await balances(accrual, owner) == Balances(available=24)
    assert await balances(accrual, owner, "status") == Balances(available=24)
    await accrual.award(return_of(after, next(numbers), {1: 600}), return_of(before, next(numbers), {1: 600}))

    assert await balances(accrual, owner) == await balances(accrual, owner, "status") == Balances()
    await run_releases(accrual)
    assert not [one for one in await told(accrual) if one[0] == "PointsReleased"][2 * 2 :]


@pytest.mark.parametrize("is_hold_first", [True, False])
async def test_what_is_due_under_a_hold_is_free_with_the_holds_release(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID, is_hold_first: bool
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "WAITS"))
    if is_hold_first:
        await hold(accrual, receipt)
    await accrual.award(receipt)
    if not is_hold_first:
        await hold(accrual, receipt)
    assert await balances(accrual, owner) == Balances(pending=20)
    await clock.set_to(day + timedelta(days=2), time(9))
    await run_releases(accrual)
    assert await balances(accrual, owner) == Balances(pending=20)

    await accrual.award(return_of(receipt, next(numbers), {1: 500}))
    await release(accrual, receipt)
    await release(accrual, receipt)

    assert await balances(accrual, owner) == Balances(available=10)
    await hold(accrual, receipt, 3)
    assert await balances(accrual, owner) == Balances(pending=10)
    await release(accrual, receipt, 4)
    assert await balances(accrual, owner) == Balances(available=10)
    assert await balances(accrual, owner, "status") == Balances(available=10)


async def test_a_holds_release_frees_nothing_that_still_waits(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "WAITS"))
    await accrual.award(receipt)
    await hold(accrual, receipt)
    await release(accrual, receipt)

    assert await balances(accrual, owner) == Balances(available=10, pending=10)
    await clock.set_to(day + timedelta(days=2))
    await run_releases(accrual)
    assert await balances(accrual, owner) == Balances(available=20)


async def test_an_event_releases_what_waits_for_it_and_its_day_says_how_long_that_lasts(
    accrual: Accrual, client: Client, clock: MovingClock, day: date, owner: UUID
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "ORDER"))
    await accrual.award(receipt)
    assert await balances(accrual, owner) == Balances(available=10, pending=10)
    assert (await tell(client, receipt, "picked_up")).json()["result"] == "nothing_waits"
    told_on = await clock.next_noon()

    answer, again = await tell(client, receipt), await tell(client, receipt)

    assert answer.json() == again.json()
    assert answer.json()["parts"] == [{"point_type": "points", "points": 10, "result": "released"}]
    assert await lots(accrual, owner) == [
        ("points", 10, False, day, day + timedelta(days=10)),
        ("points", 10, False, told_on, told_on + timedelta(days=10)),
    ]
    released = [event.data for event in await accrual.drain() if isinstance(event, PointsReleased)]
    assert [(data.points, data.reason, data.part, data.expires_on) for data in released] == [
        (10, "delivered", 1, told_on + timedelta(days=10))
    ]
    shown = await client.get(f"/v1/receipts/{receipt.data.receipt_id}", headers=bearing("receipts:read"))
    assert [part["state"] for part in shown.json()["award"]["parts"]] == ["earned", "released"]
    await clock.set_to(day + timedelta(days=9))
    await run_releases(accrual)
    await accrual.award(return_of(receipt, next(numbers), {1: 1_000}))
    assert await balances(accrual, owner) == Balances()


async def test_an_event_may_come_before_its_receipt(
    accrual: Accrual, client: Client, clock: MovingClock, day: date, owner: UUID
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "ORDER"))

    assert await result(client, receipt) == "recorded"
    await accrual.award(receipt)

    assert await balances(accrual, owner) == Balances(available=20)
    assert await result(client, receipt) == "released"
    assert await lots(accrual, owner) == [("points", 20, False, day, day + timedelta(days=10))]


async def test_what_an_event_is_waited_for_in_vain_lapses_or_is_released_when_the_last_day_has_ended(
    accrual: Accrual, client: Client, clock: MovingClock, day: date, owner: UUID, module_database: FreshDatabase
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "ORDER"), line(2, 500, "GIFT"))
    await accrual.award(receipt)
    await accrual.award(return_of(receipt, next(numbers), {1: 200}))
    await accrual.drain()
    await clock.set_to(day + timedelta(days=3), LATE)
    await run_releases(accrual)
    assert await balances(accrual, owner) == Balances(available=13, pending=13)
    over = day + timedelta(days=4)
    await clock.set_to(over)
    assert await result(client, receipt) == "too_late"
    await run_releases(accrual)

    assert await told(accrual) == [("PointsLapsed", "points", 8, 13), ("PointsReleased", "points", 5, 18)]
    assert await lots(accrual, owner) == [
        ("points", 13, False, day, day + timedelta(days=10)),
        ("points", 5, False, over, over + timedelta(days=10)),
    ]
    assert [part["result"] for part in (await tell(client, receipt)).json()["parts"]] == ["too_late", "released"]
    await accrual.award(return_of(receipt, next(numbers), {1: 800, 2: 1_000}))  # nothing is taken of what is gone
    assert await balances(accrual, owner) == Balances()
    assert (await verified(module_database)).is_sound


async def test_what_comes_too_late_is_so_before_its_receipt_too_and_what_was_released_at_last_waits_no_more_when_moved(
    accrual: Accrual, client: Client, clock: MovingClock, day: date, owner: UUID
) -> None:
    other = await joined(accrual)
    receipt = await bought(clock, owner, line(1, 1_000, "ORDER"), line(2, 500, "GIFT"))
    gift = await bought(clock, owner, line(1, 500, "GIFT"))
    await accrual.award(gift)
    await clock.set_to(day + timedelta(days=4))
    await run_releases(accrual)
    assert await result(client, receipt) == "recorded"

    await accrual.award(receipt)
    await run_releases(accrual)
    await accrual.database.run(moving(accrual, gift, owner, other))

    assert await balances(accrual, owner) == Balances(available=15 + 5)
    assert await balances(accrual, other) == Balances(available=5 + 5)


async def test_an_event_under_a_hold_waits_for_the_holds_release(
    accrual: Accrual, client: Client, clock: MovingClock, day: date, owner: UUID
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "ORDER"))
    await accrual.award(receipt)
    await hold(accrual, receipt)

    assert await result(client, receipt) == "held"
    await clock.set_to(day + timedelta(days=8))
    await run_releases(accrual)  # what came in time does not lapse
    assert await balances(accrual, owner) == Balances(pending=20)
    await release(accrual, receipt)

    assert await balances(accrual, owner) == Balances(available=20)
    assert await result(client, receipt) == "released"


async def test_another_partners_receipt_is_not_found(
    accrual: Accrual, client: Client, clock: MovingClock, owner: UUID
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "ORDER"))
    returned = return_of(receipt, next(numbers), {1: 1_000})
    await accrual.award(receipt, returned)

    assert slug(await tell(client, receipt, partner_id="fuel")) == (404, "not-found")
    for receipt_id in ("nothing", returned.data.receipt_id):
        url = f"/v1/receipts/{receipt_id}:release"
        answer = await client.post(url, json={"event": "delivered"}, headers=bearing("receipts:release"))
        assert slug(answer) == ((404, "not-found") if receipt_id == "nothing" else (409, "receipt-earns-nothing"))
    assert (await tell(client, receipt, partner_id=None)).status_code == 200


Racing = Callable[[Accrual, PurchaseRecorded], Callable[[Any], Awaitable[object]]]


def returning(accrual: Accrual, receipt: PurchaseRecorded) -> Callable[[Any], Awaitable[object]]:
    back = return_of(receipt, next(numbers), {1: 1_000})
    return lambda transaction: accrual.award_in(transaction, [back])


def holding(_: Accrual, receipt: PurchaseRecorded) -> Callable[[Any], Awaitable[object]]:
    return lambda transaction: apply_fraud_holds(transaction, [hold_decision(receipt)])


@pytest.mark.parametrize("is_release_first", [True, False])
@pytest.mark.parametrize("other", [returning, holding])
async def test_a_release_beside_a_return_or_a_hold_leaves_what_either_order_leaves(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID, other: Racing, is_release_first: bool
) -> None:
    receipt = await bought(clock, owner, line(1, 1_000, "WAITS"))
    await accrual.award(receipt)
    await clock.set_to(day + timedelta(days=2))
    both = [partial(release_page, parts_max=100, held_since=HeldSince()), other(accrual, receipt)]

    await interleave(accrual.database, *(both if is_release_first else reversed(both)))

    await run_releases(accrual)
    expected = Balances() if other is returning else Balances(pending=20)
    assert await balances(accrual, owner) == await balances(accrual, owner, "status") == expected
    if other is holding:
        await release(accrual, receipt)
        assert await balances(accrual, owner) == Balances(available=20)


async def test_what_waits_goes_with_a_merge_and_is_released_and_taken_back_there(
    accrual: Accrual, client: Client, clock: MovingClock, day: date, owner: UUID
) -> None:
    survivor = new_member()
    await accrual.members(enrolled(survivor))
    receipt = await bought(clock, owner, line(1, 1_000, "WAITS"), line(2, 500, "ORDER"))
    await accrual.award(receipt)
    await accrual.members(merged_into(survivor, owner))

    assert await result(client, receipt) == "released"
    await clock.set_to(day + timedelta(days=2))
    await run_releases(accrual)
    assert await balances(accrual, survivor) == Balances(available=15 + 10 + 5)
    assert await balances(accrual, survivor, "status") == Balances(available=20)
    released = [event.data for event in await accrual.drain() if isinstance(event, PointsReleased)]
    assert {data.member_id for data in released} == {survivor}
    await accrual.award(return_of(receipt, next(numbers), {1: 1_000, 2: 1_000}))
    assert await balances(accrual, survivor) == await balances(accrual, survivor, "status") == Balances()


async def test_what_waits_counts_towards_tiers_until_it_lapses(
    accrual: Accrual, clock: MovingClock, day: date, owner: UUID
) -> None:
    await publish(accrual, scheme())
    receipt = await bought(clock, owner, line(1, 1_000, "ORDER"))
    await accrual.award(receipt, return_of(receipt, next(numbers), {1: 200}))
    counted = "select points from tier_days where member_id = $1"
    async with accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval(counted, owner) == 16

    await clock.set_to(day + timedelta(days=4))
    await run_releases(accrual)

    async with accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval(counted, owner) == 8
