"""What redemption knows of members and their identifiers, from their topic: a row only moves to a higher version."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.redemption.domain.holding import MemberFacts
from services.redemption.domain.partner_standing import Standing
from services.redemption.domain.standing import HIDDEN
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.events.members import ErasureData, IdentifierData, MemberData
from shared.events.tiers import TierData
from shared.events.versions import highest

SAVE_MEMBERS = """
    insert into redemption_members (member_id, status, version, household_id, enrolled_at)
    select *
    from unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::timestamptz[])
    order by 1
    on conflict (member_id) do update
        set status = excluded.status, version = excluded.version, household_id = excluded.household_id,
            enrolled_at = coalesce(excluded.enrolled_at, redemption_members.enrolled_at)
        where redemption_members.version < excluded.version and redemption_members.erased_version is null
"""

# The rows are there and locked.
SAVE_ERASED = """
    update redemption_members as member
    set status = 'erased', version = greatest(member.version, erased.version), erased_version = erased.version,
        enrolled_at = null, tier = null
    from unnest($1::uuid[], $2::bigint[]) as erased (member_id, version)
    where member.member_id = erased.member_id and member.erased_version is null
    returning member.member_id
"""

FIND_ERASED = """
    select member_id from redemption_members where member_id = any($1::uuid[]) and erased_version is not null
"""

# The lock waits for an erasure that is under way.
IS_ERASED = "select erased_version is not null from redemption_members where member_id = $1 for share"

DELETE_IDENTIFIERS = "delete from redemption_identifiers where member_id = any($1::uuid[])"

FIND_PROJECTED = "select identifier_hash from redemption_identifiers where identifier_hash = any($1::text[])"

SAVE_IDENTIFIERS = """
    insert into redemption_identifiers (identifier_hash, member_id, state, version)
    select *
    from unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[])
    order by 1
    on conflict (identifier_hash) do update
        set member_id = excluded.member_id, state = excluded.state, version = excluded.version
        where redemption_identifiers.version < excluded.version
"""

# All that is known of a member and of the partner where it wants to spend, before the ledger is asked.
SPENDER_COLUMNS = """member.member_id, member.status, member.merged_into,
        exists (
            select from redemption_identifiers as identifier
            where identifier.identifier_hash = any($2::text[]) and identifier.state <> 'active'
        ) as is_identifier_blocked,
        partner.kind, partner.state, coalesce($5 > partner.last_spend_on, true) as is_last_day_over"""
SPENDER_SOURCE = """redemption_members as member
        left join lateral (
            select kind, state, last_spend_on from redemption_partner_standings
            where partner_id = $3
            -- of those that count by now the newest; where none does yet, the first there was
            order by case when in_force_from <= $4 then version else -version end desc
            limit 1
        ) as partner on true"""
IS_SPENDER = """member.member_id = (
        select coalesce(named.merged_into, named.member_id)
        from redemption_members as named
        where named.member_id = coalesce(
            $1::uuid,
            (select identifier.member_id from redemption_identifiers as identifier
                where identifier.identifier_hash = any($2::text[])
                order by array_position($2::text[], identifier.identifier_hash)
                limit 1)
        )
    )"""
FIND_SPENDER = f"select {SPENDER_COLUMNS} from {SPENDER_SOURCE} where {IS_SPENDER}"
LOCK_SPENDER = f"{FIND_SPENDER} for no key update of member"

# A receipt may name a member before the registry has: its row must be there to be locked.
MEET_MEMBERS = """
    insert into redemption_members (member_id, status, version)
    select member_id, 'unknown', 0
    from unnest($1::uuid[]) as met (member_id)
    order by member_id
    on conflict (member_id) do nothing
"""

# The rows are there and locked. A tier moves to a higher version of its own.
SAVE_TIERS = """
    update redemption_members as member
    set tier = told.tier, tier_version = told.version
    from unnest($1::uuid[], $2::text[], $3::bigint[]) as told (member_id, tier, version)
    where member.member_id = told.member_id and member.tier_version < told.version and member.erased_version is null
"""

LOCK_MEMBERS = """
    select member_id
    from redemption_members
    where member_id = any($1::uuid[])
    order by member_id
    for no key update
"""

FIND_BY_IDENTIFIER = """
    select identifier_hash, member_id from redemption_identifiers where identifier_hash = any($1::text[])
"""

# Of two hashes of one identifier the present key's says whose it is; a block that was heard of under either blocks.
FIND_HOLDER = """
    select (array_agg(member_id order by array_position($1::text[], identifier_hash)))[1] as member_id,
        bool_and(state = 'active') as is_active
    from redemption_identifiers
    where identifier_hash = any($1::text[])
    having count(*) > 0
