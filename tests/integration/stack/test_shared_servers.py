from collections.abc import Callable

from aiokafka import AIOKafkaConsumer

from shared.database import Database
from shared.kafka.settings import KafkaSettings
from shared.kafka.topics import declared_topics
from tests.support.databases import FreshDatabase


async def test_a_service_connects_to_a_migrated_database_of_its_own(
    fresh_database: FreshDatabase, database_of: Callable[[str], Database]
) -> None:
    async with database_of("accrual").transaction() as transaction:
        path = await transaction.raw.fetchval("select current_setting('search_path')")
        name = await transaction.raw.fetchval("select current_database()")
    assert path == "accrual, ledger, platform"
    assert name == fresh_database.name


async def test_every_declared_topic_is_there_under_a_prefix_of_its_own(kafka_settings: KafkaSettings) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_settings.bootstrap_servers)
    await consumer.start()
    try:
        topics = {topic for topic in await consumer.topics() if topic.startswith(kafka_settings.topic_prefix)}
    finally:
        await consumer.stop()
    declared = declared_topics(kafka_settings.partitions)
    assert topics == {kafka_settings.wire_name(topic.name) for topic in declared}
