"""Locking the accounts that points move on, in one order. Set-based, without a schema.

Nothing else is locked: whoever changes a lot or a hold holds its account's lock, so those rows need no order.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from shared.database.engine import RawConnection
from shared.database.errors import StartAgainError
from shared.ledger import aliases
from shared.ledger.absorbing import MergingAccounts
from shared.ledger.planning import Absorbed
from shared.ledger.records import Account, AccountKey

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

# What others have locked is passed over: nobody waits, and so no order is needed.
LOCK_FREE_ACCOUNTS = f"{LOCK_ACCOUNTS} skip locked"

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


async def lock_free(connection: RawConnection, owned: Sequence[Owned], *, waits: bool) -> dict[AccountKey, Account]:
    """Lock, of the accounts that these name, those that are there, were not merged away, and are not locked by others;
    with ``waits`` the last ones too, in key order."""
    wanted = {(one.owner_id.int, one.point_type): one.owner_id for one in owned}
    if not wanted:
        return {}
    keys = list(wanted)
    statement = LOCK_ACCOUNTS if waits else LOCK_FREE_ACCOUNTS
    rows = await connection.fetch(statement, list(wanted.values()), [point_type for _, point_type in keys])
    return {
        keys[ordinal - 1]: Account(*account)
        for ordinal, *account, survivor_id, is_merged in rows
        if survivor_id is None and not is_merged
    }


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
