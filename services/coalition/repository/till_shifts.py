"""Statements on shifts: numbers that arrived, and what tills stated. Set-based, in key order."""

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.coalition.domain.shifts import (
    Arrival,
    Arrived,
    MissingNumbers,
    ShiftName,
    ShiftReport,
    Stated,
)
from shared.database import Transaction

MISSING_RUNS_MAX = 100

LAY_SHIFTS = """
    insert into till_shifts (partner_id, business_date, store_id, till_id, shift)
    select * from unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[])
        as met (partner_id, business_date, store_id, till_id, shift)
    order by partner_id collate "C", business_date, store_id collate "C", till_id collate "C", shift
    on conflict do nothing
"""

LOCK_SHIFTS = """
    select from till_shifts
        join unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[])
            as met (partner_id, business_date, store_id, till_id, shift)
            using (partner_id, business_date, store_id, till_id, shift)
    order by partner_id, business_date, store_id, till_id, shift
    for no key update of till_shifts
"""

# Under the lock: a number that is there came before, and whatever comes under it again is no news.
FIND_NEWS = """
    select place
    from unnest($1::text[], $2::date[], $3::text[], $4::text[], $5::bigint[], $6::numeric[]) with ordinality
        as arrived (partner_id, business_date, store_id, till_id, shift, number, place)
        join till_shifts using (partner_id, business_date, store_id, till_id, shift)
    where not numbers @> number
    order by place
"""

ADD_ARRIVALS = """
    update till_shifts
    set numbers = till_shifts.numbers + news.numbers, documents = till_shifts.documents + news.documents,
        total_minor = till_shifts.total_minor + news.total_minor, last_arrived_at = $1
    from (
        select partner_id, business_date, store_id, till_id, shift,
            range_agg(numrange(number, number + 1)) as numbers,
            count(*) filter (where not is_training) as documents,
            coalesce(sum(amount_minor) filter (where not is_training), 0)::bigint as total_minor
        from unnest($2::text[], $3::date[], $4::text[], $5::text[], $6::bigint[], $7::numeric[], $8::bigint[],
                $9::boolean[])
            as arrived (partner_id, business_date, store_id, till_id, shift, number, amount_minor, is_training)
        group by partner_id, business_date, store_id, till_id, shift
    ) as news
    where (till_shifts.partner_id, till_shifts.business_date, till_shifts.store_id, till_shifts.till_id,
            till_shifts.shift)
        = (news.partner_id, news.business_date, news.store_id, news.till_id, news.shift)
"""

CLOSE_SHIFT = """
    update till_shifts
    set stated_count = $6, stated_total_minor = $7, stated_first_number = $8, stated_last_number = $9, closed_by = $10,
        closed_at = $11
    where (partner_id, business_date, store_id, till_id, shift) = ($1, $2, $3, $4, $5)
"""

# What should be there: from the least to the highest number that came or was stated. ``least`` passes over nulls.
_REPORT = """
    select partner_id, business_date, store_id, till_id, shift, documents, total_minor, last_arrived_at,
        lower(numbers)::bigint as first_number, (upper(numbers) - 1)::bigint as last_number,
        stated_count, stated_total_minor, stated_first_number, stated_last_number,
        coalesce((select sum(upper(run) - lower(run)) from unnest(missing) as run), 0)::bigint as missing_count,
        array(select lower(run)::bigint from unnest(missing) as run order by run limit $RUNS) as missing_first,
        array(select (upper(run) - 1)::bigint from unnest(missing) as run order by run limit $RUNS) as missing_last
    from till_shifts
        cross join lateral (
            select case when isempty(numbers) and stated_last_number is null then '{}'::nummultirange
                else nummultirange(numrange(
                    least(stated_first_number, lower(numbers)),
                    greatest(stated_last_number + 1::numeric, upper(numbers))
                )) - numbers end as missing
        ) as expected
""".replace("$RUNS", str(MISSING_RUNS_MAX))

FIND_SHIFT = f"""
    {_REPORT}
    where (partner_id, business_date, store_id, till_id, shift) = ($1, $2, $3, $4, $5)
"""

LOAD_SHIFTS = f"""
    {_REPORT}
    where partner_id = $1 and business_date between $2 and $3
        and (business_date, store_id, till_id, shift) > ($4, $5, $6, $7)
        and (case when $8 then closed_at is not null else not isempty(missing) end)
    order by business_date, store_id, till_id, shift
    limit $9
"""


async def add_arrivals(transaction: Transaction, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Take in arrivals, of which no number stands twice; those that are news come back.

    A number counts once for ever, so that a replay changes nothing. Locks their shifts, in key order, to the commit.
    """
    names = sorted({arrival.shift for arrival in arrivals})
    await _meet(transaction, names)
    rows = await transaction.raw.fetch(
        FIND_NEWS, *_columns([arrival.shift for arrival in arrivals]), [arrival.number for arrival in arrivals]
    )
    news = [arrivals[row["place"] - 1] for row in rows]
    if news:
        await transaction.raw.execute(
            ADD_ARRIVALS,
            transaction.now,
            *_columns([arrival.shift for arrival in news]),
            [arrival.number for arrival in news],
            [arrival.total_minor for arrival in news],
            [arrival.is_training for arrival in news],
        )
    return news


async def meet_shift(transaction: Transaction, name: ShiftName) -> ShiftReport:
    """The shift as it stands, locked to the commit; made where nothing of it came yet."""
    await _meet(transaction, [name])
    row = await transaction.raw.fetchrow(FIND_SHIFT, *name)
    if row is None:
        raise AssertionError("unreachable: the row was just laid")
    return _report(row)


async def close_shift(transaction: Transaction, name: ShiftName, stated: Stated, closed_by: str) -> None:
    """Write what the till stated of a shift that this transaction holds."""
    await transaction.raw.execute(
        CLOSE_SHIFT,
        *name,
        stated.count,
        stated.total_minor,
        stated.first_number,
        stated.last_number,
        closed_by,
        transaction.now,
    )


async def load_shifts(
    transaction: Transaction,
    partner_id: str,
    days: tuple[date, date],
    *,
    is_closed: bool,
    after: tuple[date, str, str, int] | None,
    rows_max: int,
) -> list[ShiftReport]:
    """A partner's shifts of these days (both included) in key order: those that are closed, or those with gaps."""
    position = after or (days[0], "", "", -1)
    rows = await transaction.raw.fetch(LOAD_SHIFTS, partner_id, *days, *position, is_closed, rows_max)
    return [_report(row) for row in rows]


async def _meet(transaction: Transaction, names: Sequence[ShiftName]) -> None:
    columns = _columns(names)
    await transaction.raw.execute(LAY_SHIFTS, *columns)
    await transaction.raw.execute(LOCK_SHIFTS, *columns)


def _columns(names: Sequence[ShiftName]) -> list[list[object]]:
    return [list(column) for column in zip(*names, strict=True)]


def _report(row: asyncpg.Record) -> ShiftReport:
    stated = None
    if row["stated_count"] is not None:
        stated = Stated(
            row["stated_count"], row["stated_total_minor"], row["stated_first_number"], row["stated_last_number"]
        )
    return ShiftReport(
        name=ShiftName(row["partner_id"], row["business_date"], row["store_id"], row["till_id"], row["shift"]),
        arrived=Arrived(
            row["documents"], row["total_minor"], row["first_number"], row["last_number"], row["last_arrived_at"]
        ),
        stated=stated,
        missing=tuple(
            MissingNumbers(first, last) for first, last in zip(row["missing_first"], row["missing_last"], strict=True)
        ),
        missing_count=row["missing_count"],
    )
