"""How far each service has posted what receipts ask for: what is taken for want of activity waits for all of them.

Several services read ``loyalty.purchases`` and post to the ledger, each at its own pace. None reads the others' tables,
so each says here up to which business time everything that was on the topic has been posted.
"""

from datetime import datetime
from typing import cast

from shared.database.engine import Transaction

# Never back: a worker that was asleep knows less than what is there.
_SAVE = """
    insert into ledger_posted_to (service, posted_to) values ($1, $2)
    on conflict (service) do update set posted_to = excluded.posted_to
    where excluded.posted_to > ledger_posted_to.posted_to
"""
_FIND = "select posted_to from ledger_posted_to where service = $1"


async def save_posted_to(transaction: Transaction, service: str, posted_to: datetime) -> None:
    """Say that the service has posted everything that receipts asked of it up to a business time. Idempotent."""
    await transaction.raw.execute(_SAVE, service, posted_to)


async def find_posted_to(transaction: Transaction, service: str) -> datetime | None:
    """Up to when the service has posted; None of one that never said so: it has not read a receipt yet."""
    return cast("datetime | None", await transaction.raw.fetchval(_FIND, service))
