"""Documents that were refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.accrual.repository.stored_documents import compress, without_identifier
from shared.database import Transaction

_SAVE_REFUSALS = """
    insert into refusals (natural_key, content_hash, reason, detail, event, owner_id, refused_at)
    select natural_key, content_hash, reason, detail, event, owner_id, $1
    from unnest($2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::bytea[], $7::uuid[])
        as incoming (natural_key, content_hash, reason, detail, event, owner_id)
    order by natural_key
    on conflict (natural_key, content_hash) do nothing
    returning natural_key, content_hash
"""


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A document that earns nothing, and why. ``owner_id`` is whom it names, where it names a member."""

    natural_key: bytes
    content_hash: bytes
    reason: str
    detail: str
    event: bytes
    owner_id: UUID | None


async def save(transaction: Transaction, rows: Sequence[RefusalRow]) -> set[tuple[bytes, bytes]]:
    """Keep refused documents; those that were not known as refused before come back, as (key, content hash)."""
    if not rows:
        return set()
    saved = await transaction.raw.fetch(
        _SAVE_REFUSALS,
        transaction.now,
        [row.natural_key for row in rows],
        [row.content_hash for row in rows],
        [row.reason for row in rows],
        [row.detail for row in rows],
        [compress(without_identifier(row.event)) for row in rows],
        [row.owner_id for row in rows],
    )
    return {(row["natural_key"], row["content_hash"]) for row in saved}
