"""What lapsed of an owner's lots, and how much of it was given back."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.accrual.domain.reinstatement import LOTS_MAX, LapsedLot, TakenLot
from shared.database import Transaction
from shared.ledger.repository import terms_of

# Those who are one owner by now have one history. By the ledger's transfers, since lots are emptied in other ways too.
_LAPSED = """
    with ours as materialized (
        select account_id from ledger_accounts
        where point_type = $2 and (
            owner_id = $1 or owner_id in (select owner_id from ledger_aliases where survivor_id = $1))
    ), lapsed as (
        select account_id, debit_lot as lot_key, sum(points)::bigint as points
        from ledger_transfers
        where account_id in (select account_id from ours) and purpose = 'expire_points'
        group by 1, 2
    ), given as (
        select account_id, lot_key, sum(points)::bigint as points
        from reinstated_lots where account_id in (select account_id from ours)
        group by 1, 2
    )
    select account_id, lot_key, issuer, available_from, expires_on, basis, funding, limits,
        lapsed.points - coalesce(given.points, 0) as left_points
    from lapsed
        join ledger_lots using (account_id, lot_key)
        left join given using (account_id, lot_key)
    where expires_on >= $3 and lapsed.points > coalesce(given.points, 0)
    order by expires_on desc, account_id, lot_key
    limit $4
"""
_INSERT = """
    insert into reinstated_lots (adjustment_id, account_id, lot_key, points)
    select $1, account_id, lot_key, points
    from unnest($2::bigint[], $3::bytea[], $4::bigint[]) as taken (account_id, lot_key, points)
"""


async def load_lapsed(transaction: Transaction, owner_id: UUID, point_type: str, since: date) -> list[LapsedLot]:
    """What lapsed from this day of expiry on and was not given back, the last first; at most ``LOTS_MAX`` lots.

    Whoever gives some of it back holds the owner's row. More may lapse meanwhile, and never less.
    """
    rows = await transaction.raw.fetch(_LAPSED, owner_id, point_type, since, LOTS_MAX)
    return [LapsedLot(row["account_id"], row["lot_key"], terms_of(row), row["left_points"]) for row in rows]


async def insert(transaction: Transaction, adjustment_id: UUID, taken: Sequence[TakenLot]) -> None:
    """Keep what is given back of which lot."""
    await transaction.raw.execute(
        _INSERT,
        adjustment_id,
        [each.lot.account_id for each in taken],
        [each.lot.lot_key for each in taken],
        [each.points for each in taken],
    )
