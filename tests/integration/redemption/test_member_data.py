"""All that redemption keeps of a member, told to the member."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from services.redemption.api.member_data import member_data_router
from services.redemption.use_cases.hold_points import Held
from shared.ids import new_id
from tests.support.member_data import REFUSED, read_all, refusals, served
from tests.support.pooling import Place, move_in, pooled
from tests.support.receipts import card, member
from tests.support.redemption import PROGRAMME, Spending, linked, paid_with_points, tender_of

ANNA, BERT = member(1), member(2)
CARD = card(1)


@pytest.fixture
async def client(spending: Spending) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(member_data_router(spending.database, PROGRAMME)) as opened:
        yield opened


async def test_a_member_is_told_everything_in_pages_of_any_size(spending: Spending, client: httpx2.AsyncClient) -> None:
    await spending.enrol(ANNA, 1000)
    await spending.enrol(BERT, 1000)
    held, paid, waiting = await spending.hold(ANNA, 400), new_id(), new_id()
    assert isinstance(held, Held)
    await spending.hold(BERT, 100)
    await spending.settle(tender_of(paid_with_points(1, 300, paid, owner=ANNA)))
    await spending.settle(tender_of(paid_with_points(2, 50, waiting, identifier_hash=CARD)))
    await spending.members(linked(ANNA, CARD))

    items = await read_all(client, ANNA)

    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_kind.setdefault(item["kind"], []).append(item)
    redemptions = {item["redemption_id"]: item for item in by_kind["redemption"]}
    assert redemptions.keys() == {str(held.redemption.redemption_id), str(paid)}
    assert [capture["points"] for capture in redemptions[str(paid)]["captures"]] == [300]
    (tender,) = by_kind["waiting_tender"]
    assert (tender["redemption_id"], tender["points"]) == (str(waiting), 50)
    lines = [item["line"] for item in items if item["kind"] == "statement_line"]
    assert [line["kind"] for line in lines] == ["spend_late", "reserve", "earn"]
    assert CARD not in str(items)
    for limit in (1, 2, 3):
        assert await read_all(client, ANNA, limit) == items
    assert await read_all(client, member(7)) == []


async def test_who_lent_points_is_told_how_many_and_not_for_whose_purchase(
    spending: Spending, client: httpx2.AsyncClient
) -> None:
    await spending.enrol(ANNA, 100)
    await spending.enrol(BERT, 1000)
    await move_in(spending, 1, Place(ANNA), Place(BERT))
    redemptions = [await pooled(spending, ANNA, points) for points in (150, 50, 60)]
    await spending.capture(redemptions[0].redemption_id, 1, 120)

    lender, spender = await read_all(client, BERT), await read_all(client, ANNA)

    lent = [item for item in lender if item["kind"] == "lent"]
    assert [(item["held_points"], item["open_points"], item["captured_points"]) for item in lent] == [
        (50, 0, 20),
        (50, 50, 0),
        (60, 60, 0),
    ]
    for told_to, secrets in ((lender, [ANNA, *(one.redemption_id for one in redemptions)]), (spender, [BERT])):
        assert not [secret for secret in secrets if str(secret) in str(told_to)]
    for limit in (1, 2, 3):
        assert await read_all(client, BERT, limit) == lender


async def test_who_may_not_ask(client: httpx2.AsyncClient) -> None:
    assert await refusals(client, ANNA) == REFUSED
