"""New members, one or many: the statements that enrolling is made of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.members.domain.data_quality import FIELDS, QualityField
from services.members.domain.joining import Channel
from services.members.domain.registry import Claim, Member
from services.members.domain.sealed import WrappedKey
from services.members.repository.registry import EMAIL_TYPE, NEXT_VERSION
from shared.database import Transaction
from shared.ids import new_id

# One statement however many members, so that an enrolment costs one round trip. Hashes are claimed in their order: two
# enrolments that want the same two cards would deadlock otherwise. Who comes second waits here for the first to end.
INSERT_MEMBERS = f"""
    with {NEXT_VERSION},
    new_members as (
        insert into members (member_id, status, language, region, version, enrolled_by, enrolled_at,
                             birth_month, birth_day, joined_by)
        select member_id, status, language, region, version, $1, enrolled_at, birth_month, birth_day, $21
        from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::smallint[],
                    $9::smallint[])
            as new (member_id, status, language, region, version, enrolled_at, birth_month, birth_day)
    ),
    new_keys as (
        insert into member_keys (member_id, master_key_id, wrapped_key)
        select member_id, master_key_id, wrapped_key
        from unnest($2::uuid[], $10::text[], $11::bytea[]) as new (member_id, master_key_id, wrapped_key)
    ),
    new_persons as (
        insert into persons (member_id, sealed, email_at, phone_at, birth_date_at, address_at)
        select member_id, sealed,
            case when has_email then stated_at end,
            case when has_phone then stated_at end,
            case when has_birth_date then stated_at end,
            case when has_address then stated_at end
        from unnest($2::uuid[], $12::bytea[], $7::timestamptz[], $17::boolean[], $18::boolean[], $19::boolean[],
                    $20::boolean[])
            as new (member_id, sealed, stated_at, has_email, has_phone, has_birth_date, has_address)
        where sealed is not null
    ),
    compared_later as (
        insert into awaited_comparisons (member_id)
        select member_id from unnest($2::uuid[], $12::bytea[]) as new (member_id, sealed) where sealed is not null
    )
    insert into identifiers (
        identifier_hash, identifier_type, member_id, state, version, linked_at, identifier_id, sealed_value
    )
    select identifier_hash, identifier_type, member_id, 'active', next.version, linked_at, identifier_id, sealed_value
    from unnest($13::text[], $14::text[], $15::uuid[], $16::timestamptz[], $22::uuid[], $23::bytea[])
        as claimed (identifier_hash, identifier_type, member_id, linked_at, identifier_id, sealed_value)
        cross join next
    order by identifier_hash collate "C"
    on conflict (identifier_hash) do nothing
    returning identifier_hash, version
"""

_TAKEN = "select identifier_hash from identifiers where identifier_hash = any($1::text[])"


@dataclass(frozen=True, slots=True)
class NewIdentifier:
    """An identifier that a member to be claims, with its id and its sealed value."""

    claim: Claim
    identifier_id: UUID
    sealed_value: bytes | None


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to be, with the hashes that it claims, and which fields its person has.

    There is no ``sealed`` and no ``email_hashes`` until somebody says who it is.
    """

    member: Member
    key: WrappedKey
    sealed: bytes | None
    email_hashes: Sequence[str]
    sealed_email: bytes | None
    identifiers: Sequence[NewIdentifier]
    filled: frozenset[QualityField]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What tills are to read."""
        return tuple(new.claim for new in self.identifiers)

    @property
    def hashes(self) -> tuple[str, ...]:
        """Everything that must be nobody's yet."""
        return (*self.email_hashes, *(claimed for claim in self.claims for claimed in claim.hashes))


class _Claimed(NamedTuple):
    hash: str
    type: str
    member_id: UUID
    linked_at: datetime
    identifier_id: UUID
    sealed_value: bytes | None


async def insert_members(
    transaction: Transaction, new: Sequence[NewMember], enrolled_by: str, joined_by: Channel
) -> dict[str, int]:
    """Write new members with each of the hashes that nobody has yet, and return those with their versions.

    If one is missing, the caller must give up the transaction: the rest is written.
    """
    members = [one.member for one in new]
    claimed = [row for one in new for row in _claimed_by(one)]
    rows = await transaction.raw.fetch(
        INSERT_MEMBERS,
        enrolled_by,
        [member.member_id for member in members],
        [member.status for member in members],
        [member.language for member in members],
        [member.region for member in members],
        [member.version for member in members],
        [member.enrolled_at for member in members],
        [member.birth_month for member in members],
        [member.birth_day for member in members],
        [one.key.master_key_id for one in new],
        [one.key.wrapped for one in new],
        [one.sealed for one in new],
        [row.hash for row in claimed],
        [row.type for row in claimed],
        [row.member_id for row in claimed],
        [row.linked_at for row in claimed],
        *([field in one.filled for one in new] for field in FIELDS),
        joined_by,
        [row.identifier_id for row in claimed],
        [row.sealed_value for row in claimed],
    )
    return {row["identifier_hash"]: row["version"] for row in rows}


async def find_taken(transaction: Transaction, hashes: Collection[str]) -> frozenset[str]:
    """Those of the hashes that are somebody's already; without a lock."""
    rows = await transaction.raw.fetch(_TAKEN, list(hashes))
    return frozenset(row["identifier_hash"] for row in rows)


def _claimed_by(new: NewMember) -> list[_Claimed]:
    """A row for each hash; the hashes of one thing share an id."""
    of = (new.member.member_id, new.member.enrolled_at)
    email_id = new_id()
    rows = [_Claimed(email_hash, EMAIL_TYPE, *of, email_id, new.sealed_email) for email_hash in new.email_hashes]
    for one in new.identifiers:
        rows += [
            _Claimed(claimed, one.claim.type, *of, one.identifier_id, one.sealed_value) for claimed in one.claim.hashes
        ]
    return rows
