"""Read the audit log. Changes nothing."""

from services.coalition.domain.audit import AuditEntry, AuditFilter
from services.coalition.repository import audit
from shared.database import Transaction


async def read_audit_log(
    transaction: Transaction, wanted: AuditFilter, *, before_entry: int | None, rows_max: int
) -> list[AuditEntry]:
    """Up to ``rows_max`` entries, newest first, older than ``before_entry``."""
    return await audit.load_entries(transaction, wanted, before_entry=before_entry, rows_max=rows_max)
