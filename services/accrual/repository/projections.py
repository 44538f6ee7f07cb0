"""What accrual knows of members and their identifiers, from their topic: a row only moves to a higher version."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.database import Transaction
from shared.events.members import ErasureData, IdentifierData, MemberData, MemberStatus, MergeData
from shared.events.versions import highest

_SAVE_MEMBERS = """
    insert into members (member_id, status, version, enrolled_at)
    select member_id, status, version, enrolled_at
    from unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[])
        as new (member_id, status, version, enrolled_at)
    order by member_id
    on conflict (member_id) do update
        set status = case when members.version < excluded.version then excluded.status else members.status end,
            version = greatest(members.version, excluded.version),
            enrolled_at = coalesce(members.enrolled_at, excluded.enrolled_at)  -- told once, and maybe late
        where members.erased_version is null and (
            members.version < excluded.version or members.enrolled_at is null and excluded.enrolled_at is not null
        )
"""

_SAVE_ERASED = """
    insert into members (member_id, status, version, erased_version)
    select member_id, 'erased', version, version from unnest($1::uuid[], $2::bigint[]) as erased (member_id, version)
    order by member_id
    on conflict (member_id) do update
        set status = 'erased', version = greatest(members.version, excluded.version),
            erased_version = excluded.erased_version, enrolled_at = null
        where members.erased_version is null
    returning member_id
"""

_FIND_ERASED = "select member_id from members where member_id = any($1::uuid[]) and erased_version is not null"

# The lock waits for an erasure that is under way.
_IS_ERASED = "select erased_version is not null from members where member_id = $1 for share"

_DELETE_IDENTIFIERS = "delete from identifiers where member_id = any($1::uuid[])"

_FIND_PROJECTED = "select identifier_hash from identifiers where identifier_hash = any($1::text[])"

_SAVE_IDENTIFIERS = """
    insert into identifiers (identifier_hash, member_id, state, version)
    select identifier_hash, member_id, state, version
    from unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[]) as new (identifier_hash, member_id, state, version)
    order by identifier_hash
    on conflict (identifier_hash) do update
        set member_id = excluded.member_id, state = excluded.state, version = excluded.version
        where identifiers.version < excluded.version
"""

_LOCK_MEMBERS = """
    select member_id, status from members where member_id = any($1::uuid[]) order by member_id for no key update
"""

_STATUSES = "select member_id, status from members where member_id = any($1::uuid[])"

_ENROLLED_AT = """
    select member_id, enrolled_at from members where member_id = any($1::uuid[]) and enrolled_at is not null
"""

_MEMBERS_BY_IDENTIFIER = """
    select identifier_hash, member_id from identifiers where identifier_hash = any($1::text[]) and state <> 'blocked'
"""

_HOLDERS = """
    select identifier_hash, member_id, status from identifiers left join members using (member_id)
    where identifier_hash = any($1::text[]) and state <> 'blocked'
"""


class Holder(NamedTuple):
    """Whose an identifier is, and that member's status; None: not heard of yet."""

    member_id: UUID
    status: MemberStatus | None


async def save_members(
    transaction: Transaction, members: Sequence[MemberData], enrolled_at: Mapping[UUID, datetime]
) -> None:
    """Project members, with the times at which they joined as far as they are told; of several versions in one call the
    highest stays. One who was erased stays so."""
    rows = list(highest(members, lambda member: member.member_id))
    await transaction.raw.execute(
        _SAVE_MEMBERS,
        [row.member_id for row in rows],
        [row.status for row in rows],
        [row.version for row in rows],
        [enrolled_at.get(row.member_id) for row in rows],
    )


async def save_merged(transaction: Transaction, merges: Sequence[MergeData]) -> None:
    """Project that members were merged away. Who answers for them the ledger says (``ledger.find_survivors``)."""
    rows = list({merge.merged_member_id: merge for merge in merges}.values())
    await transaction.raw.execute(
        _SAVE_MEMBERS,
        [row.merged_member_id for row in rows],
        ["merged" for _ in rows],
        [row.merged_version for row in rows],
        [None for _ in rows],
    )


async def save_erased(transaction: Transaction, erasures: Sequence[ErasureData]) -> set[UUID]:
    """Put up the tombstones of erased members; those whose erasure is news come back."""
    rows = list(highest(erasures, lambda erasure: erasure.member_id))
    saved = await transaction.raw.fetch(_SAVE_ERASED, [row.member_id for row in rows], [row.version for row in rows])
    return {row["member_id"] for row in saved}


async def find_erased(transaction: Transaction, member_ids: Collection[UUID]) -> set[UUID]:
    """Those of the members who were erased."""
    rows = await transaction.raw.fetch(_FIND_ERASED, list(member_ids))
    return {row["member_id"] for row in rows}


async def is_erased(transaction: Transaction, member_id: UUID) -> bool:
    """Whether the member was erased; an erasure that is under way is waited for, and one that comes waits for us."""
    return bool(await transaction.raw.fetchval(_IS_ERASED, member_id))


async def delete_identifiers(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget whatever led to these members."""
    await transaction.raw.execute(_DELETE_IDENTIFIERS, list(member_ids))


async def find_projected(transaction: Transaction, identifier_hashes: Collection[str]) -> set[str]:
    """Those of the identifiers that are somebody's, in whatever state."""
    rows = await transaction.raw.fetch(_FIND_PROJECTED, list(identifier_hashes))
    return {row["identifier_hash"] for row in rows}


async def save_identifiers(transaction: Transaction, identifiers: Sequence[IdentifierData]) -> None:
    """Project identifiers."""
    rows = list(highest(identifiers, lambda identifier: identifier.identifier_hash))
    await transaction.raw.execute(
        _SAVE_IDENTIFIERS,
        [row.identifier_hash for row in rows],
        [row.member_id for row in rows],
        [row.state for row in rows],
        [row.version for row in rows],
    )


async def lock_members(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, MemberStatus]:
    """Lock members in key order to the commit; their statuses. A member not heard of yet is absent."""
    rows = await transaction.raw.fetch(_LOCK_MEMBERS, list(member_ids))
    return {row["member_id"]: row["status"] for row in rows}


async def find_statuses(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, MemberStatus]:
    """The members' statuses as last committed, for who decides nothing. A member not heard of yet is absent."""
    rows = await transaction.raw.fetch(_STATUSES, list(member_ids))
    return {row["member_id"]: row["status"] for row in rows}


async def load_enrolled_at(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When these members joined; one of whom it was not heard is absent."""
    rows = await transaction.raw.fetch(_ENROLLED_AT, list(member_ids))
    return {row["member_id"]: row["enrolled_at"] for row in rows}


async def find_members(transaction: Transaction, identifier_hashes: Collection[str]) -> dict[str, UUID]:
    """Whose these identifiers are; an unknown or blocked one is absent. One that was lost or replaced still earns."""
    rows = await transaction.raw.fetch(_MEMBERS_BY_IDENTIFIER, list(identifier_hashes))
    return {row["identifier_hash"]: row["member_id"] for row in rows}


async def find_holders(transaction: Transaction, identifier_hashes: Collection[str]) -> dict[str, Holder]:
    """The same with what the members are, for who decides nothing."""
    rows = await transaction.raw.fetch(_HOLDERS, list(identifier_hashes))
    return {row["identifier_hash"]: Holder(row["member_id"], row["status"]) for row in rows}
