"""All that a member was told, told again."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx2
import pytest

from services.notifications.api.member_data import member_data_router
from services.notifications.consumer import take_points
from services.notifications.use_cases.add_to_digests import add_to_digests
from services.notifications.use_cases.claim_due_messages import claim_due_messages
from shared.database import Database
from shared.ids import new_id
from shared.point_types import ONE_TYPE
from shared.receipt_key import receipt_id_of
from tests.support.member_data import REFUSED, read_all, refusals, served
from tests.support.notifications import award, happened


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    return database_of("notifications")


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(member_data_router(database)) as opened:
        yield opened


async def test_a_member_is_told_every_message_with_what_it_was_about(
    database: Database, client: httpx2.AsyncClient
) -> None:
    ada, bo = new_id(), new_id()
    for number in range(3):
        about = [award(ada, 2 * number), award(ada, 2 * number + 1), award(bo, 100 + number)]
        async with database.transaction() as transaction:
            await add_to_digests(transaction, about, timedelta(0))
        async with database.transaction() as transaction:
            await claim_due_messages(transaction, 10, timedelta(minutes=5))

    items = await read_all(client, ada)

    assert [item["kind"] for item in items] == ["message"] * 3
    told = {entry["receipt_id"] for item in items for entry in item["entries"]}
    assert told == {receipt_id_of(award(ada, number).receipt_key) for number in range(6)}
    for limit in (1, 2, 3):
        assert await read_all(client, ada, limit) == items
    assert await read_all(client, new_id()) == []


async def test_a_member_is_told_the_news_again_that_a_message_told(
    database: Database, client: httpx2.AsyncClient
) -> None:
    ada = new_id()
    async with database.transaction() as transaction:
        events = [happened("tier", ada, new_tier="gold"), happened("recorded", ada, points=50)]
        await take_points(timedelta(0), timedelta(0), ONE_TYPE)(transaction, events)

    (item,) = await read_all(client, ada)

    assert sorted((told["kind"], told["points"], told["name"]) for told in item["news"]) == [
        ("event", 50, "survey"),
        ("tier", 0, "gold"),
    ]
    assert item["entries"] == []


async def test_who_may_not_ask(client: httpx2.AsyncClient) -> None:
    assert await refusals(client, new_id()) == REFUSED
