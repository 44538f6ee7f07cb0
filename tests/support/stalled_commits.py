"""Stopping a process of a stack at a chosen point: at its commit, or in the middle of its transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

import psutil

from deploy.local.children import Child
from deploy.local.services import ServiceSpec
from deploy.local.stack import LocalStack
from tests.support.stack_looks import Admin, connected
from tests.support.until import until

WAITS_SECONDS_MAX = 60.0
AT_COMMIT, FOR_A_LOCK = "SyncRep", "Lock"
# Whoever moves points: commits of others (leases, positions) may stand there as well.
_WAITING = """
    select count(*)::int from pg_stat_activity as session
    where $1 in (wait_event, wait_event_type) and client_port = any($2::int[])
        and exists (
            select from pg_locks
            where pg_locks.pid = session.pid and relation = 'ledger.ledger_accounts'::regclass
                and mode in ('RowShareLock', 'RowExclusiveLock')
        )
"""


class Stalled(NamedTuple):
    """Where processes of a stack stand still."""

    stack: LocalStack
    admin: Admin
    where: str

    async def until_waits(self, spec: ServiceSpec, connections: int = 1) -> Child:
        """Wait until so many connections on which this process moves points stand there; the process."""

        async def waits() -> Child | None:
            child = self.stack.child(spec)
            try:
                ports = [one.laddr.port for one in psutil.Process(child.pid).net_connections("tcp")]
            except psutil.NoSuchProcess:  # killed, and not yet followed
                return None
            waiting = await self.admin.fetchval(_WAITING, self.where, ports)
            return child if waiting >= connections else None

        return await until(waits, seconds_max=WAITS_SECONDS_MAX)


@asynccontextmanager
async def commits_stall(stack: LocalStack) -> AsyncIterator[Stalled]:
    """Until the block ends commits wait for a replica that there is not: they are done, and nobody is told so."""
    async with connected(stack) as admin:
        await _set(admin, "'nobody'")
        try:
            yield Stalled(stack, admin, AT_COMMIT)
        finally:
            await _set(admin, "default")


@asynccontextmanager
async def account_locked(stack: LocalStack, owner_id: UUID) -> AsyncIterator[Stalled]:
    """Until the block ends, whoever moves points of this owner waits in the middle of its transaction."""
    async with connected(stack) as admin, admin.transaction():
        await admin.execute("select 1 from ledger.ledger_accounts where owner_id = $1 for update", owner_id)
        yield Stalled(stack, admin, FOR_A_LOCK)


async def _set(admin: Admin, standbys: str) -> None:
    await admin.execute(f"alter system set synchronous_standby_names to {standbys}")
    await admin.execute("select pg_reload_conf()")
