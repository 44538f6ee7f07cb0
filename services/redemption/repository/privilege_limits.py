"""How often privileges were used or are reserved, and the reservations themselves.

Whoever counts to decide has locked the member's row, and where all members' uses are limited together the privilege's.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.privileges.limits import PERIODS, Tally, Total, began
from shared.database import Transaction

LOCK_PRIVILEGES = """
    select privilege_id from redemption_privileges
    where privilege_id = any($1::text[])
    order by privilege_id
    for no key update
"""

# What those used for whom a member answers counts as the member's. A reservation counts until purchases were read to
# its end ($3): our own lag must not give away what was promised. Those of the conversations in $4 at the
# partners in $5 are the caller's own.
_COUNT_OF_MEMBERS = """
    with ours as (
        select survivor_id, survivor_id as member_id from unnest($1::uuid[]) as asked (survivor_id)
        union all
        select merged_into, member_id from redemption_members where merged_into = any($1::uuid[])
    ), counted as (
        select survivor_id, privilege_id, counted_on
        from redemption_privilege_uses join ours using (member_id)
        where privilege_id = any($2::text[]) and not is_undone
        union all
        select survivor_id, privilege_id, counted_on
        from redemption_privilege_reservations join ours using (member_id)
        where privilege_id = any($2::text[]) and ($3::timestamptz is null or expires_at > $3)
            and (session_id, partner_id) not in (select * from unnest($4::uuid[], $5::text[]))
    )
    select survivor_id, privilege_id, counted_on, count(*) as uses
    from counted
    group by survivor_id, privilege_id, counted_on
"""
_COUNT_RESERVED = """
    select privilege_id, counted_on, count(*) as uses
    from redemption_privilege_reservations
    where privilege_id = any($1::text[]) and ($2::timestamptz is null or expires_at > $2)
        and (session_id, partner_id) not in (select * from unnest($3::uuid[], $4::text[]))
    group by privilege_id, counted_on
"""
_LOAD_TOTALS = """
    select privilege_id, period, began_on, uses
    from redemption_privilege_totals
    where privilege_id = any($1::text[]) and began_on = any($2::date[])
"""
_MEET_TOTAL = """
    insert into redemption_privilege_totals (privilege_id, period, began_on, uses)
    values ($1, $2, $3, 0)
    on conflict (privilege_id, period, began_on) do nothing
"""
_ADD = """
    update redemption_privilege_totals set uses = uses + $4
    where privilege_id = $1 and period = $2 and began_on = $3
"""
_RESERVE = """
    insert into redemption_privilege_reservations (
        session_id, privilege_id, partner_id, member_id, counted_on, expires_at
    )
    values ($1, $2, $3, $4, $5, $6)
    on conflict (session_id, privilege_id) do update
        set counted_on = excluded.counted_on,
            expires_at = greatest(redemption_privilege_reservations.expires_at, excluded.expires_at)
        where redemption_privilege_reservations.member_id = excluded.member_id
            and redemption_privilege_reservations.partner_id = excluded.partner_id
    returning expires_at
"""
_FIND_RESERVED = """
    select session_id, privilege_id, partner_id, member_id, counted_on, expires_at
    from redemption_privilege_reservations
    where session_id = any($1::uuid[])
    order by session_id, privilege_id
"""
_USE_UP = """
    delete from redemption_privilege_reservations
    where (session_id, partner_id, member_id) in (select * from unnest($1::uuid[], $2::text[], $3::uuid[]))
"""
DELETE_OF_MEMBERS = "delete from redemption_privilege_reservations where member_id = any($1::uuid[])"


class Reservation(NamedTuple):
    """A use that is kept for a till conversation until its receipt comes, or until it ends without one."""

    session_id: UUID
    privilege_id: str
    partner_id: str
    member_id: UUID
    counted_on: date
    expires_at: datetime


async def lock_privileges(transaction: Transaction, privilege_ids: Collection[str]) -> None:
    """Lock privileges whose uses are limited together, by their ids, to the commit."""
    await transaction.raw.execute(LOCK_PRIVILEGES, sorted(privilege_ids))


async def load_tally(
    transaction: Transaction,
    member_ids: Collection[UUID],
    privilege_ids: Collection[str],
    days: Collection[date],
    *,
    purchases_read_to: datetime | None,
    own_sessions: Collection[tuple[UUID, str]],
) -> Tally:
    """How often these privileges were used and are reserved, but for these conversations at these partners; the
    members are those who answer for others.

    Totals are of the periods in which ``days`` lie.
    """
    asked, own = sorted(privilege_ids), _columns(own_sessions, 2)
    of_members: dict[tuple[UUID, str], dict[date, int]] = {}
    for row in await transaction.raw.fetch(_COUNT_OF_MEMBERS, sorted(member_ids), asked, purchases_read_to, *own):
        of_members.setdefault((row["survivor_id"], row["privilege_id"]), {})[row["counted_on"]] = row["uses"]
    reserved: dict[str, dict[date, int]] = {}
    for row in await transaction.raw.fetch(_COUNT_RESERVED, asked, purchases_read_to, *own):
        reserved.setdefault(row["privilege_id"], {})[row["counted_on"]] = row["uses"]
    starts = sorted({began(period, day) for period in PERIODS for day in days})
    rows = await transaction.raw.fetch(_LOAD_TOTALS, asked, starts)
    totals = {Total(row["privilege_id"], row["period"], row["began_on"]): row["uses"] for row in rows}
    return Tally(of_members, totals, reserved)


async def add_to_totals(transaction: Transaction, changes: Mapping[Total, int]) -> None:
    """Count uses more or less, of privileges that are locked."""
    rows = [(*total, by) for total, by in sorted(changes.items()) if by]
    await transaction.raw.executemany(_MEET_TOTAL, [row[:3] for row in rows])
    await transaction.raw.executemany(_ADD, rows)


async def reserve(transaction: Transaction, reservations: Sequence[Reservation]) -> bool:
    """Keep uses; what the conversation has reserved before is kept longer. False: it has for another member or partner.

    A conversation names few privileges, so that a statement for each is no burden.
    """
    ends = [await transaction.raw.fetchval(_RESERVE, *one) for one in sorted(reservations)]
    return None not in ends


async def find_reserved(transaction: Transaction, session_ids: Collection[UUID]) -> list[Reservation]:
    """What these conversations have reserved, also what has ended."""
    return [Reservation(*row) for row in await transaction.raw.fetch(_FIND_RESERVED, sorted(session_ids))]


async def use_up(transaction: Transaction, reservations: Collection[Reservation]) -> None:
    """Reserve no more for the conversations of these, for their members and at their partners: their receipts came."""
    ended = {(one.session_id, one.partner_id, one.member_id) for one in reservations}
    await transaction.raw.execute(_USE_UP, *_columns(ended, 3))


async def delete_of_members(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget what is reserved of members who are erased."""
    await transaction.raw.execute(DELETE_OF_MEMBERS, list(member_ids))


def _columns(rows: Collection[tuple[object, ...]], width: int) -> list[tuple[object, ...]]:
    """Rows turned into one array a column."""
    return list(zip(*rows, strict=True)) or [()] * width
