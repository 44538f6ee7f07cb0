"""Finding whose points were left alone: accounts by what last happened to them, and their lots. Nothing here locks.

Whoever lets points lapse for it locks the accounts (``lock_purses``), looks again, and posts ``Expire`` for each lot.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from shared.database.engine import Transaction
from shared.ledger.corrections import Expire
from shared.ledger.due_lots import DueLot, LotPlace
from shared.ledger.repository import terms_of
from shared.ledger.terms import LotTerms

Activity: TypeAlias = Literal["purchase", "redemption"]

# A stretch of accounts, those without points included, so that a statement has a bound. What happened under the ids of
# members who were merged into one counts for it. Of purchases what gave points: adjustments and gifts are earned too.
# What was given back on a person's word begins anew, or it would be gone the next day. Of earning what puts something
# right ($4, by reference) is none: it happened when what it puts right did.
_ACCOUNTS = """
    with asked as materialized (
        {asked}
    )
    select account_id, owner_id, (
            select max(transfer.business_time)
            from (
                    select asked.owner_id
                    union all
                    select owner_id from ledger_aliases where survivor_id = asked.owner_id
                ) as answered_for
                join ledger_accounts as own on own.owner_id = answered_for.owner_id and own.point_type = $1
                join ledger_transfers as transfer on transfer.account_id = own.account_id
            where transfer.business_time >= $2
                and (
                    transfer.purpose = 'reinstate'
                    or 'redemption' = any($3::text[]) and transfer.purpose in ('capture', 'spend_late', 'refund')
                    or 'purchase' = any($3::text[]) and transfer.purpose = 'earn'
                        and transfer.reference <> all($4::bytea[]) and exists (
                        select from ledger_lots
                        where ledger_lots.account_id = transfer.account_id and lot_key = transfer.credit_lot
                            and basis = 'purchase'
                    )
                )
        ) as last_at
    from asked
    where available > 0 and point_type = $1
    order by account_id
"""
_COLUMNS = "account_id, owner_id, point_type, available"
FIND_ACCOUNTS = _ACCOUNTS.format(
    asked=f"select {_COLUMNS} from ledger_accounts where account_id > $5 order by account_id limit $6"
)
LOOK_AGAIN = _ACCOUNTS.format(asked=f"select {_COLUMNS} from ledger_accounts where account_id = any($5::bigint[])")
WITH_POINTS = """
    select account_id, owner_id, null::timestamptz as last_at from ledger_accounts
    where account_id > $1 and account_id <= $2 and available > 0 and point_type = $3
    order by account_id
"""
LAST_OF_STRETCH = """
    select max(account_id) from (
        select account_id from ledger_accounts where account_id > $1 order by account_id limit $2
    ) as stretch
"""

# What lapses by its own day is left to that. What came back to a lot could not be spent before: from where a hold of
# fraud's kept it, from a partner, or with a void ($4, by reference).
FIND_LOTS = """
    with came_back as materialized (
        select account_id, credit_lot, max(business_time) as at
        from ledger_transfers
        where account_id = any($1::bigint[]) and business_time >= $3
            and (purpose in ('release', 'refund', 'prolong') or purpose = 'earn' and reference = any($4::bytea[]))
        group by account_id, credit_lot
    )
    select lot.account_id, account.owner_id, account.point_type, lot_key, issuer, basis, available_from, expires_on,
        funding, limits, remaining, came_back.at as came_back_at
    from ledger_lots as lot
        join ledger_accounts as account on account.account_id = lot.account_id
        left join came_back on came_back.account_id = lot.account_id and came_back.credit_lot = lot.lot_key
    where lot.account_id = any($1::bigint[]) and award is null and remaining > 0
        and (expires_on is null or expires_on > $2)
    order by lot.account_id, lot_key
