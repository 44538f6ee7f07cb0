"""Accrual's worker on the real broker and database: what it cannot take harms nothing beside it."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest

from services.accrual.app import build
from services.accrual.settings import AccrualSettings
from shared.database import Database
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseRecorded
from shared.kafka import KafkaSettings
from shared.kafka.producer import EventProducer, OutgoingRecord
from tests.support.accrual import Accrual
from tests.support.databases import FreshDatabase
from tests.support.receipts import enrolled, line, member, purchase
from tests.support.running import running
from tests.support.until import until

ANNA = member(1)
HEALTHY = 1_000
SEND_SECONDS_MAX = 30.0


@pytest.fixture
async def accrual(fresh_database: FreshDatabase) -> AsyncIterator[Accrual]:
    database = Database(fresh_database.url("tessera_accrual"))
    accrual = Accrual(database)
    await accrual.begin()
    await accrual.members(enrolled(ANNA))
    yield accrual
    await database.close()


@pytest.fixture
async def worker(
    accrual: Accrual, fresh_database: FreshDatabase, kafka_settings: KafkaSettings
) -> AsyncIterator[httpx2.AsyncClient]:
    del accrual
    async with running("accrual", AccrualSettings, build, fresh_database, "worker", kafka_settings) as client:
        yield client


def record(body: bytes, event_type: str = "loyalty.purchase.recorded.v1") -> OutgoingRecord:
    headers = (("type", event_type.encode()), ("points_tender", b"0"))
    return OutgoingRecord(PURCHASES.topic, str(ANNA).encode(), body, headers)


def naming_no_receipt() -> PurchaseRecorded:
    """Valid by its schema, and its receipt id is none: nobody can ever decide it."""
    broken = purchase(9_999, [line(1, 1000)], owner=ANNA)
    data = broken.data.model_copy(update={"receipt_id": broken.data.receipt_id[:-1] + "!"})
    return broken.model_copy(update={"data": data})


async def test_poison_is_put_aside_one_by_one_and_healthy_records_are_unharmed(
    accrual: Accrual,
    worker: httpx2.AsyncClient,
    kafka_settings: KafkaSettings,
    fresh_database: FreshDatabase,
) -> None:
    healthy = [record(purchase(number, 1000, owner=ANNA).to_bytes()) for number in range(HEALTHY)]
    poison = [
        record(b"\xff\x00 not json"),
        record(b'{"type": "loyalty.purchase.forgotten.v1"}', "loyalty.purchase.forgotten.v1"),
        record(b'{"type": "loyalty.purchase.recorded.v1", "specversion": "1.0"}'),
        record(naming_no_receipt().to_bytes()),
    ]
    records = list(healthy)
    for index, bad in enumerate(poison):
        records.insert(200 * (index + 1), bad)
    producer = EventProducer(kafka_settings)
    await producer.send_all(records, deadline_seconds=SEND_SECONDS_MAX)
    await producer.stop()

    admin = await asyncpg.connect(fresh_database.admin_url)

    async def is_done() -> bool:
        awarded = await admin.fetchval("select count(*) from accrual.claims where state = 'awarded'")
        letters = await admin.fetchval("select count(*) from accrual.dead_letters")
        return bool(awarded == HEALTHY and letters == len(poison))

    await until(is_done)
    causes = await admin.fetch("select cause from accrual.dead_letters order by topic_offset")
    await admin.close()
    assert [row["cause"] for row in causes] == ["not_json", "unknown_type", "schema", "rejected"]
    assert (await accrual.balance(ANNA)).available == HEALTHY * 10
    assert "tessera_consumer_dead_letters_total" in (await worker.get("/metrics")).text


async def test_an_implausible_receipt_is_refused_and_holds_nobody_up(accrual: Accrual) -> None:
    report = await accrual.award(purchase(1, 10**16, owner=ANNA), purchase(2, 1000, owner=ANNA))

    assert report.refused == {"implausible_points": 1}
    assert (await accrual.balance(ANNA)).available == 10


async def test_what_cannot_be_stored_is_dead_lettered_and_its_claim_says_failed(
    accrual: Accrual, worker: httpx2.AsyncClient, kafka_settings: KafkaSettings, fresh_database: FreshDatabase
) -> None:
    del accrual, worker
    impossible = purchase(1, [line(1, 100)], owner=ANNA)
    unstorable = impossible.model_copy(
        update={"data": impossible.data.model_copy(update={"partner_id": "grocer", "till_id": "1\x00"})}
    )
    producer = EventProducer(kafka_settings)
    await producer.send_all([record(unstorable.to_bytes())], deadline_seconds=SEND_SECONDS_MAX)
    await producer.stop()
    admin = await asyncpg.connect(fresh_database.admin_url)

    async def state() -> str | None:
        found: str | None = await admin.fetchval("select state from accrual.claims")
        return found

    await until(state)
    letters = await admin.fetchval("select count(*) from accrual.dead_letters")
    assert (await state(), letters) == ("failed", 1)
    await admin.close()
