"""Every statement that posting needs. Set-based, without a schema, on the connection of the caller's transaction.

Only accounts are locked: whoever changes a lot or a hold holds its account's lock, so those rows need no order.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from shared.database.engine import RawConnection
from shared.ledger.book import Account, StoredHold, StoredLot, StoredPart
from shared.ledger.needs import Needs
from shared.ledger.planning import AccountKey, Plan
from shared.ledger.terms import LotTerms

# In key order, like the locks below: two transactions that make the same accounts in different orders would deadlock.
# What is there already is left out first, since ON CONFLICT would draw a number and a tuple for each of them.
CREATE_MISSING_ACCOUNTS = """
    insert into ledger_accounts (owner_id, point_type)
    select owner_id, point_type
    from unnest($1::uuid[], $2::text[]) as wanted (owner_id, point_type)
    where not exists (
        select from ledger_accounts as account
        where account.owner_id = wanted.owner_id and account.point_type = wanted.point_type
    )
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

# Two parts: the lots that are named, and of each account the first ones to be spent, until they cover what its
# commands can draw (lots_max bounds holds; null where all that is drawn must be found, however many lots it takes).
LOAD_LOTS = """
    select account_id, lot_key, award, issuer, basis, available_from, expires_on, remaining, reserved
    from unnest($1::bigint[], $2::bytea[]) as named (account_id, lot_key)
        join ledger_lots using (account_id, lot_key)
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

LOAD_OPEN_HOLDS = """
    select hold.hold_id, hold.account_id, hold.reserved as hold_reserved, hold.captured as hold_captured,
        part.reserved as part_reserved, part.captured as part_captured,
        lot.lot_key, lot.award, lot.issuer, lot.basis, lot.available_from, lot.expires_on, lot.remaining, lot.reserved
    from unnest($1::uuid[]) as wanted (hold_id)
        join ledger_holds as hold using (hold_id)
        join ledger_hold_lots as part using (hold_id)
        join ledger_lots as lot on lot.account_id = hold.account_id and lot.lot_key = part.lot_key
    where hold.state = 'open'
"""

_CHANGE_ACCOUNTS = """
    changed_accounts as (
        update ledger_accounts as account
        set available = account.available + change.available, held = account.held + change.held,
            pending = account.pending + change.pending, debt = account.debt + change.debt
        from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
            as change (account_id, available, held, pending, debt)
        where account.account_id = change.account_id
    )"""

_CREDIT_LOTS = """
    credited_lots as (
        insert into ledger_lots
            (account_id, lot_key, award, issuer, basis, available_from, expires_on, remaining, reserved)
        select account_id, lot_key, award, issuer, basis, available_from, expires_on, remaining, reserved
        from unnest($6::bigint[], $7::bytea[], $8::bytea[], $9::text[], $10::text[], $11::date[], $12::date[],
            $13::bigint[], $14::bigint[])
            as credit (account_id, lot_key, award, issuer, basis, available_from, expires_on, remaining, reserved)
        on conflict (account_id, lot_key) do update
            set remaining = ledger_lots.remaining + excluded.remaining,
                reserved = ledger_lots.reserved + excluded.reserved
    )"""

_CHANGE_LOTS = """
    changed_lots as (
        update ledger_lots as lot
        set remaining = lot.remaining + change.remaining, reserved = lot.reserved + change.reserved
        from unnest($26::bigint[], $27::bytea[], $28::bigint[], $29::bigint[])
            as change (account_id, lot_key, remaining, reserved)
        where lot.account_id = change.account_id and lot.lot_key = change.lot_key
    )"""

# A hold that is there already violates the primary key, and everything with it is undone.
_OPEN_HOLDS = """
    opened_holds as (
        insert into ledger_holds (hold_id, account_id, reserved, captured, state, opened_at, closed_at)
        select hold_id, account_id, reserved, captured, state, $25::timestamptz,
            case when state <> 'open' then $25::timestamptz end
        from unnest($30::uuid[], $31::bigint[], $32::bigint[], $33::bigint[], $34::text[])
            as hold (hold_id, account_id, reserved, captured, state)
    )"""

_CHANGE_HOLDS = """
    changed_holds as (
        update ledger_holds as hold
        set reserved = change.reserved, captured = change.captured, state = change.state,
            closed_at = case when change.state <> 'open' then $25::timestamptz end
        from unnest($35::uuid[], $36::bigint[], $37::bigint[], $38::text[])
            as change (hold_id, reserved, captured, state)
        where hold.hold_id = change.hold_id
    )"""

_HOLD_LOTS = """
    hold_lots as (
        insert into ledger_hold_lots (hold_id, account_id, lot_key, reserved, captured)
        select hold_id, account_id, lot_key, reserved, captured
        from unnest($39::uuid[], $40::bigint[], $41::bytea[], $42::bigint[], $43::bigint[])
            as part (hold_id, account_id, lot_key, reserved, captured)
        on conflict (hold_id, lot_key) do update
            set reserved = excluded.reserved, captured = excluded.captured
    )"""

# Numbers are drawn in the order of the arrays: an account's transfers have rising ids in the order of posting.
_RECORD_TRANSFERS = """
    insert into ledger_transfers
        (account_id, debit, credit, partner_id, points, purpose, reference, debit_lot, credit_lot, hold_id,
        business_time)
    select account_id, debit, credit, partner_id, points, purpose, reference, debit_lot, credit_lot, hold_id,
        $25::timestamptz
    from unnest($15::bigint[], $16::text[], $17::text[], $18::text[], $19::bigint[], $20::text[], $21::bytea[],
        $22::bytea[], $23::bytea[], $24::uuid[])
        as transfer (account_id, debit, credit, partner_id, points, purpose, reference, debit_lot, credit_lot, hold_id)
