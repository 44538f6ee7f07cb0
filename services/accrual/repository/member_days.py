"""The days of members that time makes events of: birthdays, and when they joined."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from shared.database import Transaction
from shared.events.members import MemberData
from shared.events.versions import highest

# Of an erased person nothing that was said comes back (the tombstone stands in ``members``).
_SAVE_DAYS = """
    insert into member_days (member_id, version, birth_month, birth_day, enrolled_on)
    select new.member_id, new.version, new.birth_month, new.birth_day, new.enrolled_on
    from unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::smallint[], $5::date[])
            as new (member_id, version, birth_month, birth_day, enrolled_on)
        join members on members.member_id = new.member_id and members.erased_version is null
    order by new.member_id
    on conflict (member_id) do update
        set version = greatest(member_days.version, excluded.version),
            birth_month = case when member_days.version < excluded.version
                then excluded.birth_month else member_days.birth_month end,
            birth_day = case when member_days.version < excluded.version
                then excluded.birth_day else member_days.birth_day end,
            enrolled_on = coalesce(member_days.enrolled_on, excluded.enrolled_on)  -- told once, and maybe late
"""

_BORN = """
    select member_id from member_days join members using (member_id)
    where (birth_month, birth_day) in (select * from unnest($1::smallint[], $2::smallint[]))
        and status = any($3::text[]) and ($4::uuid is null or member_id > $4)
    order by member_id limit $5
"""
_JOINED = """
    select member_id from member_days join members using (member_id)
    where (date_part('month', enrolled_on), date_part('day', enrolled_on))
            in (select * from unnest($1::float8[], $2::float8[]))
        and enrolled_on < $6
        and status = any($3::text[]) and ($4::uuid is null or member_id > $4)
    order by member_id limit $5
"""

FORGET_DAYS = "delete from member_days where member_id = any($1::uuid[])"


async def save(transaction: Transaction, members: Sequence[MemberData], enrolled_on: dict[UUID, date]) -> None:
    """Project birthdays, and the days on which members joined; of several versions the highest stays."""
    rows = list(highest(members, lambda member: member.member_id))
    await transaction.raw.execute(
        _SAVE_DAYS,
        [row.member_id for row in rows],
        [row.version for row in rows],
        [row.birth_month for row in rows],
        [row.birth_day for row in rows],
        [enrolled_on.get(row.member_id) for row in rows],
    )


async def find_born(
    transaction: Transaction,
    days: Sequence[tuple[int, int]],
    statuses: Sequence[str],
    after_member: UUID | None,
    rows_max: int,
) -> list[UUID]:
    """Members with one of these birthdays (month, day) and statuses, by id."""
    months, numbers = [month for month, _ in days], [day for _, day in days]
    rows = await transaction.raw.fetch(_BORN, months, numbers, list(statuses), after_member, rows_max)
    return [row["member_id"] for row in rows]


async def find_joined(
    transaction: Transaction,
    days: Sequence[tuple[int, int]],
    statuses: Sequence[str],
    after_member: UUID | None,
    rows_max: int,
    before: date,
) -> list[UUID]:
    """Members who joined on one of these days of a year before this date's, by id."""
    months, numbers = [float(month) for month, _ in days], [float(day) for _, day in days]
    rows = await transaction.raw.fetch(_JOINED, months, numbers, list(statuses), after_member, rows_max, before)
    return [row["member_id"] for row in rows]


async def forget(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Take away the days of these members."""
    await transaction.raw.execute(FORGET_DAYS, list(member_ids))
