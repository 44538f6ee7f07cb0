"""What a test looks at of a whole stack: its tables, its topics, its ledger."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from deploy.local.stack import LocalStack
from shared.database.roles import reader_name
from shared.kafka.topics import declared_topics
from shared.ledger import verify

READ_MS = 500

Admin: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def connected(stack: LocalStack) -> AsyncIterator[Admin]:
    """A connection of the database's owner, for a moment."""
    connection = await asyncpg.connect(stack.admin_url)
    try:
        yield connection
    finally:
        await connection.close()


async def assert_ledger_is_sound(stack: LocalStack) -> None:
    """Each balance follows from the transfers, two legs each."""
    reader = await asyncpg.connect(stack.database_url(reader_name("accrual")))
    try:
        verification = await verify(reader)
    finally:
        await reader.close()
    assert verification.is_sound, verification.findings


@asynccontextmanager
async def reading(stack: LocalStack, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader, in no group, of all partitions of these topics; where none is named, of every topic, those of dead
    letters and retries too."""
    settings = stack.kafka_settings
    partitions = [
        TopicPartition(settings.wire_name(topic.name), partition)
        for topic in declared_topics(settings.partitions)
        if not topics or topic.name in topics
        for partition in range(topic.partitions)
    ]
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        yield consumer
    finally:
        await consumer.stop()


async def end_offsets(stack: LocalStack, *topics: str) -> dict[TopicPartition, int]:
    """Where the topics' partitions end now."""
    async with reading(stack, *topics) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
    return ends


async def read_whole(stack: LocalStack, *topics: str) -> list[ConsumerRecord]:
    """Everything that stands on the topics now, in order within each partition."""
    found: list[ConsumerRecord] = []
    async with reading(stack, *topics) as consumer:
        await consumer.seek_to_beginning()
        left = await consumer.end_offsets(consumer.assignment())
        while left:
            for records in (await consumer.getmany(timeout_ms=READ_MS)).values():
                found += records
            left = {one: end for one, end in left.items() if await consumer.position(one) < end}
    return found
