"""What accrual's tests share."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.accrual.use_cases.project_coalition import project_coalition
from shared.database import Database
from shared.events.coalition import TillChanged, TillData
from shared.ids import new_id
from shared.kafka import KafkaSettings
from shared.kafka.topics import create_topics
from shared.web.tills import till_key_sha256
from tests.support.receipts import NOON
from tests.support.servers import TestServers
from tests.support.topics import delete_topics

PARTITIONS = 4


@pytest.fixture(scope="module")
async def module_kafka_settings(stack: TestServers) -> AsyncIterator[KafkaSettings]:
    """All topics under a prefix of one module's own."""
    settings = KafkaSettings(stack.bootstrap_servers, topic_prefix=f"{secrets.token_hex(4)}.", partitions=PARTITIONS)
    await create_topics(settings)
    yield settings
    await delete_topics(settings)


@pytest.fixture
def make_till_key() -> Callable[[Database], Awaitable[str]]:
    """Gives the grocer's first till a new key."""

    async def make(database: Database) -> str:
        till_key = f"tk_{secrets.token_urlsafe(32)}"
        data = TillData(
            partner_id="grocer",
            store_id="s1",
            till_id="1",
            version=2,
            key_scheme="sequence",
            key_sha256=till_key_sha256(till_key),
        )
        async with database.transaction() as transaction:
            await project_coalition(
                transaction, [TillChanged(id=new_id(), source="test", subject="grocer", time=NOON, data=data)]
            )
        return till_key

    return make
