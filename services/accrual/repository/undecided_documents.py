"""Documents that earned nothing, or nothing yet: those that wait, and those that were refused."""

from services.accrual.repository.stored_documents import decompress
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent

# Of several documents that were refused under one key, that which has the claim.
_FIND = """
    select event from parked where natural_key = $1
    union all
    select event from refusals where natural_key = $1 and content_hash = $2 and event is not null
    limit 1
"""


async def find(transaction: Transaction, natural_key: bytes, content_hash: bytes | None) -> PurchaseEvent | None:
    """The document of a claim that was not awarded; None where it is not kept (any more)."""
    event: bytes | None = await transaction.raw.fetchval(_FIND, natural_key, content_hash)
    return None if event is None else PURCHASES.read(decompress(event))
