"""Whether every lot has the key of its terms: what its points are was not changed behind the ledger's back."""

import asyncpg

from shared.database.engine import RawConnection
from shared.ledger.findings import FINDINGS_MAX, Finding
from shared.ledger.repository import terms_of
from shared.ledger.terms import pending_key

CHECK = "lot = its terms"
_LOTS_PER_FETCH = 5_000

# Lots with the same terms share their key, whoever they are of: that of a pending lot follows from its award as well.
TERMS = """
    select lot_key, null::bytea as award, issuer, basis, available_from, expires_on, funding, limits, count(*) as lots
    from ledger_lots
    where award is null
    group by lot_key, issuer, basis, available_from, expires_on, funding, limits
"""

PENDING_LOTS = """
    select point_type, account_id, lot_key, award, issuer, basis, available_from, expires_on, funding, limits
    from ledger_lots
        left join ledger_accounts using (account_id)
    where award is not null
"""

_TERMS_COLUMNS = ("lot_key", "issuer", "basis", "available_from", "expires_on", "funding", "limits")
LOTS_OF_TERMS = """
    select account.point_type, account_id
    from ledger_lots as lot
        left join ledger_accounts as account using (account_id)
    where award is null and (lot_key, issuer, basis, available_from, expires_on, funding, limits)
        is not distinct from ($1::bytea, $2::text, $3::text, $4::date, $5::date, $6::text, $7::text)
    order by account_id
    limit $8
"""


async def misnamed_lots(connection: RawConnection) -> tuple[list[Finding], int]:
    """Lots whose terms were changed: the key no longer follows from them. In the caller's transaction."""
    findings: list[Finding] = []
    total = 0
    for row in await connection.fetch(TERMS):
        if row["lot_key"] == _key_by_terms(row):
            continue
        total += row["lots"]
        terms = [row[name] for name in _TERMS_COLUMNS]
        lots = await connection.fetch(LOTS_OF_TERMS, *terms, FINDINGS_MAX - len(findings))
        findings += [_finding(point_type, account_id, row["lot_key"]) for point_type, account_id in lots]
    async for row in connection.cursor(PENDING_LOTS, prefetch=_LOTS_PER_FETCH):
        if row["lot_key"] == _key_by_terms(row):
            continue
        total += 1
        if len(findings) < FINDINGS_MAX:
            findings.append(_finding(row["point_type"], row["account_id"], row["lot_key"]))
    return findings, total


def _finding(point_type: str | None, account_id: int, lot_key: bytes) -> Finding:
    return Finding(CHECK, point_type, account_id, lot_key, None, "key", None, None)


def _key_by_terms(row: asyncpg.Record) -> bytes | None:
    try:
        terms = terms_of(row)
    except (TypeError, ValueError, LookupError):
        return None
    return terms.key if row["award"] is None else pending_key(terms, row["award"])
