"""What posting reads and locks. Set-based, without a schema, on the connection of the caller's transaction.

Only accounts are locked: whoever changes a lot or a hold holds its account's lock, so those rows need no order.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.database.engine import RawConnection
from shared.ledger.book import Account, StoredHold, StoredLot, StoredPart
from shared.ledger.commands import LOTS_PER_HOLD_MAX, AccountKey, Command
from shared.ledger.needs import Needs
from shared.ledger.terms import LotTerms

# In key order, like the locks below: two transactions that make the same accounts in different orders would deadlock.
CREATE_ACCOUNTS = """
    insert into ledger_accounts (owner_id, point_type)
    select owner_id, point_type
    from unnest($1::uuid[], $2::text[]) as missing (owner_id, point_type)
    order by owner_id, point_type
    on conflict (owner_id, point_type) do nothing
"""

LOCK_ACCOUNTS = """
    select wanted.ordinal, account.account_id, account.available, account.held, account.pending, account.debt
    from unnest($1::uuid[], $2::text[]) with ordinality as wanted (owner_id, point_type, ordinal)
        join ledger_accounts as account on account.owner_id = wanted.owner_id and account.point_type = wanted.point_type
    order by account.owner_id, account.point_type
    for no key update of account
"""

# Lateral with a limit is a look-up by index whatever the planner believes: statements are planned once and kept, and a
# table that was small then is scanned for ever.

# Two parts: the lots that are named, and of each account the first ones to be spent, until they cover what its
# commands can draw (lots_max bounds holds; null where all that is drawn must be found, however many lots it takes).
LOAD_LOTS = """
    select lot.*
    from unnest($1::bigint[], $2::bytea[]) as named (account_id, lot_key)
        cross join lateral (
            select account_id, lot_key, award, issuer, basis, available_from, expires_on, remaining, reserved
            from ledger_lots
            where ledger_lots.account_id = named.account_id and ledger_lots.lot_key = named.lot_key
            limit 1
        ) as lot
    union all
    select account_id, lot_key, award, issuer, basis, available_from, expires_on, remaining, reserved
    from unnest($3::bigint[], $4::bigint[], $5::bigint[]) as drawing (drawing_id, points, lots_max)
        cross join lateral (
            select first_lots.*, sum(remaining) over (order by lot_key) - remaining as points_before
            from (
                select account_id, lot_key, award, issuer, basis, available_from, expires_on, remaining, reserved
                from ledger_lots
                where ledger_lots.account_id = drawing_id and award is null and remaining > 0
                order by lot_key
                limit lots_max
            ) as first_lots
        ) as spendable
    where points_before < points
"""

LOAD_OPEN_HOLDS = f"""
    select hold.hold_id, hold.account_id, hold.reserved as hold_reserved, hold.captured as hold_captured,
        part.reserved as part_reserved, part.captured as part_captured,
        lot.lot_key, lot.award, lot.issuer, lot.basis, lot.available_from, lot.expires_on, lot.remaining, lot.reserved
    from unnest($1::uuid[]) as wanted (hold_id)
        cross join lateral (
            select * from ledger_holds where ledger_holds.hold_id = wanted.hold_id limit 1
        ) as hold
        cross join lateral (
            select * from ledger_hold_lots where ledger_hold_lots.hold_id = hold.hold_id limit {LOTS_PER_HOLD_MAX}
        ) as part
        cross join lateral (
            select * from ledger_lots
            where ledger_lots.account_id = hold.account_id and ledger_lots.lot_key = part.lot_key
            limit 1
        ) as lot
    where hold.state = 'open'
"""


async def lock_accounts(connection: RawConnection, commands: Sequence[Command]) -> dict[AccountKey, Account]:
    """Lock the accounts of these commands to the end of the transaction, in key order; make those that are missing.

    Nearly all are there, so they are locked first. Those that are missing are made, which locks them, after the ones
    that are there: two transactions of which each makes what the other has found may deadlock, and are tried again.
    """
    wanted = {(command.owner_id.int, command.point_type): command.owner_id for command in commands}
    keys, owners, point_types = list(wanted), list(wanted.values()), [point_type for _, point_type in wanted]
    rows = await connection.fetch(LOCK_ACCOUNTS, owners, point_types)
    if len(rows) < len(keys):
        found = {row["ordinal"] for row in rows}
        missing = [key for ordinal, key in enumerate(keys, 1) if ordinal not in found]
        await connection.execute(CREATE_ACCOUNTS, [wanted[key] for key in missing], [key[1] for key in missing])
        rows = await connection.fetch(LOCK_ACCOUNTS, owners, point_types)  # all: with the balances as they are now
    if len(rows) < len(keys):
        raise RuntimeError("an account that was just made or found is gone: accounts are never deleted")
    return {
        keys[ordinal - 1]: Account(account_id, available, held, pending, debt)
        for ordinal, account_id, available, held, pending, debt in rows
    }


async def load_lots(connection: RawConnection, needs: Needs) -> list[StoredLot]:
    """The lots that the plan needs. Read after the lock, in a statement of its own: what others committed is seen."""
    if not needs.named_lots and not needs.draws:
        return []
    rows = await connection.fetch(
        LOAD_LOTS,
        [account_id for account_id, _ in needs.named_lots],
        [lot_key for _, lot_key in needs.named_lots],
        [draw.account_id for draw in needs.draws],
        [draw.points for draw in needs.draws],
        [draw.lots_max for draw in needs.draws],
    )
    return [_lot_of(row) for row in rows]


async def load_open_holds(connection: RawConnection, hold_ids: Sequence[UUID]) -> list[StoredHold]:
    """Those of these holds that are open, with their lots."""
    if not hold_ids:
        return []
    parts: dict[UUID, list[StoredPart]] = {}
    heads: dict[UUID, asyncpg.Record] = {}
    for row in await connection.fetch(LOAD_OPEN_HOLDS, hold_ids):
        heads[row["hold_id"]] = row
        part = StoredPart(_lot_of(row), row["part_reserved"], row["part_captured"])
        parts.setdefault(row["hold_id"], []).append(part)
    return [
        StoredHold(hold_id, head["account_id"], head["hold_reserved"], head["hold_captured"], tuple(parts[hold_id]))
        for hold_id, head in heads.items()
    ]


def _lot_of(row: asyncpg.Record) -> StoredLot:
    terms = LotTerms(
        issuer=row["issuer"], available_from=row["available_from"], expires_on=row["expires_on"], basis=row["basis"]
    )
    return StoredLot(row["account_id"], row["lot_key"], row["award"], terms, row["remaining"], row["reserved"])
