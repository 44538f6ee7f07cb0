"""Counters of members, by day: what they bought, and what they used of caps. Their rows of ``members`` are locked."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.accrual.domain.counters import Counted, CountedAsk, CountedRow, Counter
from shared.database import Transaction

# Days without a receipt are those from which everything was given back.
_LOAD = """
    select number, coalesce(sum(amount), 0)::bigint, coalesce(sum(receipts), 0)::bigint,
        count(*) filter (where receipts > 0 and counted_days.day <> asked.day),
        coalesce(bool_or(receipts > 0 and counted_days.day = asked.day), false),
        max(counted_days.day) filter (where receipts > 0 and counted_days.day <= asked.day)
    from unnest($1::uuid[], $2::text[], $3::date[], $4::date[], $5::date[])
            with ordinality as asked (member_id, name, first_day, last_day, day, number)
        join counted_days on counted_days.member_id = asked.member_id and counted_days.name = asked.name
            and counted_days.day between first_day and last_day
    group by number
"""

# Sums within the statement: a row must not be touched twice by one upsert.
_ADD = """
    insert into counted_days (member_id, name, day, amount, receipts, latest_at)
    select member_id, name, day, sum(amount), sum(receipts), max(latest_at)
    from unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::timestamptz[])
        as counted (member_id, name, day, amount, receipts, latest_at)
    group by member_id, name, day
    order by member_id, name, day
    on conflict (member_id, name, day) do update
    set amount = counted_days.amount + excluded.amount, receipts = counted_days.receipts + excluded.receipts,
        latest_at = greatest(counted_days.latest_at, excluded.latest_at)
"""

# Of a counter's last days: days of stores in other zones begin at other times, two days apart at most.
_LATEST = """
    select asked.member_id, asked.name, newest.latest_at
    from unnest($1::uuid[], $2::text[]) as asked (member_id, name)
        cross join lateral (
            select max(latest_at) as latest_at from (
                select latest_at from counted_days
                where counted_days.member_id = asked.member_id and counted_days.name = asked.name
                order by day desc limit 3
            ) as last_days
        ) as newest
    where newest.latest_at is not null
"""

# Only what was counted is given back: a purchase from before its counter began has no row.
_GIVE_BACK = """
    update counted_days
    set amount = greatest(0, counted_days.amount + given.amount),
        receipts = greatest(0, counted_days.receipts + given.receipts)
    from (
        select member_id, name, day, sum(amount)::bigint as amount, sum(receipts)::bigint as receipts
        from unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[], $5::bigint[])
            as back (member_id, name, day, amount, receipts)
        group by member_id, name, day
    ) as given
    where counted_days.member_id = given.member_id and counted_days.name = given.name and counted_days.day = given.day
"""

_FOLD = """
    with moved as (
        delete from counted_days where member_id = $1 returning name, day, amount, receipts, latest_at
    )
    insert into counted_days (member_id, name, day, amount, receipts, latest_at)
    select $2, name, day, amount, receipts, latest_at from moved order by name, day
    on conflict (member_id, name, day) do update
    set amount = counted_days.amount + excluded.amount, receipts = counted_days.receipts + excluded.receipts,
        latest_at = greatest(counted_days.latest_at, excluded.latest_at)
"""

_ERASE = "delete from counted_days where member_id = any($1::uuid[])"


async def load(transaction: Transaction, asks: Sequence[CountedAsk]) -> dict[CountedAsk, Counted]:
    """What is counted in each window; one in which nothing is counted is absent."""
    rows = await transaction.raw.fetch(
        _LOAD,
        [ask.member_id for ask in asks],
        [ask.name for ask in asks],
        [ask.days.first for ask in asks],
        [ask.days.last for ask in asks],
        [ask.day for ask in asks],
    )
    return {asks[number - 1]: Counted(*counted) for number, *counted in rows}


async def add(transaction: Transaction, rows: Iterable[CountedRow]) -> None:
    """Count what was bought and used."""
    listed = list(rows)
    await transaction.raw.execute(_ADD, *_columns(listed), [row.latest_at for row in listed])


async def load_latest(transaction: Transaction, counters: Collection[Counter]) -> dict[Counter, datetime]:
    """The time of the latest receipt that each counter holds; absent: none is known."""
    names = list(counters)
    rows = await transaction.raw.fetch(_LATEST, [member_id for member_id, _ in names], [name for _, name in names])
    return {(row["member_id"], row["name"]): row["latest_at"] for row in rows}


async def give_back(transaction: Transaction, rows: Iterable[CountedRow]) -> None:
    """Take off what came back; ``rows`` are below zero."""
    await transaction.raw.execute(_GIVE_BACK, *_columns(rows))


async def fold(transaction: Transaction, merged_id: UUID, survivor_id: UUID) -> None:
    """Let what is counted of two members be the survivor's. Repeated, it finds nothing left."""
    await transaction.raw.execute(_FOLD, merged_id, survivor_id)


async def erase(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget what is counted of erased members: it tells when somebody shopped where."""
    await transaction.raw.execute(_ERASE, list(member_ids))


def _columns(rows: Iterable[CountedRow]) -> list[list[object]]:
    listed = list(rows)
    return [
        [row.member_id for row in listed],
        [row.name for row in listed],
        [row.day for row in listed],
        [row.amount for row in listed],
        [row.receipts for row in listed],
    ]
