"""Every topic, with its settings, and who reads it; and how they come to be on a broker."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from shared.events.catalogue import CATALOGUE
from shared.kafka.errors import ProducerUnavailableError
from shared.kafka.settings import KafkaSettings

RETENTION_DAYS = 90
RETENTION_DAYS_BY_TOPIC = {"loyalty.purchases": 30}
DEAD_LETTER_RETENTION_DAYS = 90
RETRY_RETENTION_DAYS = 7
RECORD_BYTES_MAX = 1_572_864  # a request of 1 MB, with its envelope
DEAD_LETTER_BYTES_MAX = 2_097_152  # any record, and what became of it
CREATE_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.05

SUBSCRIBERS: dict[str, tuple[str, ...]] = {
    "loyalty.purchases": ("coalition", "accrual", "redemption", "fraud"),
    "loyalty.members": ("coalition", "accrual", "redemption", "fraud", "notifications"),
    "loyalty.coalition": ("members", "accrual", "redemption", "fraud", "notifications"),
    "loyalty.points": ("coalition", "redemption", "fraud", "notifications"),
    "loyalty.redemptions": ("coalition", "fraud", "notifications"),
    "loyalty.fraud": ("accrual", "redemption", "notifications"),
    "loyalty.notifications": ("fraud",),
}


@dataclass(frozen=True, slots=True)
class TopicDeclaration:
    """A topic as it should be on the broker, by its name without the prefix."""

    name: str
    partitions: int
    retention_days: int
    record_bytes_max: int = RECORD_BYTES_MAX


def dead_letter_topic(topic: str, service: str) -> str:
    """Where a service puts what it cannot handle of a topic."""
    return f"{topic}.{service}.dead-letter"


def retry_topic(topic: str, service: str) -> str:
    """Where a service's dead letters come back from: read by that service alone, beside the topic itself."""
    return f"{topic}.{service}.retry"


def declared_topics(partitions: int) -> tuple[TopicDeclaration, ...]:
    """All topics. Dead letters and their replays are few: one partition each keeps them in order."""
    declared = []
    for events in CATALOGUE:
        topic = events.topic
        declared.append(TopicDeclaration(topic, partitions, RETENTION_DAYS_BY_TOPIC.get(topic, RETENTION_DAYS)))
        for service in SUBSCRIBERS[topic]:
            for name, days in (
                (dead_letter_topic(topic, service), DEAD_LETTER_RETENTION_DAYS),
                (retry_topic(topic, service), RETRY_RETENTION_DAYS),
            ):
                declared.append(TopicDeclaration(name, 1, days, DEAD_LETTER_BYTES_MAX))
    return tuple(declared)


async def create_topics(settings: KafkaSettings, declared: Sequence[TopicDeclaration] | None = None) -> None:
    """Create the declared topics that are not there yet, and wait until each can be written and read.

    One that is there keeps its settings.

    Raises:
        ProducerUnavailableError: no broker answers, or a new topic has no leader in time.
        aiokafka.errors.KafkaError: the broker refuses a topic.
    """
    wanted = [
        NewTopic(
            name=settings.wire_name(topic.name),
            num_partitions=topic.partitions,
            replication_factor=settings.replication_factor,
            topic_configs={
                "retention.ms": str(topic.retention_days * 86_400_000),
                "message.timestamp.type": "LogAppendTime",
                "max.message.bytes": str(topic.record_bytes_max),
                "min.insync.replicas": str(settings.min_insync_replicas),
            },
        )
        for topic in (declared_topics(settings.partitions) if declared is None else declared)
    ]
    admin = AIOKafkaAdminClient(**settings.client_arguments())
    try:
        await admin.start()
        there = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in there]
        if missing:
            answer = await admin.create_topics(missing, timeout_ms=int(CREATE_SECONDS_MAX * 1000))
            _raise_first_error(answer.topic_errors)
            await _await_leaders(admin, [topic.name for topic in missing])
    except KafkaConnectionError as error:
        raise ProducerUnavailableError(f"no broker at {settings.bootstrap_servers}") from error
    finally:
        await admin.close()


async def _await_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """A topic that was just created is not everywhere at once: who writes too early is told that it is unknown."""
    try:
        async with asyncio.timeout(CREATE_SECONDS_MAX):
            while True:
                described = await admin.describe_topics(names)
                if all(_has_leaders(topic) for topic in described):
                    return
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as error:
        raise ProducerUnavailableError(f"new topics have no leader after {CREATE_SECONDS_MAX} s") from error


def _has_leaders(topic: Mapping[str, Any]) -> bool:
    partitions = topic["partitions"]
    return topic["error_code"] == 0 and bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)


def _raise_first_error(topic_errors: Sequence[tuple[str, int, str | None]]) -> None:
    """create_topics does not raise what the broker says about a single topic."""
    for name, code, *message in topic_errors:
        error: type[KafkaError] = for_code(code)
        if code != 0 and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {message}")
