"""Attributes that the registry declares and tells, and what members have under them, version by version.

Rows are written under the member's lock; an older version changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from services.accrual.domain.member_versions import MemberVersion
from shared.database import Transaction
from shared.events.members import AttributeData

Key: TypeAlias = tuple[UUID, str]
Says: TypeAlias = str | None

_DECLARE = """
    insert into attributes (code, version, value_type, choices)
    values ($1, $2, $3, $4)
    on conflict (code) do update
        set version = excluded.version, value_type = excluded.value_type, choices = excluded.choices
        where attributes.version < excluded.version
"""

# Of an erased person nothing that was said comes back, and who was merged away is judged as the survivor.
_NEWEST = """
    select asked.member_id, asked.code, newest.version, newest.since, newest.says
    from unnest($1::uuid[], $2::text[]) as asked (member_id, code)
        join members on members.member_id = asked.member_id and erased_version is null and status <> 'merged'
        left join lateral (
            select version, since, says from member_attribute_versions as kept
            where kept.member_id = asked.member_id and kept.code = asked.code
            order by since desc limit 1
        ) as newest on true
"""

_SAVE = """
    insert into member_attribute_versions (member_id, code, since, version, says)
    select member_id, code, since, version, says
    from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::text[])
        as new (member_id, code, since, version, says)
    order by member_id, code, since
    on conflict (member_id, code, since) do update set version = excluded.version, says = excluded.says
        where member_attribute_versions.version < excluded.version
"""

_AT = """
    select asked.place, code.code, in_force.says
    from unnest($1::integer[], $2::uuid[], $3::timestamptz[]) as asked (place, member_id, at)
        cross join unnest($4::text[]) as code (code)
        join lateral (
            select says from member_attribute_versions as kept
            where kept.member_id = asked.member_id and kept.code = code.code and since <= asked.at
            order by since desc limit 1
        ) as in_force on says is not null
"""

FORGET_ATTRIBUTES = "delete from member_attribute_versions where member_id = any($1::uuid[])"


async def declare(transaction: Transaction, attribute: AttributeData) -> None:
    """Project an attribute that was declared."""
    data = attribute
    await transaction.raw.execute(_DECLARE, data.code, data.version, data.value_type, list(data.choices))


async def load_newest(transaction: Transaction, keys: Collection[Key]) -> dict[Key, MemberVersion[Says] | None]:
    """The newest row of each member and attribute; None where there is none yet. Who is erased or merged is absent."""
    rows = await transaction.raw.fetch(_NEWEST, [member_id for member_id, _ in keys], [code for _, code in keys])
    return {
        (row["member_id"], row["code"]): None
        if row["since"] is None
        else MemberVersion(row["member_id"], row["version"], row["since"], row["says"])
        for row in rows
    }


async def save(transaction: Transaction, rows: Sequence[tuple[str, MemberVersion[Says]]]) -> None:
    """Write what members who are locked have under attributes."""
    await transaction.raw.execute(
        _SAVE,
        [row.member_id for _, row in rows],
        [code for code, _ in rows],
        [row.since for _, row in rows],
        [row.version for _, row in rows],
        [row.state for _, row in rows],
    )


async def load_at(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], codes: Sequence[str]
) -> list[Mapping[str, str]]:
    """What each member had under these attributes at each moment, in the given order; absent: nothing."""
    rows = await transaction.raw.fetch(
        _AT, list(range(len(asked))), [member_id for member_id, _ in asked], [at for _, at in asked], list(codes)
    )
    found: list[dict[str, str]] = [{} for _ in asked]
    for row in rows:
        found[row["place"]][row["code"]] = row["says"]
    return list(found)


async def forget(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Take away all that was said of these members."""
    await transaction.raw.execute(FORGET_ATTRIBUTES, list(member_ids))
