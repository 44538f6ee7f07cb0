"""Tombstones of erased members, and what is forgotten with them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.database import Transaction
from shared.events.members import ErasureData

# The rows are there and locked. An erasure that comes twice keeps its first version. With it goes when identifiers
# were linked: nothing is decided by that any more.
_SAVE = """
    update member_windows as member
    set erased_version = erased.version, first_linked_at = null, last_linked_at = null,
        contact_changed_at = null
    from unnest($1::uuid[], $2::bigint[]) as erased (member_id, version)
    where member.member_id = erased.member_id and member.erased_version is null
    returning member.member_id
"""
_DELETE_RECEIPTS = "delete from window_receipts where member_id = any($1::uuid[])"
_FORGET_NOTES = "update cases set note = null where member_id = any($1::uuid[]) and note is not null"
# Few people close few cases: there are not many answers, and whose case it was stands in them. Sent again, a request
# is answered by the case as it stands.
_FORGET_ANSWERS = """
    delete from idempotency using unnest($1::uuid[]) as erased (member_id)
    where position(convert_to(erased.member_id::text, 'UTF8') in body) > 0
"""

# The lock waits for an erasure that is under way.
_IS_ERASED = "select erased_version is not null from member_windows where member_id = $1 for share"


async def save(transaction: Transaction, erasures: Sequence[ErasureData]) -> set[UUID]:
    """Put up the tombstones of members whose windows are locked; those whose erasure is news come back."""
    versions = {erasure.member_id: erasure.version for erasure in erasures}
    saved = await transaction.raw.fetch(_SAVE, list(versions), list(versions.values()))
    return {row["member_id"] for row in saved}


async def is_erased(transaction: Transaction, member_id: UUID) -> bool:
    """Whether the member was erased; an erasure that is under way is waited for, and one that comes waits for us."""
    return bool(await transaction.raw.fetchval(_IS_ERASED, member_id))


async def empty_windows(transaction: Transaction, member_ids: Collection[UUID]) -> None:
    """Forget these members' receipts, and what people wrote about their cases, among answers that are kept too."""
    await transaction.raw.execute(_DELETE_RECEIPTS, list(member_ids))
    await transaction.raw.execute(_FORGET_NOTES, list(member_ids))
    await transaction.raw.execute(_FORGET_ANSWERS, list(member_ids))
