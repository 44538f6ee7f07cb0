"""Whether the ledger explains itself: every amount recomputed from the rows that it should follow from.

Reads everything, so run it as a ``_reader``, whose role has no time limit. Changes nothing and locks nothing.
"""

from dataclasses import dataclass

from shared.database.engine import RawConnection
from shared.ledger.checks import CHECKS, COUNTS, differing
from shared.ledger.findings import FINDINGS_MAX, Finding
from shared.ledger.leg_checks import LEG_CHECKS, offending
from shared.ledger.term_checks import misnamed_lots

# Sums by account and by lot of ten million transfers stay in memory, in each of the server's processes.
_WORK_MEMORY = "set local work_mem = '192MB'"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read and what does not agree. At most ``FINDINGS_MAX`` findings a check; the total counts them all."""

    accounts: int
    transfers: int
    lots: int
    holds: int
    findings: tuple[Finding, ...]
    findings_total: int

    @property
    def is_sound(self) -> bool:
        """Whether every amount agrees."""
        return self.findings_total == 0


async def verify(connection: RawConnection) -> Verification:
    """Recompute the ledger on one snapshot: postings meanwhile go on, and are not seen.

    ``connection`` must have no transaction open, or one that is repeatable read, and its search path must find the
    ledger's tables.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
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
    return Verification(
        counts["accounts"],
        counts["transfers"],
        counts["lots"],
        counts["holds"],
        (*findings, *misnamed),
        findings_total + misnamed_total,
    )
