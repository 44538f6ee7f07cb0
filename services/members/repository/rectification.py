"""Statements that correct a member and the person behind it."""

from uuid import UUID

from services.members.domain.registry import FIRST_VERSION, Member
from services.members.repository.registry import EMAIL_TYPE
from shared.database import Transaction

FIND_EMAIL_HASHES = "select identifier_hash from identifiers where member_id = $1 and identifier_type = $2"

CLAIM_EMAIL = """
    insert into identifiers (identifier_hash, identifier_type, member_id, state, version, linked_at)
    values ($1, $2, $3, 'active', $4, $5)
    on conflict (identifier_hash) do nothing
    returning identifier_hash
"""

LOCK_EMAIL = "select identifier_hash from identifiers where identifier_hash = $1 for update"

DROP_OTHER_EMAILS = """
    delete from identifiers where member_id = $1 and identifier_type = $2 and identifier_hash <> $3
"""

# The member's row is locked: one statement writes what was decided on it.
SAVE_RECTIFIED = """
    with rectified as (
        update members set language = $2, region = $3, birth_month = $4, birth_day = $5, version = $6
        where member_id = $1
    )
    update persons set sealed = $7 where member_id = $1
"""


async def claim_email(transaction: Transaction, member_id: UUID, email_hash: str) -> bool:
    """Whether this e-mail address is free for the member, who has it from now on if so.

    Locks the new hash and those that the member has (a merge may have brought a second one), in their order; the
    member must be locked after this.
    """
    rows = await transaction.raw.fetch(FIND_EMAIL_HASHES, member_id, EMAIL_TYPE)
    present = {row["identifier_hash"] for row in rows}
    is_granted = email_hash in present
    for each in sorted({email_hash} | present):
        if each in present:
            await transaction.raw.execute(LOCK_EMAIL, each)
        else:
            arguments = (each, EMAIL_TYPE, member_id, FIRST_VERSION, transaction.now)
            is_granted = await transaction.raw.fetchval(CLAIM_EMAIL, *arguments) is not None
    return is_granted


async def drop_other_emails(transaction: Transaction, member_id: UUID, email_hash: str) -> None:
    """Let go of the address that a locked member had before."""
    await transaction.raw.execute(DROP_OTHER_EMAILS, member_id, EMAIL_TYPE, email_hash)


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
