"""Fraud's worker on the real broker: from tills' purchases to holds on the topic."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from services.fraud.app import build
from services.fraud.settings import FraudSettings
from shared.database import Database
from shared.events.catalogue import COALITION, FRAUD, PURCHASES
from shared.events.envelope import Event
from shared.events.fraud import CaseOpened, PointsHoldRequested, SignalRaised
from shared.kafka import KafkaSettings, OutgoingRecord
from shared.kafka.topics import dead_letter_topic
from shared.outbox import Message
from shared.runtime.process import ServiceProcess
from shared.web import StaticKeySource
from tests.support.consuming import read_all, send
from tests.support.databases import FreshDatabase
from tests.support.fraud import ANNA, BERT, MORNING, cashier, changed, member, purchase, receipt_id, till
from tests.support.fraud_service import Scoring
from tests.support.receipts import card
from tests.support.registries import REQUIRED, SIGNER
from tests.support.until import until

STARTED_SECONDS_MAX = 30.0
STOPPED_SECONDS_MAX = 40.0


@asynccontextmanager
async def _worker(database: FreshDatabase, kafka: KafkaSettings) -> AsyncIterator[None]:
    settings = FraudSettings.model_validate(
        REQUIRED
        | {
            "database_url": database.url("tessera_fraud"),
            "kafka_bootstrap_servers": kafka.bootstrap_servers,
            "topic_prefix": kafka.topic_prefix,
            "topic_partitions": kafka.partitions,
            "http_port": 0,
        }
    )
    process = ServiceProcess(
        service="fraud",
        role="worker",
        settings=settings,
        build=build,
        key_source=lambda _: StaticKeySource(SIGNER.public_jwks()),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(stop))
    try:
        await asyncio.wait_for(process.is_started.wait(), STARTED_SECONDS_MAX)
        yield
    finally:
        stop.set()
        assert await asyncio.wait_for(running, STOPPED_SECONDS_MAX) == 0


def _record(event: Event, topic: str, key: str) -> OutgoingRecord:
    message = Message.of(event, topic, key)
    return OutgoingRecord(topic, key.encode(), message.body, message.headers)


def _purchases(*numbers: int, of: int = 1) -> list[OutgoingRecord]:
    return [_record(purchase(number, of=of), PURCHASES.topic, str(member(of))) for number in numbers]


async def test_swipes_become_holds_on_the_topic_and_their_replay_nothing(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings, database_of: Callable[[str], Database]
) -> None:
    scoring = Scoring(database_of("fraud"))
    tills = [_record(till(name), COALITION.topic, "grocer") for name in ("t1", "t2")]
    async with _worker(fresh_database, kafka_settings):
        await send(kafka_settings, [*tills, *_purchases(1, 2, 3)])
        await until(lambda: _has_told_all(scoring, decided=3))
        await send(kafka_settings, _purchases(3, 2, 1, 4))
        await until(lambda: _has_told_all(scoring, decided=4))
    records = await read_all(kafka_settings, FRAUD.topic)
    told = [FRAUD.read(record.value) for record in records]
    first = [CaseOpened, SignalRaised, *[PointsHoldRequested] * 3]
    assert [type(event) for event in told] == [*first, SignalRaised, PointsHoldRequested]
    held = [event.data.receipt_id for event in told if isinstance(event, PointsHoldRequested)]
    assert held == [receipt_id(number) for number in (1, 2, 3, 4)]
    for record in records:
        assert record.key == str(member(1)).encode()
        assert dict(record.headers).keys() == {"type", "id", "traceparent"}


async def test_swipes_of_a_cashiers_own_card_become_holds_on_the_topic(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings, database_of: Callable[[str], Database]
) -> None:
    scoring = Scoring(database_of("fraud"))
    registered = [cashier(ANNA, card(1)), cashier(ANNA, card(1)), cashier(BERT)]
    swiped = [purchase(number, at=MORNING + timedelta(days=number), card=card(1)) for number in (1, 2, 3)]
    async with _worker(fresh_database, kafka_settings):
        await send(kafka_settings, [_record(event, COALITION.topic, "grocer") for event in registered])
        await until(lambda: _knows_operators(scoring, 2))
        await send(kafka_settings, [_record(event, PURCHASES.topic, str(member(1))) for event in swiped])
        await until(lambda: _has_told_all(scoring, decided=3))
    told = [FRAUD.read(record.value) for record in await read_all(kafka_settings, FRAUD.topic)]
    assert [type(event) for event in told] == [CaseOpened, SignalRaised, *[PointsHoldRequested] * 3]


async def test_what_cannot_be_scored_is_put_aside_and_harms_nothing_beside_it(
    fresh_database: FreshDatabase, kafka_settings: KafkaSettings, database_of: Callable[[str], Database]
) -> None:
    scoring = Scoring(database_of("fraud"))
    key = str(member(1))
    of_another_partner = _record(changed(purchase(7), partner_id="fuel"), PURCHASES.topic, key)
    garbage = OutgoingRecord(PURCHASES.topic, key.encode(), b"\xff{", (("type", b"loyalty.purchase.recorded.v1"),))
    unknown = OutgoingRecord(PURCHASES.topic, key.encode(), b"{}", (("type", b"loyalty.receipt.voided.v1"),))
    async with _worker(fresh_database, kafka_settings):
        await send(
            kafka_settings,
            [*_purchases(1, 2), of_another_partner, garbage, unknown, *_purchases(3), *_purchases(9, of=2)],
        )
        await until(lambda: _has_told_all(scoring, decided=4))
    letters = await read_all(kafka_settings, dead_letter_topic(PURCHASES.topic, "fraud"))
    assert [letter.value for letter in letters] == [of_another_partner.body, garbage.body]
    async with scoring.database.transaction() as transaction:
        assert await transaction.raw.fetchval("select count(*) from dead_letters where fate = 'pending'") == 2


async def _has_told_all(scoring: Scoring, *, decided: int) -> bool:
    """Whether so many receipts are decided and the relay has nothing left to send."""
    return len(await scoring.decided()) == decided and not await scoring.told()


async def _knows_operators(scoring: Scoring, count: int) -> bool:
    async with scoring.database.transaction() as transaction:
        return bool(await transaction.raw.fetchval("select count(*) = $1 from operators", count))
