"""What servers need before services start on them: schemas, roles, topics."""

from urllib.parse import urlsplit

import asyncpg
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError

from deploy.local.blocking import run_blocking
from deploy.local.errors import StackError
from deploy.local.stack_secrets import StackSecrets
from shared.database.migrate import migrate
from shared.kafka.errors import ProducerUnavailableError
from shared.kafka.settings import KafkaSettings
from shared.kafka.topics import create_topics


def prepare_database(admin_url: str, secrets: StackSecrets) -> None:
    """Bring schemas and roles to what this version declares. Idempotent."""
    where = urlsplit(admin_url).netloc.rpartition("@")[2]
    try:
        run_blocking(migrate(admin_url, secrets.role_passwords))
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise StackError(
            f"PostgreSQL at {where} refuses the owner's password.\n"
            "If it is this stack's own, its secrets.json was changed: put the old one back, or remove the whole state "
            "folder to start from nothing."
        ) from error
    except (OSError, asyncpg.PostgresError, DBAPIError) as error:
        raise StackError(f"The database at {where} could not be migrated: {error}") from error


def prepare_topics(settings: KafkaSettings) -> None:
    """Create the topics that are missing. Idempotent."""
    try:
        run_blocking(create_topics(settings))
    except (KafkaError, OSError, ProducerUnavailableError) as error:
        raise StackError(
            f"The topics could not be created on Kafka at {settings.bootstrap_servers}: {error}"
        ) from error
