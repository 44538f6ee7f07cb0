"""Who looked at whom. Changes nothing."""

from services.members.domain.accesses import AccessEntry, AccessFilter
from services.members.repository import accesses
from shared.database import Transaction


async def read_accesses(
    transaction: Transaction, wanted: AccessFilter, *, before_entry: int | None, rows_max: int
) -> list[AccessEntry]:
    """The entries that match, newest first."""
    return await accesses.load_accesses(transaction, wanted, before_entry=before_entry, rows_max=rows_max)
