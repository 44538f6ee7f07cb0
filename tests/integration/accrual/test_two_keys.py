"""Two identifier keys are valid at a time: a receipt finds its member, or waits for it, under the hash of either."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from services.accrual.app import build
from services.accrual.settings import AccrualSettings
from shared.database import Database
from shared.database.roles import role_name
from shared.ids import IdentifierType
from shared.kafka import KafkaSettings
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase, made_database
from tests.support.member_events import erased
from tests.support.receipts import enrolled, linked, member, purchase
from tests.support.registries import bearing
from tests.support.running import running
from tests.support.servers import TestServers
from tests.support.two_keys import BOTH, SWITCHED
from tests.support.until import until

ANNA, BEN = member(1), member(2)


def hashes(card: str) -> tuple[str, ...]:
    """Under the new key, and under the old one."""
    return BOTH.hashes(IdentifierType.CARD, card)


@pytest.fixture(scope="module")
async def own_database(stack: TestServers) -> AsyncIterator[FreshDatabase]:
    async with made_database(stack) as database:
        yield database


@pytest.fixture(scope="module")
async def programme(own_database: FreshDatabase) -> AsyncIterator[Accrual]:
    """A coalition, rules, Anna and Ben; their cards come with the tests."""
    database = Database(own_database.url(role_name("accrual")))
    programme = Accrual(database)
    await programme.begin()
    await programme.members(enrolled(ANNA), enrolled(BEN))
    yield programme
    await database.close()


@pytest.fixture(scope="module")
async def door(
    own_database: FreshDatabase, programme: Accrual, module_kafka_settings: KafkaSettings
) -> AsyncIterator[httpx2.AsyncClient]:
    """The service after the switch: it hashes with the new key, and knows the old one."""
    del programme
    settings = (AccrualSettings, build, own_database, "both", module_kafka_settings)
    async with running("accrual", *settings, **SWITCHED) as client:  # type: ignore[arg-type]
        yield client


@pytest.fixture
async def accrual(database_of: Callable[[str], Database]) -> Accrual:
    accrual = Accrual(database_of("accrual"))
    await accrual.begin()
    await accrual.members(enrolled(ANNA))
    return accrual


def document(number: int, card: str) -> dict[str, Any]:
    key = {"scheme": "sequence", "store_id": "s1", "till_id": "1", "business_date": "2026-11-01", "shift": 1}
    return {
        "key": key | {"number": number},
        "occurred_at": "2026-11-01T12:00:00-05:00",
        "currency": "USD",
        "identifier": {"type": "card", "value": card},
        "total_minor": 1000,
        "lines": [{"line_id": 1, "sku": "1", "category": "GROCERY", "quantity": "1", "amount_minor": 1000}],
        "tenders": [{"kind": "card", "amount_minor": 1000}],
    }


async def post(door: httpx2.AsyncClient, body: dict[str, Any], **more: str) -> httpx2.Response:
    return await door.post("/v1/receipts", json=body, headers=bearing(partner_id="grocer") | more)


@pytest.mark.parametrize(("card", "position"), [("70000001", 1), ("70000002", 0)], ids=["old key", "new key"])
async def test_a_card_that_is_known_under_one_key_earns(
    door: httpx2.AsyncClient, programme: Accrual, card: str, position: int
) -> None:
    await programme.members(linked(ANNA, hashes(card)[position]))

    answer = await post(door, document(int(card[-1]), card), Prefer="wait=20")

    assert (answer.status_code, answer.json()["points"]) == (200, 10)


async def test_a_receipt_of_an_unknown_card_is_credited_when_the_card_is_registered_under_both_keys(
    door: httpx2.AsyncClient, programme: Accrual
) -> None:
    card = "70000003"
    status_url = (await post(door, document(3, card))).json()["status_url"]

    async def status() -> str:
        return str((await door.get(status_url, headers=bearing(partner_id="grocer"))).json()["status"])

    async def is_waiting() -> bool:
        return await status() == "parked"

    async def is_awarded() -> bool:
        return await status() == "awarded"

    await until(is_waiting)

    await programme.members(*(linked(ANNA, each) for each in reversed(hashes(card))))

    await until(is_awarded)
    again = await post(door, document(3, card))
    assert (again.status_code, again.json()["points"]) == (200, 10)


async def test_what_waited_under_the_old_key_is_let_go_and_awarded_once(accrual: Accrual) -> None:
    new_hash, old_hash = hashes("70000004")
    await accrual.award(purchase(1, 1000, identifier_hash=old_hash))
    await accrual.award(purchase(2, 1000, identifier_hash=new_hash))

    events = [linked(ANNA, new_hash), linked(ANNA, old_hash)]
    await accrual.members(*events)
    released = await accrual.released()
    assert len(released) == 2
    await accrual.award(*released)
    await accrual.members(*reversed(events))
    await accrual.award(*released, purchase(1, 1000, identifier_hash=new_hash))  # the till's retry after the switch

    assert (await accrual.balance(ANNA)).available == 20


async def test_an_erasure_forgets_what_waits_under_either_key(accrual: Accrual) -> None:
    both = hashes("70000005")
    await accrual.members(*(linked(ANNA, each) for each in both))
    for number, each in enumerate(both, 1):
        await accrual.award(purchase(number, 1000, identifier_hash=each, till_id="9"))  # waits for its till

    await accrual.members(erased(ANNA, *both))

    async with accrual.database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from parked where identifier_hash is not null") == 0
        assert await transaction.raw.fetchval("select count(*) from identifiers") == 0
