"""Segments, and who belongs to them or has joined a campaign. Whoever writes a membership holds the member's lock."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.accrual.domain.memberships import Membership
from services.accrual.domain.rules.needs import GroupName
from shared.database import Transaction

_COLUMNS = "membership_id, member_id, kind, code, from_at, until_at, changed_by"

_AT = """
    select distinct asked.place, kind, code
    from unnest($1::integer[], $2::uuid[], $3::timestamptz[]) as asked (place, member_id, at)
        join memberships on memberships.member_id = asked.member_id
            and from_at <= asked.at and (until_at is null or asked.at < until_at)
    where (kind, code) in (select * from unnest($4::text[], $5::text[]))
"""

_NOT_OVER = f"""
    select {_COLUMNS} from memberships
    where member_id = any($1::uuid[]) and kind = $2 and code = $3
        and (until_at is null or until_at > greatest($4, from_at))
    order by from_at, membership_id
"""

_SAVE = """
    insert into memberships (membership_id, member_id, kind, code, from_at, until_at, changed_by, changed_at)
    select membership_id, member_id, kind, code, from_at, until_at, changed_by, $8
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
        as new (membership_id, member_id, kind, code, from_at, until_at, changed_by)
    order by membership_id
    on conflict (membership_id) do update
        set until_at = excluded.until_at, changed_by = excluded.changed_by, changed_at = excluded.changed_at
"""

_OF_MEMBER = f"""
    select {_COLUMNS} from memberships where member_id = $1 and membership_id > $2 order by membership_id limit $3
"""
_OF_GROUP = f"""
    select {_COLUMNS} from memberships
    where kind = $1 and code = $2 and membership_id > $3 and (until_at is null or until_at > greatest($4, from_at))
    order by membership_id limit $5
"""

_INSERT_SEGMENT = """
    insert into segments (code, name, declared_by, declared_at) values ($1, $2, $3, $4)
    on conflict (code) do nothing
    returning code
"""
_SEGMENTS = "select code, name, declared_by, declared_at from segments where code > $1 order by code limit $2"
_IS_SEGMENT = "select exists (select from segments where code = $1)"
# One that is published; whether it is in force yet does not matter to who joins. For a partner ($2) it is there only
# where some rule that asks for it, or is of it, may concern the partner's receipts.
_IS_CAMPAIGN = """
    select exists (
        select from rule_sets where state = 'published' and document -> 'campaigns' @> jsonb_build_array(
            jsonb_build_object('id', $1::text)
        ) and ($2::text is null or exists (
            select from jsonb_array_elements(document -> 'rules') as rule
            where coalesce(nullif(rule #> '{condition,partners}', '[]') ? $2, true)
                and coalesce(jsonb_array_length(rule #> '{condition,events}'), 0) = 0  -- else of no receipt
                and (rule ->> 'campaign' = $1 or jsonb_path_exists(
                    rule -> 'condition',
                    'strict $.** ? (@.kind == "campaign_member" && @.campaigns[*] == $code)',
                    jsonb_build_object('code', $1::text),
                    true
                ))
        ))
    )
"""

FOLD = "update memberships set member_id = $2 where member_id = $1"
FORGET_MEMBERSHIPS = "delete from memberships where member_id = any($1::uuid[])"


class Segment(NamedTuple):
    """A declared segment, and by whom."""

    code: str
    name: str
    declared_by: str
    declared_at: datetime


async def load_at(
    transaction: Transaction, asked: Sequence[tuple[UUID, datetime]], named: Sequence[GroupName]
) -> list[frozenset[GroupName]]:
    """Which of the named groups each member was in at each moment, in the given order."""
    rows = await transaction.raw.fetch(
        _AT,
        list(range(len(asked))),
        [member_id for member_id, _ in asked],
        [at for _, at in asked],
        [group.kind for group in named],
        [group.code for group in named],
    )
    found: list[set[GroupName]] = [set() for _ in asked]
    for row in rows:
        found[row["place"]].add(GroupName(row["kind"], row["code"]))
    return [frozenset(groups) for groups in found]


async def load_not_over(
    transaction: Transaction, member_ids: Collection[UUID], group: GroupName
) -> dict[UUID, list[Membership]]:
    """What is left of these members' stays in a group, the first first. Who has none is absent."""
    found: dict[UUID, list[Membership]] = {}
    for row in await transaction.raw.fetch(_NOT_OVER, list(member_ids), *group, transaction.now):
        found.setdefault(row["member_id"], []).append(_membership(row))
    return found


async def save(transaction: Transaction, changed: Sequence[Membership]) -> None:
    """Write memberships of members who are locked, new ones or what is to come of those that are there."""
    await transaction.raw.execute(
        _SAVE,
        [one.membership_id for one in changed],
        [one.member_id for one in changed],
        [one.group.kind for one in changed],
        [one.group.code for one in changed],
        [one.from_at for one in changed],
        [one.until_at for one in changed],
        [one.changed_by for one in changed],
        transaction.now,
    )


async def load_of_member(transaction: Transaction, member_id: UUID, after: UUID, rows_max: int) -> list[Membership]:
    """All stays of a member, by id. The id is taken as it stands."""
    return [_membership(row) for row in await transaction.raw.fetch(_OF_MEMBER, member_id, after, rows_max)]


async def load_of_group(transaction: Transaction, group: GroupName, after: UUID, rows_max: int) -> list[Membership]:
    """Stays in a group that are not over, by id."""
    rows = await transaction.raw.fetch(_OF_GROUP, *group, after, transaction.now, rows_max)
    return [_membership(row) for row in rows]


async def insert_segment(transaction: Transaction, segment: Segment) -> bool:
    """Whether the code was free: then the segment is declared."""
    return await transaction.raw.fetchrow(_INSERT_SEGMENT, *segment) is not None


async def load_segments(transaction: Transaction, after: str, rows_max: int) -> list[Segment]:
    """Declared segments, by code."""
    return [Segment(*row.values()) for row in await transaction.raw.fetch(_SEGMENTS, after, rows_max)]


async def is_known(transaction: Transaction, group: GroupName, partner_id: str | None = None) -> bool:
    """Whether the segment is declared, or the campaign part of a published rule set, and the partner's affair, too."""
    if group.kind == "segment":
        return bool(await transaction.raw.fetchval(_IS_SEGMENT, group.code))
    return bool(await transaction.raw.fetchval(_IS_CAMPAIGN, group.code, partner_id))


async def fold(transaction: Transaction, merged_id: UUID, survivor_id: UUID) -> None:
    """Let the survivor have been wherever the other was; both are locked. Repeated, it finds nothing left."""
    await transaction.raw.execute(FOLD, merged_id, survivor_id)


async def forget(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Take away where these members ever were."""
    await transaction.raw.execute(FORGET_MEMBERSHIPS, list(member_ids))


def _membership(row: asyncpg.Record) -> Membership:
    group = GroupName(row["kind"], row["code"])
    return Membership(row["membership_id"], row["member_id"], group, row["from_at"], row["until_at"], row["changed_by"])
