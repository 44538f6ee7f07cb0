"""One database for all of redemption's tests, emptied before each: that is sooner done than copying the template."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest

from shared.database import Database
from shared.database.roles import reader_name, role_name
from shared.ledger import verify
from tests.support.databases import FreshDatabase, made_database
from tests.support.neighbour_host import NeighbourHost
from tests.support.redemption import Admin, Spending, partner
from tests.support.redemption_service import redemption_service
from tests.support.rewards import VOUCHER_KEYS, Catalogue
from tests.support.servers import TestServers

_TABLES = """
    select format('%I.%I', nspname, relname)
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('redemption', 'ledger') and relkind in ('r', 'p') and not relispartition
        and relname not in ('alembic_version', 'ledger_version', 'outbox_slots')
"""

# What a redemption reserves of its member stands in the hold of its id, what it reserves of others in their shares'.
_DISAGREEING_HOLDS = """
    with each as (
        select redemption_id as hold_id,
            open_points - coalesce(
                (select sum(share.open_points) from redemption_shares as share
                    where share.redemption_id = redemption.redemption_id),
                0
            ) as open_points
        from redemptions as redemption
        union all
        select hold_id, open_points from redemption_shares
        union all
        select voucher_id, case when closed_at is null then points else 0 end from redemption_vouchers
    ), ours as (  -- a declined redemption's id may be a voucher's since
        select hold_id, sum(open_points) as open_points from each group by hold_id
    )
    select hold_id, open_points, reserved
    from ours full join ledger_holds using (hold_id)
    where coalesce(open_points, 0) <> coalesce(reserved, 0)
"""


@pytest.fixture(scope="session")
async def own_database(stack: TestServers) -> AsyncIterator[FreshDatabase]:
    async with made_database(stack) as database:
        yield database


@pytest.fixture(scope="session")
async def admin(own_database: FreshDatabase) -> AsyncIterator[Admin]:
    connection = await asyncpg.connect(own_database.admin_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def neighbour_host() -> AsyncIterator[NeighbourHost]:
    """The services that redemption asks, until the end of a file."""
    async with NeighbourHost().listening() as host:
        yield host


@pytest.fixture
def neighbours(neighbour_host: NeighbourHost) -> NeighbourHost:
    """They answer as a test begins."""
    neighbour_host.as_first()
    return neighbour_host


@pytest.fixture(scope="session")
async def as_service(own_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(own_database.url(role_name("redemption")))
    yield database
    await database.close()


@pytest.fixture(scope="session")
async def own_tables(admin: Admin) -> list[str]:
    return ["platform.business_clock", *[row[0] for row in await admin.fetch(_TABLES)]]


@pytest.fixture(scope="session")
async def reader(own_database: FreshDatabase) -> AsyncIterator[Admin]:
    connection = await asyncpg.connect(own_database.url(reader_name("redemption")))
    yield connection
    await connection.close()


@pytest.fixture
async def spending(as_service: Database, admin: Admin, reader: Admin, own_tables: list[str]) -> AsyncIterator[Spending]:
    """Whatever a test does, it leaves a sound ledger, and holds that agree with it."""
    await admin.execute(";".join(f"delete from {table}" for table in own_tables))
    yield Spending(as_service)
    verification = await verify(reader)
    assert verification.is_sound, verification.findings
    assert await reader.fetch(_DISAGREEING_HOLDS) == []


@pytest.fixture(scope="module")
async def client(own_database: FreshDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    """The service's routes, over HTTP, until the end of a file."""
    async with redemption_service(own_database, "api", voucher_keys=VOUCHER_KEYS) as client:
        yield client


@pytest.fixture
async def catalogue(client: httpx2.AsyncClient, spending: Spending) -> Catalogue:
    """Rewards over HTTP, of a grocer."""
    await spending.coalition(partner("grocer", "Grocer"))
    return Catalogue(client)
