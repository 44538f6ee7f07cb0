"""What receipts entitle to. Whoever writes has locked the receipts in ``redemption_receipts``."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.redemption.domain.privileges.bought import Bought, BoughtLine
from shared.database import Transaction

# Whoever buys every day for months is shown the latest.
OF_MEMBER_MAX = 200

COLUMNS = """
    receipt_key, privilege_id, content_hash, partner_id, member_id, bought_at, last_day,
    line_ids, line_quantities, line_amounts_minor, is_undone
"""
_LOAD = f"""
    select {COLUMNS} from redemption_bought_privileges
    where receipt_key = any($1::bytea[])
    order by receipt_key, privilege_id
"""
_SAVE = f"""
    insert into redemption_bought_privileges ({COLUMNS})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (receipt_key, privilege_id) do update
        set content_hash = excluded.content_hash, partner_id = excluded.partner_id, member_id = excluded.member_id,
            bought_at = excluded.bought_at, last_day = excluded.last_day, line_ids = excluded.line_ids,
            line_quantities = excluded.line_quantities, line_amounts_minor = excluded.line_amounts_minor,
            is_undone = excluded.is_undone
"""

# What those bought for whom the member answers is the member's.
_STANDS = """
    member_id in (
            select $1::uuid
            union all
            select member_id from redemption_members where merged_into = $1
        )
        and not is_undone and bought_at <= $2 and last_day >= $3
"""
_FIND_BOUGHT = f"select distinct privilege_id from redemption_bought_privileges where {_STANDS}"
_LOAD_OF_MEMBER = f"""
    select {COLUMNS} from redemption_bought_privileges where {_STANDS}
    order by privilege_id, bought_at desc, receipt_key
    limit {OF_MEMBER_MAX}
"""


async def load(transaction: Transaction, receipt_keys: Collection[bytes]) -> list[Bought]:
    """What these receipts entitle to, also where it is undone."""
    return [bought_of(row) for row in await transaction.raw.fetch(_LOAD, sorted(receipt_keys))]


async def save(transaction: Transaction, bought: Sequence[Bought]) -> None:
    """Write it as it stands now."""
    rows = [
        (
            one.receipt_key,
            one.privilege_id,
            one.content_hash,
            one.partner_id,
            one.member_id,
            one.bought_at,
            one.last_day,
            [line.line_id for line in one.lines],
            [line.quantity_thousandths for line in one.lines],
            [line.amount_minor for line in one.lines],
            one.is_undone,
        )
        for one in bought
    ]
    await transaction.raw.executemany(_SAVE, rows)


async def find_bought(transaction: Transaction, member_id: UUID, day: date) -> frozenset[str]:
    """The ids of the privileges that receipts of a member, or of one that was merged into it, entitle to now; ``day``
    is today, where the programme is."""
    rows = await transaction.raw.fetch(_FIND_BOUGHT, member_id, transaction.now, day)
    return frozenset(row["privilege_id"] for row in rows)


async def load_of_member(transaction: Transaction, member_id: UUID, day: date) -> list[Bought]:
    """What receipts of a member, or of one that was merged into it, entitle to now, the latest of each first."""
    rows = await transaction.raw.fetch(_LOAD_OF_MEMBER, member_id, transaction.now, day)
    return [bought_of(row) for row in rows]


def bought_of(row: asyncpg.Record) -> Bought:
    """A row of ``COLUMNS``."""
    lines = zip(row["line_ids"], row["line_quantities"], row["line_amounts_minor"], strict=True)
    return Bought(
        receipt_key=row["receipt_key"],
        privilege_id=row["privilege_id"],
        content_hash=row["content_hash"],
        partner_id=row["partner_id"],
        member_id=row["member_id"],
        bought_at=row["bought_at"],
        last_day=row["last_day"],
        lines=tuple(BoughtLine(*line) for line in lines),
        is_undone=row["is_undone"],
    )
