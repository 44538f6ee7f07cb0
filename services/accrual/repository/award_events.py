"""What was told of receipts whose points wait for it: once for ever, also before the receipt has been decided."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from shared.database import Transaction

_INSERT = """
    insert into award_events (natural_key, event, told_by, told_at) values ($1, $2, $3, $4)
    on conflict (natural_key, event) do nothing
"""

_FIND = "select natural_key, event, told_by, told_at from award_events where natural_key = any($1::bytea[])"


@dataclass(frozen=True, slots=True)
class AwardEvent:
    """Something that points of a receipt may wait for has come."""

    natural_key: bytes
    event: str
    told_by: str
    told_at: datetime


async def insert(transaction: Transaction, told: AwardEvent) -> None:
    """Keep what was told; the first who told of it stays. The caller has the receipt's claim."""
    await transaction.raw.execute(_INSERT, told.natural_key, told.event, told.told_by, told.told_at)


async def find(transaction: Transaction, keys: Collection[bytes]) -> list[AwardEvent]:
    """All that was told of these receipts. The caller has their claims, so that nothing can appear meanwhile."""
    return [AwardEvent(*row) for row in await transaction.raw.fetch(_FIND, list(keys))]
