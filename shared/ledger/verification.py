"""Whether the ledger explains itself: every amount recomputed from the rows that it should follow from.

Reads everything, so run it as a ``_reader``, whose role has no time limit. Changes nothing and locks nothing.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from shared.database.engine import RawConnection
from shared.ledger.checks import CHECKS, COUNTS, LOTS_AND_TERMS, differing
from shared.ledger.repository import terms_of
from shared.ledger.terms import pending_key

FINDINGS_MAX = 100
_LOTS_PER_FETCH = 5_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One amount that does not follow from the rows it should follow from.

    ``stored`` is None where there is no row though other rows speak of it; both amounts are None for a lot whose key
    is not that of its terms. ``account_id`` is None for a total of a point type.
    """

    check: str
    point_type: str | None
    account_id: int | None
    lot_key: bytes | None
    hold_id: UUID | None
    what: str
    stored: int | None
    computed: int | None

    @property
    def subject(self) -> str:
        """What the finding is about, for people."""
        parts = [] if self.account_id is None else [f"account {self.account_id}"]
        if self.lot_key is not None:
            parts.append(f"lot {self.lot_key.hex()}")
        if self.hold_id is not None:
            parts.append(f"hold {self.hold_id}")
        return ", ".join(parts or ["all accounts"])


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
        counts = await connection.fetchrow(COUNTS)
        if counts is None:
            raise AssertionError("unreachable: counting returns a row")
        findings: list[Finding] = []
        findings_total = 0
        for name, check in CHECKS.items():
            rows = await connection.fetch(differing(check), FINDINGS_MAX)
            findings += [Finding(name, *row[:7]) for row in rows]
            findings_total += rows[0]["total"] if rows else 0
        misnamed, misnamed_total = await _misnamed_lots(connection)
    return Verification(
        counts["accounts"],
        counts["transfers"],
        counts["lots"],
        counts["holds"],
        (*findings, *misnamed),
        findings_total + misnamed_total,
    )


async def _misnamed_lots(connection: RawConnection) -> tuple[list[Finding], int]:
    """Lots whose terms were changed: the key no longer follows from them."""
    findings: list[Finding] = []
    total = 0
    async for row in connection.cursor(LOTS_AND_TERMS, prefetch=_LOTS_PER_FETCH):
        if row["lot_key"] == _key_by_terms(row):
            continue
        total += 1
        if total <= FINDINGS_MAX:
            point_type, account_id, lot_key, *_ = row
            findings.append(Finding("lot = its terms", point_type, account_id, lot_key, None, "key", None, None))
    return findings, total


def _key_by_terms(row: asyncpg.Record) -> bytes | None:
    try:
        terms = terms_of(row)
    except (TypeError, ValueError, LookupError):
        return None
    return terms.key if row["award"] is None else pending_key(terms, row["award"])
