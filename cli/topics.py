"""``tessera topics``: the topics that the services need, on a broker that is there already."""

import asyncio
import os

import typer

from cli.errors import CommandError
from deploy.local.config import KAFKA_VARIABLE, StackConfig
from deploy.local.services import kafka_settings_of


def make_topics() -> None:
    """Create the topics that are missing, with their partitions and retention. Those that are there are left alone.

    Settings: TESSERA_KAFKA_BOOTSTRAP_SERVERS (else the local stack's broker), TESSERA_TOPIC_PREFIX,
    TESSERA_TOPIC_PARTITIONS.
    """
    from aiokafka.errors import KafkaError

    from shared.kafka.errors import ProducerUnavailableError
    from shared.kafka.topics import create_topics, declared_topics

    config = StackConfig.from_environment()
    servers = os.environ.get(KAFKA_VARIABLE) or f"127.0.0.1:{config.ports.kafka}"
    settings = kafka_settings_of(config, servers)
    try:
        asyncio.run(create_topics(settings))
    except (KafkaError, ProducerUnavailableError) as error:
        raise CommandError(f"The topics could not be created on {servers}: {error}") from error
    typer.echo(f"{len(declared_topics(settings.partitions))} topics are there.")