"""

# The two differ only in what plain earning never needs; PostgreSQL would start those parts for nothing each time.
WRITE_CREDITS = f"with {_CHANGE_ACCOUNTS}, {_CREDIT_LOTS} {_RECORD_TRANSFERS}"
WRITE_ALL = (
    f"with {_CHANGE_ACCOUNTS}, {_CREDIT_LOTS}, {_CHANGE_LOTS}, {_OPEN_HOLDS}, {_CHANGE_HOLDS}, {_HOLD_LOTS}"
    f" {_RECORD_TRANSFERS}"
)


async def lock_accounts(connection: RawConnection, keys: Sequence[AccountKey]) -> dict[AccountKey, Account]:
    """Lock these accounts to the end of the transaction, in key order, after making those that are not there."""
    owners, point_types = [key[0] for key in keys], [key[1] for key in keys]
    await connection.execute(CREATE_MISSING_ACCOUNTS, owners, point_types)
    rows = await connection.fetch(LOCK_ACCOUNTS, owners, point_types)
    if len(rows) != len(keys):
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


async def write(connection: RawConnection, plan: Plan, now: datetime) -> None:
    """Write a plan, in one statement. Amounts are added to what is there; constraints have the last word."""
    arguments: list[object] = [
        *_columns(plan.accounts, 5),
        *_columns(
            (
                (
                    lot.account_id,
                    lot.lot_key,
                    lot.award,
                    lot.terms.issuer,
                    lot.terms.basis,
                    lot.terms.available_from,
                    lot.terms.expires_on,
                    lot.remaining,
                    lot.reserved,
                )
                for lot in plan.credited_lots
            ),
            9,
        ),
        *_columns(plan.transfers, 10),
        now,
    ]
    if not plan.stored_lots and not plan.new_holds and not plan.stored_holds:
        await connection.execute(WRITE_CREDITS, *arguments)
        return
    new, stored = plan.new_holds, plan.stored_holds
    await connection.execute(
        WRITE_ALL,
        *arguments,
        *_columns(((lot.account_id, lot.lot_key, lot.remaining, lot.reserved) for lot in plan.stored_lots), 4),
        *_columns(((hold.hold_id, hold.account_id, hold.reserved, hold.captured, hold.state) for hold in new), 5),
        *_columns(((hold.hold_id, hold.reserved, hold.captured, hold.state) for hold in stored), 4),
        *_columns(
            (
                (hold.hold_id, hold.account_id, part.lot.key, part.reserved, part.captured)
                for hold in (*new, *stored)
                for part in hold.parts
            ),
            5,
        ),
    )


def _columns(rows: Iterable[Sequence[object]], width: int) -> list[Sequence[object]]:
    """Rows turned into one array a column; without rows, empty arrays."""
    return list(zip(*rows, strict=True)) or [()] * width


def _lot_of(row: asyncpg.Record) -> StoredLot:
    terms = LotTerms(
        issuer=row["issuer"], available_from=row["available_from"], expires_on=row["expires_on"], basis=row["basis"]
    )
    return StoredLot(row["account_id"], row["lot_key"], row["award"], terms, row["remaining"], row["reserved"])
