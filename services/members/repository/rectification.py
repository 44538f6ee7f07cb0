"""Statements that correct a member and the person behind it."""

from collections.abc import Sequence
from uuid import UUID

from services.members.domain.registry import FIRST_VERSION, Member
from services.members.repository.registry import EMAIL_TYPE
from shared.database import Transaction
from shared.database.errors import StartAgainError
from shared.ids import new_id

FIND_EMAIL_HASHES = "select identifier_hash from identifiers where member_id = $1 and identifier_type = $2"

CLAIM_EMAIL = """
    insert into identifiers (identifier_hash, identifier_type, member_id, state, version, linked_at, identifier_id)
    values ($1, $2, $3, 'active', $4, $5, $6)
    on conflict (identifier_hash) do nothing
    returning identifier_hash
"""

LOCK_EMAIL = "select member_id, identifier_id from identifiers where identifier_hash = $1 for update"

SEAL_EMAIL = "update identifiers set sealed_value = $2 where identifier_hash = any($1::text[])"

DROP_OTHER_EMAILS = """
    delete from identifiers where member_id = $1 and identifier_type = $2 and identifier_hash <> all($3::text[])
"""

# The member's row is locked: one statement writes what was decided on it.
SAVE_RECTIFIED = """
    with rectified as (
        update members set language = $2, region = $3, birth_month = $4, birth_day = $5, version = $6
        where member_id = $1
    )
    update persons set sealed = $7 where member_id = $1
"""

NOTE_CONTACT_CHANGE = "update members set contact_changed_at = $2 where member_id = $1"


async def claim_email(transaction: Transaction, member_id: UUID, email_hashes: Sequence[str]) -> bool:
    """Whether this e-mail address is free for the member, who has it from now on, under all its hashes, if so.

    Locks the new hashes and those that the member has (a merge may have brought another address), in their order; the
    member must be locked after this.
    """
    rows = await transaction.raw.fetch(FIND_EMAIL_HASHES, member_id, EMAIL_TYPE)
    missing, email_id = set(email_hashes), None  # the id is shared by the hashes of one address
    for each in sorted(missing | {row["identifier_hash"] for row in rows}):
        held = await transaction.raw.fetchrow(LOCK_EMAIL, each)
        if held is not None and each in missing:
            if held["member_id"] != member_id:
                return False
            missing.remove(each)
            email_id = held["identifier_id"]
    email_id = email_id or new_id()
    for each in sorted(missing):
        arguments = (each, EMAIL_TYPE, member_id, FIRST_VERSION, transaction.now, email_id)
        if await transaction.raw.fetchval(CLAIM_EMAIL, *arguments) is None:
            raise StartAgainError("an e-mail address was taken meanwhile")
    return True


async def seal_email(transaction: Transaction, email_hashes: Sequence[str], sealed: bytes) -> None:
    """Keep the value of an address that a locked member has claimed."""
    await transaction.raw.execute(SEAL_EMAIL, email_hashes, sealed)


async def drop_other_emails(transaction: Transaction, member_id: UUID, email_hashes: Sequence[str]) -> None:
    """Let go of the address that a locked member had before."""
    await transaction.raw.execute(DROP_OTHER_EMAILS, member_id, EMAIL_TYPE, email_hashes)


async def save_rectified(transaction: Transaction, member: Member, sealed: bytes) -> None:
    """Write a member whose row is locked, and the person, sealed."""
    await transaction.raw.execute(
        SAVE_RECTIFIED,
        member.member_id,
        member.language,
        member.region,
        member.birth_month,
        member.birth_day,
        member.version,
        sealed,
    )


async def note_contact_change(transaction: Transaction, member_id: UUID) -> None:
    """Keep that a locked member has another e-mail address since now."""
    await transaction.raw.execute(NOTE_CONTACT_CHANGE, member_id, transaction.now)
