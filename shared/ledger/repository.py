"""What posting reads and locks. Set-based, without a schema, on the connection of the caller's transaction.

Only accounts are locked: whoever changes a lot or a hold holds its account's lock, so those rows need no order.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

import asyncpg

from shared.database.engine import RawConnection
from shared.database.errors import StartAgainError
from shared.ledger import aliases
from shared.ledger.absorbing import MergingAccounts
from shared.ledger.conditions import read_funding, read_limits
from shared.ledger.debts import StoredDebt
from shared.ledger.needs import Needs
from shared.ledger.planning import Absorbed
from shared.ledger.records import Account, AccountKey, StoredHold, StoredLot, StoredPart
from shared.ledger.terms import LotTerms

# Lateral with a limit is a look-up by index whatever the planner believes: statements are planned once and kept, and a
# table that was small then is scanned for ever.

_FIND_ALIAS = """
    left join lateral (
        select survivor_id from ledger_aliases where ledger_aliases.owner_id = wanted.owner_id limit 1
    ) as alias on true"""

# In key order, like the locks below: two transactions that make the same accounts in different orders would deadlock.
# Waits for merges of their owners; an alias that is committed meanwhile is seen by the next statement only.
CREATE_ACCOUNTS = f"""
    with guarded as materialized ({aliases.GUARD_SHARED})
    insert into ledger_accounts (owner_id, point_type)
    select distinct coalesce(alias.survivor_id, wanted.owner_id) as owner_id, wanted.point_type
    from (select count(*) from guarded) as after_guarding
        cross join unnest($1::uuid[], $2::text[]) as wanted (owner_id, point_type)
        {_FIND_ALIAS}
    order by owner_id, point_type
    on conflict (owner_id, point_type) do nothing
    returning owner_id
"""

# An alias that was committed while this waited for a row is not seen, but the row's own mark is: it is read again.
LOCK_ACCOUNTS = f"""
    select wanted.ordinal, account.account_id, account.available, account.held, account.pending, account.debt,
        alias.survivor_id, account.is_merged
    from unnest($1::uuid[], $2::text[]) with ordinality as wanted (owner_id, point_type, ordinal)
        {_FIND_ALIAS}
        join ledger_accounts as account
            on account.owner_id = coalesce(alias.survivor_id, wanted.owner_id)
            and account.point_type = wanted.point_type
    order by account.owner_id, account.point_type
    for no key update of account
"""

# Locked after their survivors, by those alone who hold these: a command reaches such an account by its hold only.
LOCK_ABSORBED = """
    select alias.survivor_id, account.point_type, account.account_id, account.available, account.held, account.pending,
        account.debt
    from ledger_accounts as account
        join ledger_aliases as alias on alias.owner_id = account.owner_id
    where account.account_id = any($1::bigint[]) and account.is_merged
    order by account.owner_id, account.point_type
    for no key update of account
"""

# Whoever merges has kept others from making accounts of these owners: there are no more types than these.
CREATE_SURVIVORS = """
    insert into ledger_accounts (owner_id, point_type)
    select $2, point_type from ledger_accounts where owner_id = $1
    order by point_type
    on conflict (owner_id, point_type) do nothing
"""

LOCK_MERGING = """
    select owner_id, point_type, is_merged, account_id, available, held, pending, debt
    from ledger_accounts
    where owner_id in ($1, $2)
    order by owner_id, point_type
    for no key update
"""

_LOT = "account_id, lot_key, award, issuer, basis, available_from, expires_on, funding, limits, remaining, reserved"
# All there are, found by index: without a limit a table that was small when this was planned is scanned for ever.
_ALL_MAX = 1_000_000

LOAD_REMAINING_LOTS = f"""
    select {_LOT}
    from ledger_lots
    where account_id = any($1::bigint[]) and remaining > 0
