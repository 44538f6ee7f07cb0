"""Claims: one narrow row a natural key, which says for ever what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

from shared.database import Transaction

ClaimState: TypeAlias = Literal["awarded", "refused", "parked", "failed"]

_CLAIM = """
    insert into claims (natural_key, content_hash, owner_id, state)
    select natural_key, content_hash, owner_id, 'parked'  -- one that is forgotten is never taken for awarded
    from unnest($1::bytea[], $2::bytea[], $3::uuid[]) as incoming (natural_key, content_hash, owner_id)
    order by natural_key  -- two batches that claim in different orders would deadlock
    on conflict (natural_key) do update  -- awarded and refused are final; these are decided again
        set content_hash = coalesce(excluded.content_hash, claims.content_hash),
            owner_id = coalesce(excluded.owner_id, claims.owner_id)
        where claims.state = 'failed'
            or (claims.state = 'parked' and (
                claims.content_hash is null  -- only named by another document until now
                or excluded.content_hash is null  -- named by another document: it takes the lock, and changes nothing
                or claims.content_hash = excluded.content_hash))
    returning natural_key
"""

_READ = "select natural_key, content_hash, owner_id, state from claims where natural_key = any($1::bytea[])"

_SETTLE = """
    update claims set state = settled.state, owner_id = coalesce(settled.owner_id, claims.owner_id)
    from unnest($1::bytea[], $2::text[], $3::uuid[]) as settled (natural_key, state, owner_id)
    where claims.natural_key = settled.natural_key
"""

_AWARD = "update claims set state = 'awarded' where natural_key = any($1::bytea[])"

_FAIL = """
    insert into claims (natural_key, content_hash, owner_id, state) values ($1, $2, $3, 'failed')
    on conflict (natural_key) do update set content_hash = excluded.content_hash, state = 'failed'
        where claims.state = 'failed' or (claims.state = 'parked'
            and (claims.content_hash is null or claims.content_hash = excluded.content_hash))
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known of a natural key. Without a content hash it was only named by another document."""

    natural_key: bytes
    content_hash: bytes | None
    owner_id: UUID | None
    state: ClaimState

    @classmethod
    def of(cls, row: asyncpg.Record) -> "Claim":
        """From a row of ``claims``."""
        return cls(row["natural_key"], row["content_hash"], row["owner_id"], row["state"])


async def claim(
    transaction: Transaction,
    keys: Sequence[bytes],
    hashes: Sequence[bytes | None],
    owners: Sequence[UUID | None],
) -> set[bytes]:
    """Claim each key, which must be distinct; the keys that are not settled yet come back, locked to the commit.

    A key with a hash that does not come back is a duplicate or a conflict: read it. A key without a hash is only named
    (a return names its purchase, a fraud hold its receipt); if it does not come back it is final, and stays so.
    """
    return {natural_key for (natural_key,) in await transaction.raw.fetch(_CLAIM, keys, hashes, owners)}


async def name(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, Claim]:
    """Lay down (or lock) the rows in which receipts will meet what this transaction brings; the claims as they are."""
    distinct = sorted(set(keys))
    nothing = [None] * len(distinct)
    await claim(transaction, distinct, nothing, nothing)
    return await read(transaction, distinct)


async def read(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, Claim]:
    """The claims as they are, without a lock."""
    rows = await transaction.raw.fetch(_READ, list(keys))
    return {row["natural_key"]: Claim.of(row) for row in rows}


async def award(transaction: Transaction, keys: Sequence[bytes]) -> None:
    """Settle keys as awarded to the owners under whom this transaction has claimed them."""
    await transaction.raw.execute(_AWARD, keys)


async def settle(
    transaction: Transaction, keys: Sequence[bytes], states: Sequence[ClaimState], owners: Sequence[UUID | None]
) -> None:
    """Say what became of keys that this transaction has claimed; without an owner, whoever was named stays it."""
    await transaction.raw.execute(_SETTLE, keys, states, owners)


async def fail(transaction: Transaction, key: bytes, content_hash: bytes, owner_id: UUID | None) -> None:
    """Mark a receipt that could not be decided, so that a replay decides it. A settled claim stays as it is."""
    await transaction.raw.execute(_FAIL, key, content_hash, owner_id)
