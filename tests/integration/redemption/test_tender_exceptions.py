"""A day's list: what receipts took without a hold, what no balance covered, what contradicts itself."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from shared.events.redemptions import RedemptionCaptured
from shared.ids import new_id
from tests.support.receipts import member
from tests.support.redemption import Admin, Spending, paid_with_points, tender_of, void_of
from tests.support.registries import bearing

ANNA = member(1)


async def listed(client: httpx2.AsyncClient, partner_id: str | None = "grocer", **query: Any) -> list[dict[str, Any]]:
    headers = bearing("tender-exceptions:read", client_id="c", partner_id=partner_id)
    answer = await client.get("/v1/tender-exceptions", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def gone(spending: Spending, redemption_id: UUID) -> None:
    await spending.void(redemption_id)


async def taken(spending: Spending, redemption_id: UUID) -> None:
    await spending.capture(redemption_id, 90)


@pytest.mark.parametrize(
    ("meanwhile", "points", "reason"),
    [
        (gone, 100, "hold_voided"),
        (taken, 100, "hold_captured"),
        (None, 150, "hold_smaller"),
    ],
)
async def test_it_says_what_had_become_of_the_hold(
    spending: Spending,
    client: httpx2.AsyncClient,
    meanwhile: Callable[[Spending, UUID], Awaitable[None]] | None,
    points: int,
    reason: str,
) -> None:
    await spending.enrol(ANNA, 1000)
    redemption_id = (await spending.held(ANNA, 100)).redemption_id
    if meanwhile is not None:
        await meanwhile(spending, redemption_id)
    await spending.drain()

    await spending.settle(tender_of(paid_with_points(1, points, redemption_id, owner=ANNA)))

    [told] = await spending.drain()
    assert isinstance(told, RedemptionCaptured)
    [found] = await listed(client)
    assert (told.data.late_because, found["kind"], found["reason"]) == (reason, "late", reason)
    late = 50 if reason == "hold_smaller" else 100
    assert (found["captured_points"], found["late_points"], found["charged_to"]) == (points, late, None)


async def test_hours_offline_and_captures_in_any_order(
    spending: Spending, client: httpx2.AsyncClient, admin: Admin
) -> None:
    """Holds of 100 that expired meanwhile, receipts in another order, one whose hold never came: the balance covers
    some of them, the rest is charged to the partner, and all stand in the list of the day on which they came."""
    await spending.enrol(ANNA, 300)
    first, second = [(await spending.held(ANNA, 100)).redemption_id for _ in range(2)]
    now = await spending.advance(admin, timedelta(hours=30))
    await spending.expire(now)
    receipts = [
        tender_of(paid_with_points(3, 150, new_id(), owner=ANNA)),
        tender_of(paid_with_points(2, 100, second, owner=ANNA)),
        tender_of(paid_with_points(1, 100, first, owner=ANNA)),
    ]

    for paid in (*receipts, *reversed(receipts)):
        await spending.settle(paid)

    found = await listed(client)
    assert [(one["kind"], one["reason"], one["asked_points"], one["captured_points"]) for one in found] == [
        ("late", "hold_missing", 150, 150),
        ("late", "hold_expired", 100, 100),
        ("uncovered", "hold_expired", 100, 50),
    ]
    assert [(one["uncovered_points"], one["charged_to"]) for one in found] == [(0, None), (0, None), (50, "partner")]
    assert {one["member_id"] for one in found} == {str(ANNA)}
    assert await listed(client, date=(now - timedelta(days=1)).date().isoformat()) == []
    await spending.check([ANNA], 300)


async def test_a_partner_sees_its_own_and_the_programme_all_page_by_page(
    spending: Spending, client: httpx2.AsyncClient
) -> None:
    await spending.enrol(ANNA, 1000)
    foreign = (await spending.held(ANNA, 100)).redemption_id
    await spending.settle(tender_of(paid_with_points(1, 10, None, owner=ANNA)))
    await spending.settle(tender_of(paid_with_points(2, 20, None, owner=ANNA, partner_id="fuel")))
    await spending.settle(tender_of(paid_with_points(3, 30, foreign, owner=ANNA, partner_id="fuel")))

    assert [one["asked_points"] for one in await listed(client)] == [10]
    assert [(one["asked_points"], one["kind"]) for one in await listed(client, "fuel")] == [
        (20, "late"),
        (30, "other_partner"),
    ]
    headers = bearing("tender-exceptions:read")
    pages: list[list[int]] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        answer = (await client.get("/v1/tender-exceptions", params=query, headers=headers)).json()
        pages.append([one["asked_points"] for one in answer["items"]])
        if answer["next_cursor"] is None:
            break
        query["cursor"] = answer["next_cursor"]
    assert pages == [[10, 20], [30]]


async def test_what_was_voided_since_is_nobodys_loss(spending: Spending, client: httpx2.AsyncClient) -> None:
    await spending.enrol(ANNA)
    paid = tender_of(paid_with_points(1, 40, None, owner=ANNA))
    await spending.settle(paid)
    assert [(one["kind"], one["is_voided"]) for one in await listed(client)] == [("uncovered", False)]

    await spending.void_receipts(void_of(paid.receipt_key, 9, 40))

    assert [(one["kind"], one["is_voided"]) for one in await listed(client)] == [("uncovered", True)]


async def test_only_with_its_scope_and_for_a_day(client: httpx2.AsyncClient) -> None:
    reading = bearing("redemptions:read", partner_id="grocer")
    assert (await client.get("/v1/tender-exceptions", headers=reading)).status_code == 403
    headers = bearing("tender-exceptions:read")
    for day in ("yesterday", "9999-12-31"):
        bad = await client.get("/v1/tender-exceptions", params={"date": day}, headers=headers)
        assert (bad.status_code, bad.json()["errors"][0]["parameter"]) == (422, "query date")
