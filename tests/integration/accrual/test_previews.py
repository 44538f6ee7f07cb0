"""What a receipt would earn: the worker's own decision, and not a row more in the database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx2
import pytest

from services.accrual.app import build
from services.accrual.settings import AccrualSettings
from shared.database import Database
from shared.database.roles import role_name
from shared.ids import IdentifierKey, IdentifierType, hash_identifier
from shared.kafka import KafkaSettings
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase, made_database
from tests.support.receipts import enrolled, line, linked, member, merged_into, purchase
from tests.support.registries import IDENTIFIER_KEY, bearing
from tests.support.running import running
from tests.support.servers import TestServers

ANNA, OLD = member(1), member(3)
ANNAS_CARD, OLD_CARD = "400000000001", "400000000003"
GROCER = bearing("receipts:write", partner_id="grocer")
NO_BROKER = KafkaSettings("127.0.0.1:1", partitions=4)


@pytest.fixture(scope="module")
async def own_database(stack: TestServers) -> AsyncIterator[FreshDatabase]:
    async with made_database(stack) as database:
        yield database


@pytest.fixture(scope="module")
async def accrual(own_database: FreshDatabase) -> AsyncIterator[Accrual]:
    """Anna has a card, and answers for who had the third."""
    database = Database(own_database.url(role_name("accrual")))
    accrual = Accrual(database)
    await accrual.begin()
    key = IdentifierKey(1, bytes.fromhex(IDENTIFIER_KEY))
    for owner, number in ((ANNA, ANNAS_CARD), (OLD, OLD_CARD)):
        await accrual.members(enrolled(owner), linked(owner, hash_identifier(IdentifierType.CARD, number, key)))
    await accrual.members(merged_into(ANNA, OLD))
    yield accrual
    await database.close()


@pytest.fixture(scope="module")
async def client(own_database: FreshDatabase, accrual: Accrual) -> AsyncIterator[httpx2.AsyncClient]:
    """Accrual's routes, without a broker: a preview needs none."""
    del accrual
    async with running("accrual", AccrualSettings, build, own_database, "api", NO_BROKER) as client:
        yield client


def basket(card: str | None = ANNAS_CARD, **changes: Any) -> dict[str, Any]:
    """Groceries for 10.00 and fruit for 2.50."""
    identifier = {"identifier": {"type": "card", "value": card}} if card is not None else {}
    return {
        "key": {
            "scheme": "sequence", "store_id": "s1", "till_id": "1", "business_date": "2026-11-01", "shift": 1,
            "number": 1,
        },
        "occurred_at": "2026-11-01T12:00:00Z",
        "currency": "USD",
        "total_minor": 1250,
        "lines": [
            {"line_id": 1, "sku": "sku-1", "category": "GROCERY", "quantity": "1", "amount_minor": 1000},
            {"line_id": 2, "sku": "sku-2", "category": "PRODUCE", "quantity": "1", "amount_minor": 250},
        ],
        **identifier,
    } | changes  # fmt: skip


async def ask(client: httpx2.AsyncClient, body: dict[str, Any]) -> httpx2.Response:
    return await client.post("/v1/receipts:preview", json=body, headers=GROCER)


async def rows(database: FreshDatabase) -> dict[str, int]:
    """How many rows each of the service's and the ledger's tables has."""
    connection = await asyncpg.connect(database.admin_url)
    tables = await connection.fetch(
        "select schemaname || '.' || tablename as name from pg_tables where schemaname in ('accrual', 'ledger')"
    )
    counted = {row["name"]: await connection.fetchval(f"select count(*) from {row['name']}") for row in tables}
    await connection.close()
    return counted


async def test_a_preview_says_what_the_worker_gives_and_writes_nothing(
    client: httpx2.AsyncClient, accrual: Accrual, own_database: FreshDatabase
) -> None:
    before = await rows(own_database)
    answer = await ask(client, basket())
    assert await rows(own_database) == before
    told = answer.json()
    assert (answer.status_code, told["status"], told["points"], told["point_type"]) == (200, "awarded", 14, "points")
    assert told["parts"] == [{"point_type": "points", "points": 14}]
    assert [(each["rule_id"], each["points"]) for each in told["trace"] if each["outcome"] == "applied"] == [
        ("base", 12),
        ("produce", 2),
    ]
    assert told["trace_in_words"][-1] == "In all: 14 points."
    given = await accrual.award(purchase(1, [line(1, 1000), line(2, 250, "PRODUCE")], owner=ANNA))
    assert given.points == told["points"]
    assert (await ask(client, basket())).json() == told  # posted meanwhile: judged as if it had not been


