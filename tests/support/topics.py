"""A test's own topics, which are removed after it: the broker keeps files open for every partition."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.settings import KafkaSettings
from shared.kafka.topics import create_topics
from tests.support.servers import TestServers

TEST_PARTITIONS = 4


@asynccontextmanager
async def made_topics(servers: TestServers) -> AsyncIterator[KafkaSettings]:
    """All topics, under a prefix that no other test has."""
    settings = KafkaSettings(
        bootstrap_servers=servers.bootstrap_servers,
        topic_prefix=f"t{secrets.token_hex(4)}.",
        partitions=TEST_PARTITIONS,
    )
    await create_topics(settings)
    try:
        yield settings
    finally:
        await delete_topics(settings)


async def delete_topics(settings: KafkaSettings) -> None:
    """Delete every topic under the settings' prefix, which must not be empty."""
    if not settings.topic_prefix:
        raise ValueError("without a prefix this would delete everything")
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics(
            [topic for topic in await admin.list_topics() if topic.startswith(settings.topic_prefix)]
        )
    finally:
        await admin.close()
