"""Finding what expires: lots whose day has come, a stretch at a time, and what lapsed in passing. Nothing here locks.

Whoever expires them posts ``Expire`` for each, which reads them again under the accounts' locks: what was spent
meanwhile does not expire, what was done already is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from shared.database.engine import Transaction
from shared.ledger.corrections import Expire
from shared.ledger.expiring import lapse_reference
from shared.ledger.repository import terms_of

# The first day after $1 of any lot: what stood in between is skipped by the index.
FIND_DAY = """
    select expires_on from ledger_lots
    where expires_on is not null and award is null and expires_on > $1
    order by expires_on
    limit 1
"""

# A stretch of the day's lots from the last one on, empty ones included, so that a statement has a bound; of those the
# first that have points.
FIND_DUE = """
    with stretch as materialized (
        select account_id, lot_key, issuer, basis, available_from, expires_on, funding, limits, remaining
        from ledger_lots
        where expires_on = $1 and award is null and account_id >= $2 and (account_id, lot_key) > ($2, $3)
        order by account_id, lot_key
        limit $4
    ),
    due as (
        select * from stretch where remaining > 0 order by account_id, lot_key limit $5
    )
    select last.lots, last.account_id as last_account_id, last.lot_key as last_lot_key, due.account_id, due.lot_key,
        account.owner_id, account.point_type, due.issuer, due.basis, due.available_from, due.expires_on,
        due.funding, due.limits
    from (
            select account_id, lot_key, (select count(*) from stretch) as lots
            from stretch order by account_id desc, lot_key desc limit 1
        ) as last
        left join due on true
        left join lateral (
            select owner_id, point_type from ledger_accounts where ledger_accounts.account_id = due.account_id limit 1
        ) as account on true
    order by due.account_id, due.lot_key
"""

FIND_LAPSES = """
    select account.owner_id, account.point_type, lapse.account_id, lapse.lot_key, lot.issuer, lot.basis,
        lot.available_from, lot.expires_on, lot.funding, lot.limits
    from (select account_id, lot_key from ledger_lapses order by account_id, lot_key limit $1) as lapse
        cross join lateral (
            select * from ledger_lots
            where ledger_lots.account_id = lapse.account_id and ledger_lots.lot_key = lapse.lot_key
            limit 1
        ) as lot
        cross join lateral (
            select owner_id, point_type from ledger_accounts where ledger_accounts.account_id = lapse.account_id limit 1
        ) as account
"""

TAKE_LAPSES = """
    delete from ledger_lapses
    using unnest($1::bigint[], $2::bytea[]) as taken (account_id, lot_key)
    where ledger_lapses.account_id = taken.account_id and ledger_lapses.lot_key = taken.lot_key
    returning ledger_lapses.account_id, ledger_lapses.lot_key, points
"""


# Accounts with lots of a day, and what is left of those of each: the first $3 after $2, those with nothing included.
FIND_EXPIRING = """
    select lots.account_id, account.owner_id, account.point_type, lots.points
    from (
            select account_id, sum(remaining)::bigint as points
            from ledger_lots
            where expires_on = $1 and award is null and account_id > $2
            group by account_id
            order by account_id
            limit $3
        ) as lots
        cross join lateral (
            select owner_id, point_type from ledger_accounts where ledger_accounts.account_id = lots.account_id limit 1
        ) as account
    order by lots.account_id
"""


class LotPlace(NamedTuple):
    """Where a stretch of a day's lots ended."""

    account_id: int = 0
    lot_key: bytes = b""


class DueLot(NamedTuple):
    """A lot whose day has come, and the command that lets what is left of it lapse."""

    place: LotPlace
    expires_on: date
    issuer: str
    command: Expire


class ExpiringPoints(NamedTuple):
    """What is left of an account's lots of one day."""

    account_id: int
    owner_id: UUID
    point_type: str
    points: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """``due`` are of ``lots`` that were looked at; the next stretch begins after ``last``. No lots: the day is over."""

    due: tuple[DueLot, ...]
    lots: int
    last: LotPlace


async def find_day(transaction: Transaction, after: date) -> date | None:
    """The first day after this one on which any lot expires, or None."""
    found: date | None = await transaction.raw.fetchval(FIND_DAY, after)
    return found


async def find_expiring(
    transaction: Transaction, day: date, after_account_id: int, accounts_max: int
) -> list[ExpiringPoints]:
    """The next accounts that have lots of this day, ``accounts_max`` at most, some with nothing left; none: no more."""
    rows = await transaction.raw.fetch(FIND_EXPIRING, day, after_account_id, accounts_max)
    return [ExpiringPoints(*row) for row in rows]


async def find_due(transaction: Transaction, day: date, after: LotPlace, *, lots_max: int, due_max: int) -> Stretch:
    """The next lots that expire on this day and have points left: ``due_max`` at most, of ``lots_max`` looked at."""
    rows = await transaction.raw.fetch(FIND_DUE, day, after.account_id, after.lot_key, lots_max, due_max)
    if not rows:
        return Stretch((), 0, after)
    due = tuple(_due_lot(row) for row in rows if row["account_id"] is not None)
    is_full = len(due) == due_max
    last = due[-1].place if is_full else LotPlace(rows[0]["last_account_id"], rows[0]["last_lot_key"])
    return Stretch(due, rows[0]["lots"], last)


async def find_lapses(transaction: Transaction, lots_max: int) -> list[DueLot]:
    """Lots of which something lapsed in passing that nobody was told of yet."""
    return [_due_lot(row) for row in await transaction.raw.fetch(FIND_LAPSES, lots_max)]


async def take_lapses(transaction: Transaction, places: Sequence[LotPlace]) -> dict[LotPlace, int]:
    """What lapsed in passing from these lots: it is the caller's to tell. Call it under their accounts' locks."""
    rows = await transaction.raw.fetch(
        TAKE_LAPSES, [place.account_id for place in places], [place.lot_key for place in places]
    )
    return {LotPlace(account_id, lot_key): points for account_id, lot_key, points in rows}


def _due_lot(row: asyncpg.Record) -> DueLot:
    owner_id: UUID = row["owner_id"]
    command = Expire(owner_id, row["point_type"], lapse_reference(row["expires_on"]), terms_of(row))
    return DueLot(LotPlace(row["account_id"], row["lot_key"]), row["expires_on"], row["issuer"], command)