"""

# Four parts: the lots that are named; of each account the first ones to be spent, until they cover what its commands
# can draw (lots_max bounds holds; null where all that is drawn must be found, however many lots it takes); those that
# are limited in use, which few have, since only the plan can tell what may use them; and those below $6 that have
# anything left to lapse. A lot may come twice.
LOAD_LOTS = f"""
    select lot.*
    from unnest($1::bigint[], $2::bytea[]) as named (account_id, lot_key)
        cross join lateral (
            select {_LOT}
            from ledger_lots
            where ledger_lots.account_id = named.account_id and ledger_lots.lot_key = named.lot_key
            limit 1
        ) as lot
    union all
    select {_LOT}
    from unnest($3::bigint[], $4::bigint[], $5::bigint[]) as drawing (drawing_id, points, lots_max)
        cross join lateral (
            select first_lots.*, sum(remaining) over (order by lot_key) - remaining as points_before
            from (
                select {_LOT}
                from ledger_lots
                where ledger_lots.account_id = drawing_id and lot_key >= $6 and award is null and remaining > 0
                    and limits is null
                order by lot_key
                limit lots_max
            ) as first_lots
        ) as spendable
    where points_before < points
    union all
    select lot.*
    from unnest($3::bigint[]) as drawing (drawing_id)
        cross join lateral (
            select {_LOT}
            from ledger_lots
            where ledger_lots.account_id = drawing_id and lot_key >= $6 and limits is not null and award is null
                and remaining > 0
            limit {_ALL_MAX}
        ) as lot
    union all
    select lot.*
    from unnest($7::bigint[]) as lapsing (lapsing_id)
        cross join lateral (
            select {_LOT}
            from ledger_lots
            where ledger_lots.account_id = lapsing_id and lot_key < $6 and award is null and remaining > 0
            order by lot_key
            limit {_ALL_MAX}
        ) as lot
"""

LOAD_DEBTS = f"""
    select debt.*
    from unnest($1::bigint[]) as indebted (account_id)
        cross join lateral (
            select account_id, debt_id, issuer, reference, owed_since, owed
            from ledger_debts
            where ledger_debts.account_id = indebted.account_id and owed > 0
            limit {_ALL_MAX}
        ) as debt
    order by debt.owed_since, debt.debt_id
"""

# All parts: what was taken late, without a hold, may have come from more lots than a hold may.
LOAD_HOLDS = f"""
    select hold.hold_id, hold.account_id, hold.reserved as hold_reserved, hold.captured as hold_captured,
        hold.state as hold_state,
        part.reserved as part_reserved, part.captured as part_captured, part.refunded as part_refunded,
        lot.lot_key, lot.award, lot.issuer, lot.basis, lot.available_from, lot.expires_on, lot.funding,
        lot.limits, lot.remaining, lot.reserved
    from unnest($1::uuid[]) as wanted (hold_id)
        cross join lateral (
            select * from ledger_holds where ledger_holds.hold_id = wanted.hold_id limit 1
        ) as hold
        cross join lateral (
            select * from ledger_hold_lots where ledger_hold_lots.hold_id = hold.hold_id limit {_ALL_MAX}
        ) as part
        cross join lateral (
            select * from ledger_lots
            where ledger_lots.account_id = hold.account_id and ledger_lots.lot_key = part.lot_key
            limit 1
        ) as lot
