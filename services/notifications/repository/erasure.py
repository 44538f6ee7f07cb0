"""Tombstones of erased members, and what is forgotten with them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.database import Transaction
from shared.events.members import ErasureData

_SAVE = """
    insert into recipients (member_id, version, status, erased_version)
    select member_id, version, 'erased', version from unnest($1::uuid[], $2::bigint[]) as erased (member_id, version)
    order by member_id
    on conflict (member_id) do update
        set version = greatest(recipients.version, excluded.version), status = 'erased', language = null,
            digest_id = null, digest_due_at = null, news_id = null, news_due_at = null,
            erased_version = excluded.erased_version
        where recipients.erased_version is null
    returning member_id
"""
_DELETE_ENTRIES = """
    delete from digest_entries using messages
    where messages.message_id = digest_entries.message_id and messages.member_id = any($1::uuid[])
"""
_DELETE_NEWS = """
    delete from news_entries using messages
    where messages.message_id = news_entries.message_id and messages.member_id = any($1::uuid[])
"""
_DELETE_CODES = """
    delete from code_messages using messages
    where messages.message_id = code_messages.message_id and messages.member_id = any($1::uuid[])
"""
_DELETE_PIN_NOTICES = """
    delete from pin_notices using messages
    where messages.message_id = pin_notices.message_id and messages.member_id = any($1::uuid[])
"""
_DELETE_MESSAGES = "delete from messages where member_id = any($1::uuid[])"

# The lock waits for an erasure that is under way.
_IS_ERASED = "select erased_version is not null from recipients where member_id = $1 for share"


async def save(transaction: Transaction, erasures: Sequence[ErasureData]) -> set[UUID]:
    """Put up tombstones, and close what was being collected; the members whose erasure is news come back."""
    versions = {erasure.member_id: erasure.version for erasure in erasures}
    saved = await transaction.raw.fetch(_SAVE, list(versions), list(versions.values()))
    return {row["member_id"] for row in saved}


async def is_erased(transaction: Transaction, member_id: UUID) -> bool:
    """Whether the member was erased; an erasure that is under way is waited for, and one that comes waits for us."""
    return bool(await transaction.raw.fetchval(_IS_ERASED, member_id))


async def delete_messages(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget what these members were told, or were about to be."""
    await transaction.raw.execute(_DELETE_ENTRIES, list(member_ids))
    await transaction.raw.execute(_DELETE_NEWS, list(member_ids))
    await transaction.raw.execute(_DELETE_CODES, list(member_ids))
    await transaction.raw.execute(_DELETE_PIN_NOTICES, list(member_ids))
    await transaction.raw.execute(_DELETE_MESSAGES, list(member_ids))
