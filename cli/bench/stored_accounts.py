"""Members with one lot each, as if each had earned it in one purchase."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from cli.bench.workload import PARTNER
from shared.ledger import LotTerms

_STORE = (
    """
    insert into redemption.redemption_members (member_id, status, version)
    select member_id, 'active', 1 from unnest($1::uuid[]) as stored (member_id)
    on conflict (member_id) do nothing
    """,
    """
    insert into ledger.ledger_accounts (owner_id, point_type, available)
    select member_id, 'points', points from unnest($1::uuid[], $2::bigint[]) as stored (member_id, points)
    """,
    """
    insert into ledger.ledger_lots (account_id, lot_key, issuer, basis, available_from, remaining, reserved)
    select account_id, $3, $4, 'purchase', $5, points, 0
    from unnest($1::uuid[], $2::bigint[]) as stored (member_id, points)
        join ledger.ledger_accounts on owner_id = member_id
    """,
    """
    insert into ledger.ledger_transfers
        (account_id, purpose, debit, credit, partner_id, points, reference, credit_lot, business_time)
    select account_id, 'earn', 'issue', 'available', $4, points, 'earned', $3, now()
    from unnest($1::uuid[], $2::bigint[]) as stored (member_id, points)
        join ledger.ledger_accounts on owner_id = member_id
    """,
)


async def store_accounts(admin: asyncpg.Connection, members: Sequence[UUID], points: Sequence[int]) -> None:
    """Let each of these members be known to redemption, and have so many points to spend."""
    earned_on = date(2026, 1, 1)
    lot_key = LotTerms(PARTNER, earned_on, None).key
    known, accounts, lots, transfers = _STORE
    await admin.execute(known, members)
    await admin.execute(accounts, members, points)
    await admin.execute(lots, members, points, lot_key, PARTNER, earned_on)
    await admin.execute(transfers, members, points, lot_key, PARTNER)
    # Those alone: of a table that was vacuumed while empty plans are made, and kept, that scan it.
    for table in ("redemption.redemption_members", "ledger.ledger_accounts", "ledger.ledger_lots"):
        await admin.execute(f"vacuum analyze {table}")
    await admin.execute("checkpoint")
