"""Statements that forget the tiers of erased members."""

from collections.abc import Collection
from uuid import UUID

from shared.database import Transaction

# Of the history nothing is left either: it tells when somebody shopped how much.
ERASED = (
    "delete from tier_days where member_id = any($1::uuid[])",
    "delete from tier_grants where member_id = any($1::uuid[])",
    "delete from tier_changes where member_id = any($1::uuid[])",
    "delete from tier_standings where member_id = any($1::uuid[])",
)


async def erase(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget the tiers of erased members, whose rows are locked."""
    for statement in ERASED:
        await transaction.raw.execute(statement, list(member_ids))
