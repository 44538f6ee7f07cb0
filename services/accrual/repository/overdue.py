"""Documents that wait for a purchase that never came: those whose time to wait is over."""

from collections.abc import Collection
from datetime import datetime

from services.accrual.repository.stored_documents import decompress
from shared.database import Transaction

ROWS_MAX = 200

# By the index of what waits for a purchase. One that bears the hash of a card waits no longer than any of these.
_FIND = """
    select natural_key from parked
    where waits_for like 'r:%' and parked_at < case when identifier_hash is null then $1::timestamptz else $2 end
    order by natural_key
    limit $3
"""
# Under their claims, and again by the same words: one may have been published again meanwhile, and have come back.
_TAKE = """
    delete from parked
    where natural_key = any($3::bytea[]) and waits_for like 'r:%'
        and parked_at < case when identifier_hash is null then $1::timestamptz else $2 end
    returning natural_key, event
"""


async def find(transaction: Transaction, since: datetime, with_hash_since: datetime) -> list[bytes]:
    """The keys of those that have waited since before these times; at most ``ROWS_MAX``, in order."""
    return [row["natural_key"] for row in await transaction.raw.fetch(_FIND, since, with_hash_since, ROWS_MAX)]


async def take(
    transaction: Transaction, keys: Collection[bytes], since: datetime, with_hash_since: datetime
) -> list[bytes]:
    """Take these out, whose claims the caller holds; their events, by natural key."""
    rows = await transaction.raw.fetch(_TAKE, since, with_hash_since, list(keys))
    return [decompress(row["event"]) for row in sorted(rows, key=lambda row: row["natural_key"])]
