"""Statements on members' statuses and their history."""

from uuid import UUID

from sqlalchemy import select

from services.members.domain.statuses import StatusChange
from services.members.tables import status_changes
from shared.database import Transaction

# The member's row is locked by the caller: the statement sets what was decided on it.
CHANGE_STATUS = """
    with changed as (
        update members set status = $4, version = $2 where member_id = $1
    )
    insert into status_changes (member_id, version, from_status, to_status, reason_code, changed_by, changed_at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""


async def save_change(transaction: Transaction, change: StatusChange) -> None:
    """Set the status of a member whose row is locked, and keep the change."""
    await transaction.raw.execute(
        CHANGE_STATUS,
        change.member_id,
        change.version,
        change.from_status,
        change.to_status,
        change.reason_code,
        change.changed_by,
        change.changed_at,
    )


async def load_changes(
    transaction: Transaction, member_id: UUID, *, before_version: int | None, rows_max: int
) -> list[StatusChange]:
    """A member's history, newest first."""
    statement = (
        select(status_changes)
        .where(status_changes.c.member_id == member_id)
        .order_by(status_changes.c.version.desc())
        .limit(rows_max)
    )
    if before_version is not None:
        statement = statement.where(status_changes.c.version < before_version)
    return [StatusChange(**row) for row in (await transaction.connection.execute(statement)).mappings()]
