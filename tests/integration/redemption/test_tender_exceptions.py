"""A day's list: what receipts took without a hold, what no balance covered, what contradicts itself."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from shared.events.redemptions import RedemptionCaptured
from shared.ids import new_id
from tests.support.adjusting import slug
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
    another = now - timedelta(days=2)  # the day is the programme's: yesterday in UTC may be today there
    assert await listed(client, date=another.date().isoformat()) == []
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


async def settle(client: httpx2.AsyncClient, exception_id: str, reason: str, by: str = "ann") -> httpx2.Response:
    headers = bearing("tender-exceptions:settle", client_id=by)
    return await client.post(
        f"/v1/tender-exceptions/{exception_id}/settle", json={"reason_code": reason}, headers=headers
    )


async def test_a_person_settles_what_stands_in_the_list_once(spending: Spending, client: httpx2.AsyncClient) -> None:
    """A receipt without a hold, which has no row of its own, and a contradiction, which has."""
    await spending.enrol(ANNA, 1000)
    foreign = (await spending.held(ANNA, 100)).redemption_id
    await spending.settle(tender_of(paid_with_points(1, 10, None, owner=ANNA)))
    await spending.settle(tender_of(paid_with_points(2, 30, foreign, owner=ANNA, partner_id="fuel")))
    found = await listed(client, None)
    assert [one["kind"] for one in found] == ["late", "other_partner"]
    assert found == await listed(client, None, state="open")
    assert len(await spending.exceptions()) == 1

    for one in found:
        first = await settle(client, one["exception_id"], "asked-partner")
        again = await settle(client, one["exception_id"], "asked-partner", by="bob")
        other = await settle(client, one["exception_id"], "forgiven")

        assert first.status_code == 200
        now = first.json()
        assert (now["settled_by"], now["author"], now["settled_because"]) == ("person", "ann", "asked-partner")
        assert again.json() == now
        assert now["settled_at"] is not None
        assert slug(other) == (409, "settled-otherwise")
        assert {name: now[name] for name in one if not name.startswith(("settled", "author"))} == {
            name: one[name] for name in one if not name.startswith(("settled", "author"))
        }

    assert await listed(client, None, state="open") == []
    assert [one["kind"] for one in await listed(client, None, state="settled")] == ["late", "other_partner"]
    assert await spending.exceptions() == []
    await spending.check([ANNA], 1000)


async def test_what_settled_itself_is_nobodys_to_settle(spending: Spending, client: httpx2.AsyncClient) -> None:
    await spending.enrol(ANNA, 1000)
    foreign = (await spending.held(ANNA, 100)).redemption_id
    paid = tender_of(paid_with_points(2, 30, foreign, owner=ANNA, partner_id="fuel"))
    await spending.settle(paid)
    await spending.refuse(paid)
    [found] = await listed(client, "fuel")
    assert (found["settled_by"], found["author"]) == ("receipt_refused", None)

    assert slug(await settle(client, found["exception_id"], "forgiven")) == (409, "settled-by-itself")
    assert slug(await settle(client, str(new_id()), "forgiven")) == (404, "not-found")
    at = f"/v1/tender-exceptions/{found['exception_id']}/settle"
    for headers, status in (
        (bearing("tender-exceptions:settle", client_id="f", partner_id="fuel"), 403),
        (bearing("tender-exceptions:read"), 403),
    ):
        assert (await client.post(at, json={"reason_code": "forgiven"}, headers=headers)).status_code == status
    unnamed = await client.post(at, json={}, headers=bearing("tender-exceptions:settle"))
    assert unnamed.status_code == 422


async def test_of_two_who_settle_it_at_once_for_other_reasons_one_does(
    spending: Spending, client: httpx2.AsyncClient
) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.settle(tender_of(paid_with_points(1, 10, None, owner=ANNA)))
    [found] = await listed(client)
    reasons = [f"reason-{number}" for number in range(6)]
    answers = await asyncio.gather(*(settle(client, found["exception_id"], one) for one in reasons))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    [settled] = await listed(client)
    assert {settled["settled_because"]} == {
        answer.json()["settled_because"] for answer in answers if answer.status_code == 200
    }


async def test_only_with_its_scope_and_for_a_day(client: httpx2.AsyncClient) -> None:
    reading = bearing("redemptions:read", partner_id="grocer")
    assert (await client.get("/v1/tender-exceptions", headers=reading)).status_code == 403
    headers = bearing("tender-exceptions:read")
    for day in ("yesterday", "9999-12-31"):
        bad = await client.get("/v1/tender-exceptions", params={"date": day}, headers=headers)
        assert (bad.status_code, bad.json()["errors"][0]["parameter"]) == (422, "query date")
