"""Removing a test's topics: the broker keeps files open for every partition."""

from aiokafka.admin import AIOKafkaAdminClient

from shared.kafka.settings import KafkaSettings


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