async def test_a_preview_says_who_pays_where_others_sold(client: httpx2.AsyncClient) -> None:
    """10 dollars of 12.50 are acme's: 10 of 12 points of the base, by the larger remainder; no produce."""
    first, second = basket()["lines"]
    told = (await ask(client, basket(lines=[first | {"seller": "acme"}, second]))).json()
    assert told["points"] == 14
    assert told["parts"] == [
        {"point_type": "points", "points": 4},
        {"point_type": "points", "points": 10, "paid_by": ["acme"]},
    ]


@pytest.mark.parametrize("card", ["499999999999", None])
async def test_a_card_that_nobody_knows_previews_as_such(client: httpx2.AsyncClient, card: str | None) -> None:
    told = (await ask(client, basket(card))).json()
    reason = "no_identifier" if card is None else "unknown_identifier"
    assert told == {"status": "parked", "reason": reason}


async def test_a_basket_needs_no_receipt_and_earns_the_same(
    client: httpx2.AsyncClient, own_database: FreshDatabase
) -> None:
    before = await rows(own_database)
    lines = basket()["lines"]
    shown = {"identifier": {"type": "card", "value": ANNAS_CARD}}
    body = {"partner_id": "grocer", "store_id": "s1", "till_id": "1", "currency": "USD", "lines": lines} | shown
    asking = bearing("baskets:preview", client_id="redemption")
    told = (await client.post("/v1/baskets:preview", json=body, headers=asking)).json()
    assert told == {
        "status": "awarded",
        "points": 14,
        "point_type": "points",
        "parts": [{"point_type": "points", "points": 14}],
        "rule_set_version": 1,
    }
    unknown = body | {"identifier": {"type": "card", "value": "499999999999"}}
    told = (await client.post("/v1/baskets:preview", json=unknown, headers=asking)).json()
    assert told == {"status": "parked", "reason": "unknown_identifier"}
    elsewhere = await client.post("/v1/baskets:preview", json=body | {"currency": "EUR"}, headers=asking)
    assert [error["pointer"] for error in elsewhere.json()["errors"]] == ["/currency"]
    assert (await client.post("/v1/baskets:preview", json=body, headers=GROCER)).status_code == 403
    assert await rows(own_database) == before


async def test_who_was_merged_away_earns_as_the_survivor(client: httpx2.AsyncClient) -> None:
    assert (await ask(client, basket(OLD_CARD))).json()["points"] == 14


async def test_what_earns_nothing_says_why(client: httpx2.AsyncClient) -> None:
    told = (await ask(client, basket(training=True))).json()
    assert (told["status"], told["reason"]) == ("refused", "training")
    assert told["detail"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        (
            {"type": "return", "original": {"scheme": "document", "source": "a", "number": "1"}},
            "/lines/0/original_line_id",
        ),
        ({"type": "correction"}, "/type"),
        ({"total_minor": 99}, "/total_minor"),
        ({"currency": "EUR"}, "/currency"),
        ({"occurred_at": "2100-01-01T00:00:00Z"}, "/occurred_at"),
        ({"partner_id": "fuel"}, "/partner_id"),
    ],
)
async def test_what_the_door_would_refuse_is_refused_at_its_field(
    client: httpx2.AsyncClient, changes: dict[str, Any], pointer: str
) -> None:
    answer = await ask(client, basket(**changes))
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_a_till_previews_with_its_own_key(
    client: httpx2.AsyncClient, accrual: Accrual, make_till_key: Callable[[Database], Awaitable[str]]
) -> None:
    till_key = await make_till_key(accrual.database)
    headers = {"Authorization": f"Bearer {till_key}"}
    assert (await client.post("/v1/receipts:preview", json=basket(), headers=headers)).json()["points"] == 14
    reading = await client.post("/v1/receipts:preview", json=basket(), headers=bearing("receipts:read"))
    assert reading.status_code == 403