"""


class Owned(Protocol):
    """What names an account: a command does."""

    @property
    def owner_id(self) -> UUID: ...

    @property
    def point_type(self) -> str: ...


class LockedAccounts(NamedTuple):
    """Accounts by owner and point type. ``survivors`` answer for owners that were merged away: theirs are locked."""

    accounts: dict[AccountKey, Account]
    survivors: dict[UUID, UUID]


async def lock_accounts(connection: RawConnection, owned: Sequence[Owned]) -> LockedAccounts:
    """Lock the accounts that these name to the end of the transaction, in key order; make those that are missing.

    Nearly all are there, so they are locked first. Those that are missing are made, which locks them, after the ones
    that are there: two transactions of which each makes what the other has found may deadlock, and are tried again.

    Raises:
        StartAgainError: an owner was merged away while we waited for its account.
    """
    wanted = {(one.owner_id.int, one.point_type): one.owner_id for one in owned}
    keys, owners, point_types = list(wanted), list(wanted.values()), [point_type for _, point_type in wanted]
    rows = await connection.fetch(LOCK_ACCOUNTS, owners, point_types)
    made: set[UUID] = set()
    if len(rows) < len(keys):
        found = {row["ordinal"] for row in rows}
        missing = [key for ordinal, key in enumerate(keys, 1) if ordinal not in found]
        made_rows = await connection.fetch(
            CREATE_ACCOUNTS, [wanted[key] for key in missing], [key[1] for key in missing]
        )
        made = {row["owner_id"] for row in made_rows}
        rows = await connection.fetch(LOCK_ACCOUNTS, owners, point_types)  # all: with the balances as they are now
    locked = LockedAccounts({}, {})
    for ordinal, account_id, available, held, pending, debt, survivor_id, is_merged in rows:
        key = keys[ordinal - 1]
        if is_merged or (survivor_id is not None and wanted[key] in made):
            raise StartAgainError("an owner was merged away meanwhile")
        if survivor_id is not None:
            locked.survivors[wanted[key]] = survivor_id
            key = (survivor_id.int, key[1])
        locked.accounts[key] = Account(account_id, available, held, pending, debt)
    if len(rows) < len(keys):  # accounts are never deleted: an owner was merged into one who has none of this type
        raise StartAgainError("an owner was merged away meanwhile")
    return locked


async def lock_absorbed(connection: RawConnection, account_ids: Sequence[int]) -> list[Absorbed]:
    """Lock those of these accounts that were merged into others, whose locks the caller has."""
    rows = await connection.fetch(LOCK_ABSORBED, account_ids)
    return [Absorbed((survivor_id.int, point_type), Account(*account)) for survivor_id, point_type, *account in rows]


async def lock_merging(connection: RawConnection, merged_id: UUID, survivor_id: UUID) -> list[MergingAccounts]:
    """Lock both owners' accounts of each type that the merged one has, in key order; the survivor's are made.

    Raises:
        StartAgainError: the survivor was merged away itself while we waited.
    """
    await connection.execute(CREATE_SURVIVORS, merged_id, survivor_id)
    rows = await connection.fetch(LOCK_MERGING, merged_id, survivor_id)
    if any(row["is_merged"] for row in rows):
        raise StartAgainError("an owner was merged away meanwhile")
    accounts = {(owner_id, point_type): Account(*account) for owner_id, point_type, _, *account in rows}
    return [
        MergingAccounts(point_type, account, accounts[survivor_id, point_type])
        for (owner_id, point_type), account in accounts.items()
        if owner_id == merged_id
    ]


async def load_remaining_lots(connection: RawConnection, account_ids: Sequence[int]) -> list[StoredLot]:
    """The lots of these accounts that have anything to hand over, pending ones included."""
    return [_lot_of(row) for row in await connection.fetch(LOAD_REMAINING_LOTS, account_ids)]


async def load_lots(connection: RawConnection, needs: Needs) -> list[StoredLot]:
    """The lots that the plan needs. Read after the lock, in a statement of its own: what others committed is seen."""
    if not needs.named_lots and not needs.draws and not needs.lapsing:
        return []
    rows = await connection.fetch(
        LOAD_LOTS,
        [account_id for account_id, _ in needs.named_lots],
        [lot_key for _, lot_key in needs.named_lots],
        [draw.account_id for draw in needs.draws],
        [draw.points for draw in needs.draws],
        [draw.lots_max for draw in needs.draws],
        needs.bound,
        needs.lapsing,
    )
    return [_lot_of(row) for row in rows]


async def load_holds(connection: RawConnection, hold_ids: Sequence[UUID]) -> list[StoredHold]:
    """Those of these holds that are there, open or closed, with their lots."""
    if not hold_ids:
        return []
    parts: dict[UUID, list[StoredPart]] = {}
    heads: dict[UUID, asyncpg.Record] = {}
    for row in await connection.fetch(LOAD_HOLDS, hold_ids):
        heads[row["hold_id"]] = row
        part = StoredPart(_lot_of(row), row["part_reserved"], row["part_captured"], row["part_refunded"])
        parts.setdefault(row["hold_id"], []).append(part)
    return [
        StoredHold(
            hold_id,
            head["account_id"],
            head["hold_reserved"],
            head["hold_captured"],
            tuple(parts[hold_id]),
            head["hold_state"],
        )
        for hold_id, head in heads.items()
    ]


async def load_debts(connection: RawConnection, account_ids: Sequence[int]) -> list[StoredDebt]:
    """What these accounts owe, what began first coming first."""
    if not account_ids:
        return []
    return [StoredDebt(*row) for row in await connection.fetch(LOAD_DEBTS, account_ids)]


def _lot_of(row: asyncpg.Record) -> StoredLot:
    return StoredLot(row["account_id"], row["lot_key"], row["award"], terms_of(row), row["remaining"], row["reserved"])


def terms_of(row: asyncpg.Record) -> LotTerms:
    """The terms of a lot's row. Raises ValueError or TypeError for what nobody can have written."""
    funding, limits = row["funding"], row["limits"]
    return LotTerms(
        issuer=row["issuer"],
        available_from=row["available_from"],
        expires_on=row["expires_on"],
        basis=row["basis"],
        funding=None if funding is None else read_funding(funding),
        limits=None if limits is None else read_limits(limits),
    )
