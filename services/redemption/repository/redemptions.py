"""Redemptions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg

from services.redemption.domain.redemption import Redemption, State
from services.redemption.repository import shares
from shared.database import Transaction
from shared.database.later import Write

REDEMPTION_COLUMNS = """redemption_id, point_type, state, partner_id, member_id, held_points, open_points,
    captured_points, uncovered_points, held_at, expires_at, closed_at, session_id, pooled_points, value_minor,
    is_session_shown, let_go_points, is_taken_in_parts, quote_id"""

# A row that this statement makes is locked by having been made; one that was there is locked by the next statement.
MEET = """
    insert into redemptions (
        redemption_id, point_type, state, held_points, open_points, captured_points, uncovered_points
    )
    select redemption_id, point_type, 'awaited', 0, 0, 0, 0
    from unnest($1::uuid[], $2::text[]) as met (redemption_id, point_type)
    order by redemption_id  -- two that meet the same rows in different orders would deadlock
    on conflict (redemption_id) do nothing
    returning redemption_id
"""

LOCK = f"""
    select {REDEMPTION_COLUMNS}
    from redemptions
    where redemption_id = any($1::uuid[])
    order by redemption_id
    for no key update
"""

# Rows that somebody else is busy with are left to the next page: whoever holds them decides their fate.
LOCK_DUE = f"""
    select {REDEMPTION_COLUMNS}
    from redemptions
    where state = 'held' and expires_at <= $1
    order by expires_at
    limit $2
    for no key update skip locked
"""

FIND = f"select {REDEMPTION_COLUMNS} from redemptions where redemption_id = $1"

# Every row is either new or locked by this transaction.
SAVE = f"""
    insert into redemptions ({REDEMPTION_COLUMNS})
    select *
    from unnest(
        $1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::bigint[], $8::bigint[],
        $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::uuid[], $14::bigint[],
        $15::bigint[], $16::boolean[], $17::bigint[], $18::boolean[], $19::uuid[]
    )
    order by 1
    on conflict (redemption_id) do update
        set point_type = excluded.point_type,
            state = excluded.state,
            partner_id = excluded.partner_id,
            member_id = excluded.member_id,
            held_points = excluded.held_points,
            open_points = excluded.open_points,
            captured_points = excluded.captured_points,
            uncovered_points = excluded.uncovered_points,
            held_at = excluded.held_at,
            expires_at = excluded.expires_at,
            closed_at = excluded.closed_at,
            session_id = excluded.session_id,
            pooled_points = excluded.pooled_points,
            value_minor = excluded.value_minor,
            is_session_shown = excluded.is_session_shown,
            let_go_points = excluded.let_go_points,
            is_taken_in_parts = excluded.is_taken_in_parts,
            quote_id = excluded.quote_id
