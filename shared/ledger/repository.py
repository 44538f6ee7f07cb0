"""Lots, holds and debts, read for posting when their accounts are locked. Set-based, without a schema."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from shared.database.engine import RawConnection
from shared.ledger.conditions import read_funding, read_limits
from shared.ledger.debts import StoredDebt
from shared.ledger.needs import Needs
from shared.ledger.records import StoredHold, StoredLot, StoredPart
from shared.ledger.terms import LotTerms

# Lateral with a limit is a look-up by index whatever the planner believes: statements are planned once and kept, and a
# table that was small then is scanned for ever.

_LOT = "account_id, lot_key, award, issuer, basis, available_from, expires_on, funding, limits, remaining, reserved"
# All there are, found by index: without a limit a table that was small when this was planned is scanned for ever.
_ALL_MAX = 1_000_000

LOAD_REMAINING_LOTS = f"""
    select {_LOT}
    from ledger_lots
    where account_id = any($1::bigint[]) and remaining > 0
"""


def _lapsing_lots(account_ids: str, bound: str) -> str:
    """A source of ``lot``: what has anything left to lapse, of accounts and below a key that these parameters name."""
    return f"""
        unnest({account_ids}::bigint[]) as lapsing (lapsing_id)
            cross join lateral (
                select {_LOT}
                from ledger_lots
                where ledger_lots.account_id = lapsing_id and lot_key < {bound} and award is null and remaining > 0
                order by lot_key
                limit {_ALL_MAX}
            ) as lot
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
    from {_lapsing_lots("$7", "$6")}
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

# The same, and lots of no hold that lapse: all that whoever takes or lets go what is reserved has to read.
LOAD_HOLDS_AND_LAPSING = f"""
    {LOAD_HOLDS}
    union all
    select null, lot.account_id, null, null, null, null, null, null, lot.lot_key, lot.award, lot.issuer, lot.basis,
        lot.available_from, lot.expires_on, lot.funding, lot.limits, lot.remaining, lot.reserved
    from {_lapsing_lots("$2", "$3")}
"""


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


async def load_lots_and_holds(connection: RawConnection, needs: Needs) -> tuple[list[StoredLot], list[StoredHold]]:
    """Both, by one statement where nothing but holds is named. Read after the lock, too."""
    if not needs.hold_ids or needs.named_lots or needs.draws:
        return await load_lots(connection, needs), await load_holds(connection, needs.hold_ids)
    rows = await connection.fetch(LOAD_HOLDS_AND_LAPSING, needs.hold_ids, needs.lapsing, needs.bound)
    lapsing = [_lot_of(row) for row in rows if row["hold_id"] is None]
    return lapsing, _holds_of(row for row in rows if row["hold_id"] is not None)


async def load_holds(connection: RawConnection, hold_ids: Sequence[UUID]) -> list[StoredHold]:
    """Those of these holds that are there, open or closed, with their lots."""
    return _holds_of(await connection.fetch(LOAD_HOLDS, hold_ids)) if hold_ids else []


def _holds_of(rows: Iterable[asyncpg.Record]) -> list[StoredHold]:
    parts: dict[UUID, list[StoredPart]] = {}
    heads: dict[UUID, asyncpg.Record] = {}
    for row in rows:
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
