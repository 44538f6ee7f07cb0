"""What a member has and how it came about, read from the ledger. Nothing here locks."""

from collections.abc import Collection
from uuid import UUID

from shared.database import Transaction
from shared.ledger import Balances

LOAD_BALANCES = """
    select point_type, available, held, pending, debt
    from ledger_accounts
    where owner_id = $1
    order by point_type
"""

# One statement, so that the balance is the one just after the newest transfer.
LOAD_NEWEST = """
    select account.available,
        coalesce(
            (select max(transfer_id) from ledger_transfers as transfer where transfer.account_id = account.account_id),
            0
        ) as transfer_id
    from ledger_accounts as account
    where account.owner_id = $1 and account.point_type = $2
"""

LOAD_PARTNERS = "select redemption_id, partner_id from redemptions where redemption_id = any($1::uuid[])"


async def load_balances_by_type(transaction: Transaction, member_id: UUID) -> dict[str, Balances]:
    """A member's balances by point type, as last committed; a type that was never moved is absent."""
    rows = await transaction.raw.fetch(LOAD_BALANCES, member_id)
    return {point_type: Balances(*amounts) for point_type, *amounts in rows}


async def load_newest(transaction: Transaction, member_id: UUID, point_type: str) -> tuple[int, int]:
    """The id of the newest transfer and the available balance just after it; zeros where there is none."""
    row = await transaction.raw.fetchrow(LOAD_NEWEST, member_id, point_type)
    return (0, 0) if row is None else (row["transfer_id"], row["available"])


async def load_partners_of(transaction: Transaction, redemption_ids: Collection[UUID]) -> dict[UUID, str]:
    """At which partner these redemptions were held."""
    if not redemption_ids:
        return {}
    rows = await transaction.raw.fetch(LOAD_PARTNERS, sorted(redemption_ids))
    return {row["redemption_id"]: row["partner_id"] for row in rows}