"""

IS_MEMBER = "select exists (select from redemption_members where member_id = $1 and status <> all($2::text[]))"


class Holder(NamedTuple):
    """To whom an identifier belongs; ``is_active``: it was not blocked, lost or replaced."""

    member_id: UUID
    is_active: bool


async def save_members(transaction: Transaction, members: Sequence[MemberData]) -> None:
    """Project members; of several versions in one call the highest stays. One who was erased stays so."""
    rows = highest(members, lambda member: member.member_id)
    await transaction.raw.execute(
        SAVE_MEMBERS,
        [row.member_id for row in rows],
        [row.status for row in rows],
        [row.version for row in rows],
        [row.household_id for row in rows],
        [row.enrolled_at for row in rows],
    )


async def save_tiers(transaction: Transaction, tiers: Sequence[TierData]) -> None:
    """Project tiers of members who are locked; of several versions in one call the highest stays."""
    rows = highest(tiers, lambda tier: tier.member_id)
    await transaction.raw.execute(
        SAVE_TIERS, [row.member_id for row in rows], [row.new_tier for row in rows], [row.version for row in rows]
    )


async def save_erased(transaction: Transaction, erasures: Sequence[ErasureData]) -> set[UUID]:
    """Put up the tombstones of members who are locked; those whose erasure is news come back."""
    rows = highest(erasures, lambda erasure: erasure.member_id)
    saved = await transaction.raw.fetch(SAVE_ERASED, [row.member_id for row in rows], [row.version for row in rows])
    return {row["member_id"] for row in saved}


async def find_erased(transaction: Transaction, member_ids: Collection[UUID]) -> set[UUID]:
    """Those of the members who were erased."""
    rows = await transaction.raw.fetch(FIND_ERASED, list(member_ids))
    return {row["member_id"] for row in rows}


async def is_erased(transaction: Transaction, member_id: UUID) -> bool:
    """Whether the member was erased; an erasure that is under way is waited for, and one that comes waits for us."""
    return bool(await transaction.raw.fetchval(IS_ERASED, member_id))


async def delete_identifiers(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget whatever led to these members."""
    await transaction.raw.execute(DELETE_IDENTIFIERS, list(member_ids))


async def find_projected(transaction: Transaction, identifier_hashes: Collection[str]) -> set[str]:
    """Those of the identifiers that are somebody's, in whatever state."""
    rows = await transaction.raw.fetch(FIND_PROJECTED, list(identifier_hashes))
    return {row["identifier_hash"] for row in rows}


async def save_identifiers(transaction: Transaction, identifiers: Sequence[IdentifierData]) -> None:
    """Project identifiers."""
    rows = highest(identifiers, lambda identifier: identifier.identifier_hash)
    await transaction.raw.execute(
        SAVE_IDENTIFIERS,
        [row.identifier_hash for row in rows],
        [row.member_id for row in rows],
        [row.state for row in rows],
        [row.version for row in rows],
    )


async def lock_spender(
    transaction: Transaction, member_id: UUID | None, identifier_hashes: Sequence[str], partner_id: str, today: date
) -> MemberFacts | None:
    """Lock the member who wants to spend, named by id or by the hashes that may stand for an identifier; None for one
    who is not known, or erased.

    The survivor is locked for a member who was merged away.

    Raises:
        StartAgainError: the member was merged away while we waited for its row.
    """
    row = await transaction.raw.fetchrow(LOCK_SPENDER, member_id, identifier_hashes, partner_id, transaction.now, today)
    if row is not None and row["merged_into"] is not None:
        raise StartAgainError("the member was merged away meanwhile")
    return spender_of(row)


async def find_spender(
    transaction: Transaction, member_id: UUID | None, identifier_hashes: Sequence[str], partner_id: str, today: date
) -> MemberFacts | None:
    """The same as last committed, without a lock."""
    return spender_of(
        await transaction.raw.fetchrow(FIND_SPENDER, member_id, identifier_hashes, partner_id, transaction.now, today)
    )


def spender_of(row: asyncpg.Record | None) -> MemberFacts | None:
    """From a row with ``SPENDER_COLUMNS``; None where nobody may know of the member."""
    if row is None or row["status"] in HIDDEN:
        return None
    partner = None if row["state"] is None else Standing(row["kind"], row["state"], row["is_last_day_over"])
    return MemberFacts(row["member_id"], row["status"], row["is_identifier_blocked"], partner)


async def lock_members(transaction: Transaction, member_ids: Iterable[UUID]) -> None:
    """Lock these members in key order to the commit, whether the registry has told of them yet or not."""
    wanted = sorted(set(member_ids))
    if not wanted:
        return
    await transaction.raw.execute(MEET_MEMBERS, wanted)
    await transaction.raw.execute(LOCK_MEMBERS, wanted)


async def lock_known_members(transaction: Transaction, member_ids: Sequence[UUID]) -> None:
    """Lock members whose points a redemption reserves, and who so have rows, in key order to the commit."""
    await transaction.raw.execute(LOCK_MEMBERS, member_ids)


async def find_members(transaction: Transaction, identifier_hashes: Collection[str]) -> dict[str, UUID]:
    """Whose these identifiers are. A blocked one counts: goods that it paid for are gone."""
    if not identifier_hashes:
        return {}
    rows = await transaction.raw.fetch(FIND_BY_IDENTIFIER, sorted(identifier_hashes))
    return {row["identifier_hash"]: row["member_id"] for row in rows}


async def find_holder(transaction: Transaction, identifier_hashes: Sequence[str]) -> Holder | None:
    """Whose this identifier is, and whether it is in use."""
    row = await transaction.raw.fetchrow(FIND_HOLDER, identifier_hashes)
    return None if row is None else Holder(row["member_id"], row["is_active"])


async def is_member(transaction: Transaction, member_id: UUID) -> bool:
    """Whether the registry has told of this member, and has not erased him."""
    return bool(await transaction.raw.fetchval(IS_MEMBER, member_id, sorted(HIDDEN)))