"""


async def meet_redemptions(transaction: Transaction, types: Mapping[UUID, str]) -> dict[UUID, Redemption]:
    """The rows of these redemptions, locked to the commit; those that were not there are made, as awaited, of the point
    types that are given by id."""
    wanted = sorted(types)
    rows = await transaction.raw.fetch(MEET, wanted, [types[redemption_id] for redemption_id in wanted])
    made = {row["redemption_id"] for row in rows}
    met = {redemption_id: Redemption(redemption_id, types[redemption_id]) for redemption_id in made}
    there = [redemption_id for redemption_id in wanted if redemption_id not in made]
    if there:
        found = await redemptions_of(transaction, await transaction.raw.fetch(LOCK, there))
        met |= {redemption.redemption_id: redemption for redemption in found}
    return met


async def lock_redemptions(transaction: Transaction, redemption_ids: Iterable[UUID]) -> dict[UUID, Redemption]:
    """These redemptions, locked in key order to the commit; one that is not there is absent."""
    found = await redemptions_of(transaction, await transaction.raw.fetch(LOCK, sorted(set(redemption_ids))))
    return {redemption.redemption_id: redemption for redemption in found}


async def lock_redemption(transaction: Transaction, redemption_id: UUID) -> Redemption | None:
    """The redemption, locked to the commit, or None."""
    found = await redemptions_of(transaction, await transaction.raw.fetch(LOCK, [redemption_id]))
    return found[0] if found else None


async def find_redemption(transaction: Transaction, redemption_id: UUID) -> Redemption | None:
    """The redemption as it stands, or None."""
    found = await redemptions_of(transaction, await transaction.raw.fetch(FIND, redemption_id))
    return found[0] if found else None


async def lock_due_holds(transaction: Transaction, due_at: datetime, rows_max: int) -> list[Redemption]:
    """Open holds that end at ``due_at`` or before, oldest first, locked; those that others hold are left out."""
    return await redemptions_of(transaction, await transaction.raw.fetch(LOCK_DUE, due_at, rows_max))


async def save_redemptions(transaction: Transaction, redemptions: Sequence[Redemption]) -> None:
    """Write redemptions that are new or locked by this transaction; each id at most once."""
    if not redemptions:
        return
    await transaction.raw.execute(SAVE, *_saved_columns(redemptions))
    await shares.save_shares(transaction, redemptions)


def save_redemption_later(transaction: Transaction, redemption: Redemption) -> None:
    """Write a redemption that is new or locked by this transaction, with the transaction's last statement."""
    save_redemptions_later(transaction, [redemption])


def save_redemptions_later(transaction: Transaction, redemptions: Sequence[Redemption]) -> None:
    """The same for several; each id at most once."""
    if redemptions:
        transaction.later.append(Write(SAVE, _saved_columns(redemptions)))
        shares.save_shares_later(transaction, redemptions)


def _saved_columns(redemptions: Sequence[Redemption]) -> list[Sequence[object]]:
    return [
        [redemption.redemption_id for redemption in redemptions],
        [redemption.point_type for redemption in redemptions],
        [redemption.state.value for redemption in redemptions],
        [redemption.partner_id for redemption in redemptions],
        [redemption.member_id for redemption in redemptions],
        [redemption.held_points for redemption in redemptions],
        [redemption.open_points for redemption in redemptions],
        [redemption.captured_points for redemption in redemptions],
        [redemption.uncovered_points for redemption in redemptions],
        [redemption.held_at for redemption in redemptions],
        [redemption.expires_at for redemption in redemptions],
        [redemption.closed_at for redemption in redemptions],
        [redemption.session_id for redemption in redemptions],
        [redemption.pooled_points for redemption in redemptions],
        [redemption.value_minor for redemption in redemptions],
        [redemption.is_session_shown for redemption in redemptions],
        [redemption.let_go_points for redemption in redemptions],
        [redemption.is_taken_in_parts for redemption in redemptions],
        [redemption.quote_id for redemption in redemptions],
    ]


async def redemptions_of(transaction: Transaction, rows: Sequence[asyncpg.Record]) -> list[Redemption]:
    """From rows with ``REDEMPTION_COLUMNS``, in their order, with what each reserves of others."""
    pooled = [row["redemption_id"] for row in rows if row["pooled_points"]]
    lent = await shares.load_shares(transaction, pooled) if pooled else {}
    return [replace(_redemption_of(row), shares=lent.get(row["redemption_id"], ())) for row in rows]


def _redemption_of(row: asyncpg.Record) -> Redemption:
    return Redemption(
        redemption_id=row["redemption_id"],
        point_type=row["point_type"],
        state=State(row["state"]),
        partner_id=row["partner_id"],
        member_id=row["member_id"],
        held_points=row["held_points"],
        open_points=row["open_points"],
        captured_points=row["captured_points"],
        uncovered_points=row["uncovered_points"],
        held_at=row["held_at"],
        expires_at=row["expires_at"],
        closed_at=row["closed_at"],
        session_id=row["session_id"],
        value_minor=row["value_minor"],
        let_go_points=row["let_go_points"],
        is_taken_in_parts=row["is_taken_in_parts"],
        is_session_shown=row["is_session_shown"],
        quote_id=row["quote_id"],
    )
