"""Statements on the record of accesses. It is append-only: the service's role may insert and read."""

from sqlalchemy import select

from services.members.domain.accesses import Access, AccessEntry, AccessFilter
from services.members.tables import personal_accesses
from shared.database import Transaction

RECORD_ACCESS = """
    insert into personal_accesses (member_id, accessed_by, purpose, sight, accessed_at)
    values ($1, $2, $3, $4, $5)
"""


async def record_access(transaction: Transaction, access: Access) -> None:
    """Keep that somebody saw a person, in the transaction that showed it."""
    await transaction.raw.execute(
        RECORD_ACCESS, access.member_id, access.accessed_by, access.purpose, access.sight, transaction.now
    )


async def load_accesses(
    transaction: Transaction, wanted: AccessFilter, *, before_entry: int | None, rows_max: int
) -> list[AccessEntry]:
    """Entries, newest first."""
    columns = personal_accesses.c
    statement = select(personal_accesses).order_by(columns.entry_id.desc()).limit(rows_max)
    if wanted.member_id is not None:
        statement = statement.where(columns.member_id == wanted.member_id)
    if wanted.accessed_by is not None:
        statement = statement.where(columns.accessed_by == wanted.accessed_by)
    if before_entry is not None:
        statement = statement.where(columns.entry_id < before_entry)
    return [
        AccessEntry(row.entry_id, Access(row.member_id, row.accessed_by, row.purpose, row.sight), row.accessed_at)
        for row in await transaction.connection.execute(statement)
    ]
