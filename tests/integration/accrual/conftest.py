"""What accrual's tests share."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from services.accrual.use_cases.project_coalition import project_coalition
from shared.database import Database
from shared.database.roles import role_name
from shared.events.coalition import TillChanged, TillData
from shared.ids import new_id
from shared.kafka import KafkaSettings
from shared.kafka.topics import create_topics
from shared.web.tills import till_key_sha256
from tests.support.accrual import Accrual, begun_accrual
from tests.support.accrual_members import joined
from tests.support.applications import application
from tests.support.databases import FreshDatabase, made_database
from tests.support.moving_clock import NEW_YORK, MovingClock
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


@pytest.fixture(scope="module")
async def module_database(stack: TestServers) -> AsyncIterator[FreshDatabase]:
    async with made_database(stack) as database:
        yield database


@pytest.fixture(scope="module")
async def module_accrual(module_database: FreshDatabase) -> AsyncIterator[Accrual]:
    async with begun_accrual(module_database) as accrual:
        yield accrual


@pytest.fixture(scope="module")
async def module_app(module_database: FreshDatabase) -> AsyncIterator[FastAPI]:
    async with application("accrual", module_database.url("tessera_accrual")) as app:
        yield app


@pytest.fixture
async def client(module_app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=module_app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
async def anna(module_accrual: Accrual) -> UUID:
    """A member of this test's own."""
    return await joined(module_accrual)


@pytest.fixture
async def clock(module_database: FreshDatabase) -> AsyncIterator[MovingClock]:
    """Business time of this file's database."""
    admin = await asyncpg.connect(module_database.admin_url)
    yield MovingClock(admin)
    await admin.close()


@pytest.fixture
async def day(clock: MovingClock) -> date:
    """A day of this test's own, at whose noon it begins."""
    return await clock.next_noon()


@pytest.fixture
async def tills(module_database: FreshDatabase) -> AsyncIterator[Database]:
    """This file's database as tills have it: redemption's."""
    database = Database(module_database.url(role_name("redemption")), zone=NEW_YORK)
    yield database
    await database.close()


# What tests of rule sets write, but for what stays of a service's start.
EMPTIED = (
    "rule_set_changes, rule_sets, claims, awards, parked, documents, members, meeting_rows, outbox, idempotency,"
    " partners, stores, tills, partner_standings, category_mappings"
)


@pytest.fixture(scope="module")
async def emptied_database(stack: TestServers) -> AsyncIterator[FreshDatabase]:
    """One database for the tests of a file that share ``client_without_rules``."""
    async with made_database(stack) as database:
        yield database


@pytest.fixture(scope="module")
async def module_client(emptied_database: FreshDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    """Accrual's routes, called in process."""
    async with application("accrual", emptied_database.url(role_name("accrual"))) as app:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.fixture
async def client_without_rules(
    emptied_database: FreshDatabase, module_client: httpx2.AsyncClient
) -> httpx2.AsyncClient:
    """Accrual's routes, on a database without rule sets."""
    admin = await asyncpg.connect(emptied_database.admin_url)
    await admin.execute("set search_path to accrual")
    await admin.execute(f"truncate {EMPTIED}")
    await admin.close()
    return module_client


@pytest.fixture
async def accrual_database(emptied_database: FreshDatabase) -> AsyncIterator[Database]:
    """The same database, as the service's role."""
    database = Database(emptied_database.url(role_name("accrual")))
    yield database
    await database.close()
