"""What several owners have to spend, under the locks of their accounts: for whoever spends from more than one."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from shared.database.engine import Transaction
from shared.ledger import locking
from shared.ledger.balances import LAPSED_UNTIL, bound_of
from shared.ledger.conditions import Basket, read_limits
from shared.ledger.records import AccountName

# Read under the locks: what others committed is seen.
LOAD_LAPSING = f"""
    select account.account_id, {LAPSED_UNTIL.format(bound="$2")} as points
    from unnest($1::bigint[]) as account (account_id)
"""

LOAD_LIMITED = """
    select account_id, limits, sum(remaining)::bigint as points
    from ledger_lots
    where account_id = any($1::bigint[]) and lot_key >= $2 and limits is not null and award is null and remaining > 0
    group by account_id, limits
"""


class Purse(NamedTuple):
    """What one owner has to spend, and owes. Whoever is in debt has nothing."""

    owner_id: UUID
    available: int
    debt: int = 0


async def lock_accounts(transaction: Transaction, owner_ids: Sequence[UUID], point_types: Sequence[str]) -> set[UUID]:
    """Lock these owners' accounts of all these types in key order to the commit; who answers for them comes back.

    Missing accounts are made.

    Raises:
        StartAgainError: an owner was merged away while we waited for its account.
    """
    names = [AccountName(owner_id, point_type) for owner_id in owner_ids for point_type in point_types]
    _, survivors = await locking.lock_accounts(transaction.raw, names)
    return {survivors.get(owner_id, owner_id) for owner_id in owner_ids}


async def lock_purses(
    transaction: Transaction, owner_ids: Sequence[UUID], point_type: str, *, basket: Basket | None = None
) -> list[Purse]:
    """Lock these owners' accounts in key order to the commit; what each has, in the order of ``owner_ids``. What may no
    longer be spent today does not count, and neither does what limits keep from the ``basket``; without one all counts.

    An owner that was merged away is its survivor, and two of one survivor are one: the account stands at the first of
    them. Missing accounts are made. ``post`` commands of these owners afterwards, in the same transaction.

    Raises:
        StartAgainError: an owner was merged away while we waited for its account.
    """
    accounts, survivors = await locking.lock_accounts(
        transaction.raw, [AccountName(owner_id, point_type) for owner_id in owner_ids]
    )
    answering = dict.fromkeys(survivors.get(owner_id, owner_id) for owner_id in owner_ids)
    named = {owner_id: accounts[owner_id.int, point_type] for owner_id in answering}
    account_ids = [account.account_id for account in named.values()]
    lapsing = await transaction.raw.fetch(LOAD_LAPSING, account_ids, bound_of(transaction))
    kept_back: dict[int, int] = {row["account_id"]: row["points"] for row in lapsing}
    if basket is not None:
        for row in await transaction.raw.fetch(LOAD_LIMITED, account_ids, bound_of(transaction)):
            if not read_limits(row["limits"]).admit(basket):
                kept_back[row["account_id"]] += row["points"]
    return [
        Purse(owner_id, account.available - kept_back[account.account_id], account.debt)
        for owner_id, account in named.items()
    ]
