"""The till conversation that a checkout opened, in what follows: quotes and holds carry it, tokens keep their own."""

from typing import Any
from uuid import uuid4

import httpx2

from shared.events.redemptions import RedemptionHeld
from shared.ids import new_id
from tests.support.adjusting import slug
from tests.support.receipts import member
from tests.support.redemption import Spending
from tests.support.registries import bearing

ANNA = member(1)
LINES = [{"line_id": 1, "amount_minor": 700}]


async def post(client: httpx2.AsyncClient, path: str, **body: Any) -> httpx2.Response:
    headers = bearing("redemptions:write", client_id="g", partner_id="grocer")
    return await client.post(f"/v1/{path}", json={"member_id": str(ANNA)} | body, headers=headers)


async def test_a_hold_belongs_to_the_session_of_its_quote_as_often_as_points_are_reserved_in_it(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1_000)
    session_id = str(new_id())
    quote = (await post(client, "quotes", lines=LINES, session_id=session_id)).json()
    assert quote["session_id"] == session_id
    for said in ({}, {"session_id": session_id}):
        held = await post(client, "redemptions", points=100, quote_id=quote["quote_id"], **said)
        assert (held.status_code, held.json()["session_id"]) == (201, session_id)
    other = await post(client, "redemptions", points=100, quote_id=quote["quote_id"], session_id=str(uuid4()))
    assert slug(other) == (409, "other-session")
    told = [str(event.data.session_id) for event in await spending.drain() if isinstance(event, RedemptionHeld)]
    assert told == [session_id, session_id]


async def test_without_a_quote_a_hold_belongs_to_the_session_that_the_till_says(
    client: httpx2.AsyncClient, spending: Spending
) -> None:
    await spending.enrol(ANNA, 1_000)
    session_id = str(new_id())
    assert (await post(client, "redemptions", points=1, session_id=session_id)).json()["session_id"] == session_id
    assert (await post(client, "redemptions", points=1)).json()["session_id"] is None
