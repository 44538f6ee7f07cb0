"""What puts a receipt of members' right after its time, and gives points: corrections, and voids that give again what
was taken. Members do nothing then, so for inactivity it is no activity of theirs.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from shared.database import Transaction

# Under the ids of who was merged away, too. What a receipt earns only since it was corrected is its first activity.
_SINCE = """
    with asked as materialized (
        select unnest($1::uuid[]) as owner_id
        union
        select owner_id from ledger_aliases where survivor_id = any($1::uuid[])
    )
    select natural_key, false as is_void from corrections join asked using (owner_id)
    where decided_at >= $2 and points_before > 0
    union all
    select natural_key, true from returns join asked using (owner_id) where decided_at >= $2 and given_back > 0
"""


class PutRight(NamedTuple):
    """The natural keys of corrections and of voids, under which the ledger has what they gave.

    Points of a correction are as old as its receipt's; what a void gives again is as young as the void, since nobody
    could spend it before.
    """

    corrections: list[bytes]
    voids: list[bytes]

    @property
    def all(self) -> list[bytes]:
        """Both."""
        return [*self.corrections, *self.voids]


async def load_since(transaction: Transaction, owner_ids: Collection[UUID], since: datetime) -> PutRight:
    """What put receipts of these members right since a time."""
    rows = await transaction.raw.fetch(_SINCE, list(owner_ids), since)
    return PutRight(
        [row["natural_key"] for row in rows if not row["is_void"]],
        [row["natural_key"] for row in rows if row["is_void"]],
    )
