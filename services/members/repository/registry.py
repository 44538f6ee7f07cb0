"""Every statement on the registry. Linking is hot; reading one person is not."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from services.members.domain.merging import refuse_merged
from services.members.domain.registry import Identifier, Member
from services.members.domain.sealed import SealedPerson, WrappedKey
from services.members.tables import identifiers, member_keys, members, persons
from shared.database import Transaction
from shared.events.members import MemberStatus

# An e-mail address is claimed like an identifier: one table says whom a normal form belongs to, in one lock order.
EMAIL_TYPE = "email"

# The version of an identifier that nobody has: above all that were erased, for its hash may be one of those. ``held``
# deletes nothing, it holds the table in ROW EXCLUSIVE mode, taken before the statement looks at any row: an erasure
# that is under way is waited for, and then seen. See repository/erasure.py.
NEXT_VERSION = """
    held as (
        delete from identifier_versions where false
    ),
    next as (
        select erased_max + 1 as version from identifier_versions
    )
"""

LOCK_MEMBER = """
    select member_id, status, language, region, version, enrolled_at, birth_month, birth_day, merged_into, household_id
    from members
    where member_id = $1
    for no key update
"""

LOCK_MEMBERS = """
    select member_id, status, language, region, version, enrolled_at, birth_month, birth_day, merged_into, household_id
    from members
    where member_id = any($1::uuid[])
    order by member_id
    for no key update
"""

RAISE_MEMBER_VERSION = "update members set version = version + 1 where member_id = $1"

FIND_STATUS = "select status from members where member_id = $1"

HAS_MEMBER = "select exists (select from members where member_id = $1)"

FIND_PRESENT_ID = "select coalesce(merged_into, member_id) from members where member_id = $1"


async def lock_member(transaction: Transaction, member_id: UUID) -> Member | None:
    """The member, locked to the commit, so that it can be changed.

    Raises:
        MemberMergedError: it was merged away.
    """
    row = await transaction.raw.fetchrow(LOCK_MEMBER, member_id)
    if row is None:
        return None
    member = Member(**dict(row))
    refuse_merged(member)
    return member


async def lock_members(transaction: Transaction, member_ids: Collection[UUID]) -> dict[UUID, Member]:
    """Members as they stand, merged ones too, locked in the order of ids; one that is not there is absent."""
    rows = await transaction.raw.fetch(LOCK_MEMBERS, list(member_ids))
    return {row["member_id"]: Member(**dict(row)) for row in rows}


async def find_status(transaction: Transaction, member_id: UUID) -> MemberStatus | None:
    """What the member may do, or None where there is none."""
    status: MemberStatus | None = await transaction.raw.fetchval(FIND_STATUS, member_id)
    return status


async def has_member(transaction: Transaction, member_id: UUID) -> bool:
    """Whether there is such a member."""
    return bool(await transaction.raw.fetchval(HAS_MEMBER, member_id))


async def find_present_id(transaction: Transaction, member_id: UUID) -> UUID | None:
    """Who answers for this id: the member itself, or the survivor; None where there is no such member."""
    present_id: UUID | None = await transaction.raw.fetchval(FIND_PRESENT_ID, member_id)
    return present_id


async def raise_member_version(transaction: Transaction, member_id: UUID) -> None:
    """Count a change of a member whose row is locked."""
    await transaction.raw.execute(RAISE_MEMBER_VERSION, member_id)


async def find_member(transaction: Transaction, member_id: UUID) -> tuple[Member, SealedPerson | None] | None:
    """A member with the person behind it, sealed; None in the person's place where nobody is known any more.

    A member that was merged away is answered with the survivor.
    """
    asked = members.alias()
    present_id = (
        select(func.coalesce(asked.c.merged_into, asked.c.member_id))
        .where(asked.c.member_id == member_id)
        .scalar_subquery()
    )
    statement = (
        select(
            members.c.member_id,
            members.c.status,
            members.c.language,
            members.c.region,
            members.c.version,
            members.c.enrolled_at,
            members.c.birth_month,
            members.c.birth_day,
            members.c.household_id,
            member_keys.c.master_key_id,
            member_keys.c.wrapped_key,
            persons.c.sealed,
        )
        .join_from(members, persons, members.c.member_id == persons.c.member_id, isouter=True)
        .join(member_keys, members.c.member_id == member_keys.c.member_id, isouter=True)
        .where(members.c.member_id == present_id)
    )
    row = (await transaction.connection.execute(statement)).one_or_none()
    if row is None:
        return None
    member = Member(
        row.member_id,
        row.status,
        row.language,
        row.region,
        row.version,
        row.enrolled_at,
        row.birth_month,
        row.birth_day,
        household_id=row.household_id,
    )
    if row.sealed is None or row.wrapped_key is None:
        return member, None
    return member, SealedPerson(WrappedKey(row.master_key_id, row.wrapped_key), row.sealed)


async def load_identifiers(transaction: Transaction, member_id: UUID) -> list[Identifier]:
    """What tills may read of a member, under every hash, in the order of linking. No e-mail address is among them."""
    statement = (
        select(identifiers)
        .where(identifiers.c.member_id == member_id, identifiers.c.identifier_type != EMAIL_TYPE)
        .order_by(identifiers.c.linked_at, identifiers.c.identifier_hash)
    )
    return [
        Identifier(
            row.identifier_hash,
            row.identifier_type,
            row.member_id,
            row.state,
            row.version,
            row.linked_at,
            row.identifier_id,
        )
        for row in await transaction.connection.execute(statement)
    ]
