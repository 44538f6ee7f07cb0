"""Persons who are told after their card has joined, and the keys that they are sealed under."""

from uuid import UUID

from services.members.domain.registry import Member
from services.members.domain.sealed import WrappedKey
from shared.database import Transaction

_SEALED = "select sealed from persons where member_id = $1"

_KEY_OF = "select master_key_id, wrapped_key from member_keys where member_id = $1"

# The member's row is locked.
_SAVE = """
    with person as (
        insert into persons (member_id, sealed) values ($1, $2)
    )
    update members set birth_month = $3, birth_day = $4, version = version + 1 where member_id = $1
    returning member_id, status, language, region, version, enrolled_at, birth_month, birth_day, merged_into,
        household_id
"""


async def find_sealed(transaction: Transaction, member_id: UUID) -> bytes | None:
    """Who the member is, sealed; None while nobody has said it."""
    sealed: bytes | None = await transaction.raw.fetchval(_SEALED, member_id)
    return sealed


async def find_key(transaction: Transaction, member_id: UUID) -> WrappedKey | None:
    """The member's key, wrapped; None once it is destroyed."""
    row = await transaction.raw.fetchrow(_KEY_OF, member_id)
    return None if row is None else WrappedKey(row["master_key_id"], row["wrapped_key"])


async def save_person(
    transaction: Transaction, member_id: UUID, sealed: bytes, birth_month: int | None, birth_day: int | None
) -> Member:
    """Write who a locked member is, whom nobody knew before; the member as it stands then."""
    row = await transaction.raw.fetchrow(_SAVE, member_id, sealed, birth_month, birth_day)
    if row is None:
        raise RuntimeError("a member whose row is locked is gone: members are never deleted")
    return Member(**dict(row))
