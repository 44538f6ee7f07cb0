"""Statements by which what was hashed with one key comes to be known under another one as well."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.members.domain.registry import Identifier
from services.members.domain.sealed import WrappedKey
from services.members.repository.claiming import COLUMNS, identifier_of
from services.members.repository.merging import HOLD_ERASURES
from services.members.repository.registry import EMAIL_TYPE, NEXT_VERSION
from shared.database import Transaction

FIND_PAGE = "select member_id from members where $1::uuid is null or member_id > $1 order by member_id limit $2"

# E-mail addresses are among them: whoever has one is enrolled, under whatever key.
LOCK_LACKING = f"""
    select {COLUMNS}, sealed_value from identifiers
    where identifier_id in (
        select identifier_id from identifiers
        where member_id = any($1::uuid[])
        group by identifier_id
        having count(*) filter (where split_part(identifier_hash, '.', 1) = any($2::text[])) < cardinality($2::text[])
    )
    order by identifier_hash
    for no key update
"""

LOAD_SEALED = """
    select member_id, master_key_id, wrapped_key, sealed
    from member_keys left join persons using (member_id)
    where member_id = any($1::uuid[])
"""

# The history counts by the higher version of two twins: the one that comes later begins no lower.
INSERT_TWINS = f"""
    with {NEXT_VERSION}
    insert into identifiers (
        identifier_id, identifier_hash, identifier_type, member_id, state, version, linked_at, sealed_value
    )
    select held.identifier_id, twin.identifier_hash, held.identifier_type, held.member_id, held.state,
        greatest(next.version, held.version), held.linked_at, held.sealed_value
    from unnest($1::text[], $2::text[]) as twin (identifier_hash, held_hash)
        join identifiers as held on held.identifier_hash = twin.held_hash
        cross join next
    order by twin.identifier_hash collate "C"
    on conflict do nothing  -- linked anew meanwhile, by whoever knows the value
    returning {COLUMNS}
"""

# The versions of keys that there are hashes of: a step in the index for each.
KEY_VERSIONS = """
    with recursive found (key_version) as (
        (select split_part(identifier_hash, '.', 1) from identifiers order by identifier_hash limit 1)
        union all
        select (
            select split_part(identifier_hash, '.', 1) from identifiers
            where identifier_hash > found.key_version || '/'
            order by identifier_hash
            limit 1
        )
        from found
        where found.key_version is not null
    )
    select key_version::integer from found where key_version is not null
"""

HAS_ALONE = """
    select exists (
        select from identifiers as old
        where old.identifier_hash >= $1 and old.identifier_hash < $2
            and not exists (
                select from identifiers as twin
                where twin.identifier_id = old.identifier_id
                    and split_part(twin.identifier_hash, '.', 1) = $3
            )
    )
"""


class Lacking(NamedTuple):
    """A hash of something that is not known under every valid key, with the value where that is kept."""

    identifier: Identifier
    is_email: bool
    sealed_value: bytes | None


class SealedMember(NamedTuple):
    """What opens values: the member's key, wrapped; and the person, whose e-mail address may be the only copy."""

    key: WrappedKey
    person: bytes | None


async def find_page(transaction: Transaction, after: UUID | None, rows_max: int) -> list[UUID]:
    """The members that follow ``after`` (None: the first), in the order of their ids."""
    return [row["member_id"] for row in await transaction.raw.fetch(FIND_PAGE, after, rows_max)]


async def lock_lacking(
    transaction: Transaction, member_ids: Sequence[UUID], key_versions: Collection[int]
) -> list[Lacking]:
    """What leads to these members and has no hash under one of the keys: all its hashes, locked in their order.

    No erasure begins meanwhile.
    """
    await transaction.raw.execute(HOLD_ERASURES)
    rows = await transaction.raw.fetch(LOCK_LACKING, member_ids, list(map(str, key_versions)))
    return [Lacking(identifier_of(row), row["identifier_type"] == EMAIL_TYPE, row["sealed_value"]) for row in rows]


async def load_sealed(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, SealedMember]:
    """What opens values of these members; one that has no key is absent."""
    return {
        row["member_id"]: SealedMember(WrappedKey(row["master_key_id"], row["wrapped_key"]), row["sealed"])
        for row in await transaction.raw.fetch(LOAD_SEALED, list(member_ids))
    }


async def insert_twins(transaction: Transaction, twins: Mapping[str, str]) -> list[Identifier]:
    """Let new hashes stand for what locked ones stand for (new → locked); those that tills can read come back."""
    rows = await transaction.raw.fetch(INSERT_TWINS, list(twins), list(twins.values()))
    return [identifier_of(row) for row in rows if row["identifier_type"] != EMAIL_TYPE]


async def load_key_versions(transaction: Transaction) -> frozenset[int]:
    """The versions of the keys that identifiers are hashed with."""
    return frozenset(row["key_version"] for row in await transaction.raw.fetch(KEY_VERSIONS))


async def has_alone(transaction: Transaction, key_version: int, other_version: int) -> bool:
    """Whether anything has a hash under the one key and none under the other."""
    arguments = (f"{key_version}.", f"{key_version}/", str(other_version))
    return bool(await transaction.raw.fetchval(HAS_ALONE, *arguments))