"""

# Of lots whose own day has not come: whatever lapsed of them did so for this. Under the ids of who was merged, too.
HAVE_LAPSED = """
    select exists (
        select from (
                select $1::uuid as owner_id
                union all
                select owner_id from ledger_aliases where survivor_id = $1
            ) as answered_for
            join ledger_accounts as own on own.owner_id = answered_for.owner_id and own.point_type = $2
            join ledger_transfers as transfer on transfer.account_id = own.account_id
        where transfer.business_time >= $3 and transfer.purpose = 'expire_points' and debit_lot = any($4::bytea[])
    )
"""


class IdleAccount(NamedTuple):
    """An account with points, and when something last happened that counts; None: not since the given time."""

    account_id: int
    owner_id: UUID
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Accounts with points, of those that were looked at up to ``last_account_id``; None: there are no more."""

    accounts: tuple[IdleAccount, ...]
    last_account_id: int | None


class LeftLot(NamedTuple):
    """What is left of a lot, since when it was there, and when some of it last came back, since the given time."""

    due: DueLot
    available_from: date
    points: int
    came_back_at: datetime | None


async def find_accounts(
    transaction: Transaction,
    after_account_id: int,
    point_type: str,
    activities: Collection[Activity],
    since: datetime,
    accounts_max: int,
) -> Stretch:
    """The next accounts, by id, with the last of these activities since a time, what puts something right being one:
    ``look_again`` at those whose was that.
    """
    last: int | None = await transaction.raw.fetchval(LAST_OF_STRETCH, after_account_id, accounts_max)
    if last is None:
        return Stretch((), None)
    rows = await transaction.raw.fetch(
        FIND_ACCOUNTS, point_type, since, list(activities), [], after_account_id, accounts_max
    )
    return Stretch(tuple(IdleAccount(*row) for row in rows), last)


async def find_with_points(
    transaction: Transaction, after_account_id: int, point_type: str, accounts_max: int
) -> Stretch:
    """The next accounts, by id, whatever last happened to them: for whoever looks at that under their locks alone."""
    last: int | None = await transaction.raw.fetchval(LAST_OF_STRETCH, after_account_id, accounts_max)
    if last is None:
        return Stretch((), None)
    rows = await transaction.raw.fetch(WITH_POINTS, after_account_id, last, point_type)
    return Stretch(tuple(IdleAccount(*row) for row in rows), last)


async def look_again(
    transaction: Transaction,
    account_ids: Sequence[int],
    point_type: str,
    activities: Collection[Activity],
    since: datetime,
    putting_right: Collection[bytes],
) -> list[IdleAccount]:
    """The same of these accounts, those that have points, without what was earned under the references
    ``putting_right``. Whoever lets points lapse for it calls it under their locks.
    """
    rows = await transaction.raw.fetch(
        LOOK_AGAIN, point_type, since, list(activities), list(putting_right), list(account_ids)
    )
    return [IdleAccount(*row) for row in rows]


async def find_lots(
    transaction: Transaction,
    account_ids: Sequence[int],
    today: date,
    since: datetime,
    lapses_on: date,
    reference: bytes,
    voids: Collection[bytes],
) -> list[LeftLot]:
    """What is left in these accounts' lots, with the commands that let it lapse, told as of ``lapses_on``. What was
    earned under the references ``voids`` came back to its lot.
    """
    rows = await transaction.raw.fetch(FIND_LOTS, list(account_ids), today, since, list(voids))
    return [
        LeftLot(
            DueLot(
                LotPlace(row["account_id"], row["lot_key"]),
                lapses_on,
                row["issuer"],
                Expire(row["owner_id"], row["point_type"], reference, terms_of(row)),
            ),
            row["available_from"],
            row["remaining"],
            row["came_back_at"],
        )
        for row in rows
    ]


async def have_lapsed(
    transaction: Transaction, owner_id: UUID, point_type: str, lots: Sequence[LotTerms], since: datetime
) -> bool:
    """Whether points of any of these lots, none of which has come to its own day, have lapsed since a time: to be
    called under the account's lock.
    """
    keys = [terms.key for terms in lots]
    return bool(await transaction.raw.fetchval(HAVE_LAPSED, owner_id, point_type, since, keys))
