"""Whether the ledger explains itself: every amount recomputed from the rows that it should follow from.

Reads everything, so run it as a ``_reader``, whose role has no time limit. Changes nothing and locks nothing.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from shared.database.engine import RawConnection
from shared.ledger.chain_verification import Chain, Head, verify_chain
from shared.ledger.checks import CHECKS, COUNTS, differing
from shared.ledger.findings import FINDINGS_MAX, Finding
from shared.ledger.leg_checks import LEG_CHECKS, offending
from shared.ledger.term_checks import misnamed_lots

# Sums by account and by lot of ten million transfers stay in memory, in each of the server's processes.
_WORK_MEMORY = "set local work_mem = '192MB'"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read and what does not agree. At most ``FINDINGS_MAX`` findings a check; the total counts them all.

    ``findings`` has those of the ``chain`` as well.
    """

    accounts: int
    transfers: int
    lots: int
    holds: int
    chain: Chain
    findings: tuple[Finding, ...]
    findings_total: int

    @property
    def is_sound(self) -> bool:
        """Whether every amount agrees, and every sealed row is as it was."""
        return self.findings_total == 0


async def verify(
    connection: RawConnection, *, beside: "RawConnection | None" = None, heads: Sequence[Head] = ()
) -> Verification:
    """Recompute the ledger and walk its chain on one snapshot: postings meanwhile go on, and are not seen.

    ``connection`` must have no transaction open, or one that is repeatable read, and its search path must find the
    ledger's tables. With another connection ``beside`` it the chain is walked at the same time, on the same snapshot;
    neither must have a transaction open then. ``heads`` of the chain that were kept elsewhere must be in it.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        if beside is None:
            return _together(*await _recompute(connection), await verify_chain(connection, heads))
        snapshot = await connection.fetchval("select pg_export_snapshot()")
        async with beside.transaction(isolation="repeatable_read", readonly=True):
            await beside.execute(f"set transaction snapshot '{snapshot}'")
            return await _side_by_side(connection, beside, heads)


async def _side_by_side(connection: RawConnection, beside: RawConnection, heads: Sequence[Head]) -> Verification:
    """Both at the same time; where one fails, the other ends, and the error is the first one's."""
    try:
        async with asyncio.TaskGroup() as group:
            recomputing = group.create_task(_recompute(connection))
            walking = group.create_task(verify_chain(beside, heads))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return _together(*recomputing.result(), walking.result())


def _together(
    counts: tuple[int, int, int, int], findings: Sequence[Finding], findings_total: int, chain: Chain
) -> Verification:
    accounts, transfers, lots, holds = counts
    all_findings, all_total = (*findings, *chain.findings), findings_total + chain.findings_total
    return Verification(accounts, transfers, lots, holds, chain, all_findings, all_total)


async def _recompute(connection: RawConnection) -> tuple[tuple[int, int, int, int], list[Finding], int]:
    """What was counted, and what does not agree, in all."""
    await connection.execute(_WORK_MEMORY)
    counts = await connection.fetchrow(COUNTS)
    if counts is None:
        raise AssertionError("unreachable: counting returns a row")
    findings: list[Finding] = []
    findings_total = 0
    statements = {name: differing(check) for name, check in CHECKS.items()}
    statements |= {name: offending(check) for name, check in LEG_CHECKS.items()}
    for name, statement in statements.items():
        rows = await connection.fetch(statement, FINDINGS_MAX)
        findings += [Finding(name, *row[:8]) for row in rows]
        findings_total += rows[0]["total"] if rows else 0
    misnamed, misnamed_total = await misnamed_lots(connection)
    accounts, transfers, lots, holds = counts
    return (accounts, transfers, lots, holds), [*findings, *misnamed], findings_total + misnamed_total
