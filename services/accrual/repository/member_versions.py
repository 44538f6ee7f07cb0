"""What members were, version by version. Rows are written under the member's lock; an older version changes nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from services.accrual.domain.member_versions import MemberState, MemberVersion
from shared.database import Transaction

# Of an erased person nothing that was said comes back, and who was merged away is judged as the survivor.
_NEWEST = """
    select members.member_id, newest.version, newest.since, newest.birth_month, newest.birth_day, newest.household_id
    from members
        left join lateral (
            select version, since, birth_month, birth_day, household_id from member_versions
            where member_versions.member_id = members.member_id
            order by since desc limit 1
        ) as newest on true
    where members.member_id = any($1::uuid[]) and erased_version is null and status <> 'merged'
"""

_SAVE = """
    insert into member_versions (member_id, since, version, birth_month, birth_day, household_id)
    select member_id, since, version, birth_month, birth_day, household_id
    from unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::smallint[], $5::smallint[], $6::uuid[])
        as new (member_id, since, version, birth_month, birth_day, household_id)
    order by member_id, since
    on conflict (member_id, since) do update
        set version = excluded.version, birth_month = excluded.birth_month, birth_day = excluded.birth_day,
            household_id = excluded.household_id
        where member_versions.version < excluded.version
"""

# The first row begins before any receipt, so that the newest by then is the one in force.
_AT = """
    select asked.place, birth_month, birth_day, household_id
    from unnest($1::integer[], $2::uuid[], $3::timestamptz[]) as asked (place, member_id, at)
        join lateral (
            select birth_month, birth_day, household_id from member_versions
            where member_versions.member_id = asked.member_id and since <= asked.at
            order by since desc limit 1
        ) as in_force on true
"""

FORGET_VERSIONS = "delete from member_versions where member_id = any($1::uuid[])"


async def load_newest(
    transaction: Transaction, member_ids: Collection[UUID]
) -> dict[UUID, MemberVersion[MemberState] | None]:
    """The newest row of each member; None where there is none yet. Whoever is erased or merged away is absent."""
    rows = await transaction.raw.fetch(_NEWEST, list(member_ids))
    return {row["member_id"]: None if row["since"] is None else _version(row) for row in rows}


async def save(transaction: Transaction, rows: Sequence[MemberVersion[MemberState]]) -> None:
    """Write rows of members who are locked."""
    await transaction.raw.execute(
        _SAVE,
        [row.member_id for row in rows],
        [row.since for row in rows],
        [row.version for row in rows],
        [row.state.birth_month for row in rows],
        [row.state.birth_day for row in rows],
        [row.state.household_id for row in rows],
    )


async def load_at(transaction: Transaction, asked: Sequence[tuple[UUID, datetime]]) -> list[MemberState]:
    """What each member was at each moment, in the given order; of whom nothing was told, nothing is known."""
    rows = await transaction.raw.fetch(
        _AT, list(range(len(asked))), [member_id for member_id, _ in asked], [at for _, at in asked]
    )
    found = {row["place"]: _state(row) for row in rows}
    return [found.get(place, MemberState()) for place in range(len(asked))]


async def forget(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Take away all that these members were."""
    await transaction.raw.execute(FORGET_VERSIONS, list(member_ids))


def _version(row: asyncpg.Record) -> MemberVersion[MemberState]:
    return MemberVersion(row["member_id"], row["version"], row["since"], _state(row))


def _state(row: asyncpg.Record) -> MemberState:
    return MemberState(row["birth_month"], row["birth_day"], row["household_id"])
