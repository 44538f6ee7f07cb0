"""Statements by which an identifier becomes a member's. One hash or two: all of them are its owner's, or none is."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.members.domain.registry import Claim, Identifier, newest_hashes
from services.members.repository.registry import NEXT_VERSION
from shared.database import Transaction
from shared.ids import new_id

COLUMNS = "identifier_hash, identifier_type, member_id, state, version, linked_at, identifier_id"

CLAIM = f"""
    with {NEXT_VERSION}
    insert into identifiers (
        identifier_id, identifier_hash, identifier_type, member_id, state, version, linked_at, sealed_value
    )
    select $1, claimed.identifier_hash, $3, $4, 'active', next.version, $5, $6
    from unnest($2::text[]) as claimed (identifier_hash)
        cross join next
    order by claimed.identifier_hash collate "C"
    on conflict (identifier_hash) do nothing
    returning {COLUMNS}
"""

LOCK_CLAIMED = f"""
    select {COLUMNS} from identifiers
    where identifier_hash = any($1::text[])
    order by identifier_hash
    for no key update
"""

# The history counts by the higher version of two twins: the one that comes later begins no lower.
JOIN_TWIN = f"""
    update identifiers
    set identifier_id = $2, state = $3, version = greatest(version, $4), linked_at = $5
    where identifier_hash = any($1::text[])
    returning {COLUMNS}
"""

SEAL_VALUE = "update identifiers set sealed_value = $2 where identifier_id = $1 and sealed_value is null"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of a claim. ``held`` are the rows that were there before, ``fresh`` those that were not."""

    held: Sequence[Identifier]
    fresh: Sequence[Identifier]

    @property
    def is_new(self) -> bool:
        """Nobody had the identifier."""
        return not self.held

    @property
    def identifier(self) -> Identifier:
        """As it stands, and whose it is."""
        return newest_hashes(self.held or self.fresh)[0]


async def claim_identifier(transaction: Transaction, member_id: UUID, claim: Claim, sealed: bytes | None) -> Claimed:
    """Claim every hash of an identifier for a member; all are locked to the commit.

    Where some were there before, the others are written all the same. The caller looks whose it is: it rolls back
    where it is another member's, and lets ``join_twins`` make one identifier of them where it is the same member's.
    """
    arguments = (new_id(), list(claim.hashes), claim.type, member_id, transaction.now, sealed)
    fresh = [identifier_of(row) for row in await transaction.raw.fetch(CLAIM, *arguments)]
    if len(fresh) == len(claim.hashes):
        return Claimed((), fresh)
    written = {identifier.hash for identifier in fresh}
    rows = [identifier_of(row) for row in await transaction.raw.fetch(LOCK_CLAIMED, claim.hashes)]
    held = [identifier for identifier in rows if identifier.hash not in written]
    if not held:
        raise RuntimeError("an identifier that stood in the way of an insert is gone: an erasure waits for us")
    return Claimed(held, fresh)


async def join_twins(transaction: Transaction, claimed: Claimed, sealed: bytes | None) -> list[Identifier]:
    """Let hashes that were just written stand for the identifier that was there before; they come back.

    Its value is kept, sealed, from now on.
    """
    held = claimed.identifier
    await transaction.raw.execute(SEAL_VALUE, held.identifier_id, sealed)
    if not claimed.fresh:
        return []
    hashes = [identifier.hash for identifier in claimed.fresh]
    arguments = (hashes, held.identifier_id, held.state, held.version, held.linked_at)
    return [identifier_of(row) for row in await transaction.raw.fetch(JOIN_TWIN, *arguments)]


def identifier_of(row: asyncpg.Record) -> Identifier:
    """From a row of ``identifiers``."""
    return Identifier(
        hash=row["identifier_hash"],
        type=row["identifier_type"],
        member_id=row["member_id"],
        state=row["state"],
        version=row["version"],
        linked_at=row["linked_at"],
        identifier_id=row["identifier_id"],
    )
