"""Refuses what waited for its purchase until no purchase could come any more: nothing is lost without a word.

A return that comes before its purchase waits for it, and so does a void, an exchange or a correction. A purchase earns
if it is received within the retro window, and is decided within the parked window after that. A document that bears the
hash of a card waits for the parked window alone, as every receipt with one does.
"""

from datetime import timedelta
from functools import partial
from typing import Final

from services.accrual import metrics
from services.accrual.domain.decisions import Document, Refused
from services.accrual.programme import Programme
from services.accrual.repository import claims, overdue
from services.accrual.use_cases.save_decisions import save_decisions
from shared.database import Database, Transaction
from shared.events.catalogue import PURCHASES
from shared.ledger import HeldSince

NEVER_CAME: Final = "purchase_never_came"
_WORDS: Final = (
    "the receipt that it names did not come, or could not be decided, in the time that such a document waits"
)


async def refuse_overdue(transaction: Transaction, programme: Programme) -> int:
    """Refuse a page of them, each with its event and its row of refusals; how many comes back.

    They meet their purchase in their own row: whoever takes it out first has decided. A till that sends one again, or
    its record that comes back, waits for the claim, and finds it refused.
    """
    if programme.retro_window == timedelta.max:  # a purchase may come at any time
        return 0
    with_hash_since = transaction.now - programme.parked_window
    since = with_hash_since - programme.retro_window
    found = await overdue.find(transaction, since, with_hash_since)
    if not found:
        return 0
    nothing = [None] * len(found)
    held = await claims.claim(transaction, found, nothing, nothing)
    bodies = await overdue.take(transaction, held, since, with_hash_since)
    refused = []
    for body in bodies:
        event = PURCHASES.read(body)
        refused.append(Refused(Document.of(event, body), event.data.member_id, NEVER_CAME, _WORDS))
    await save_decisions(transaction, refused, programme, HeldSince())
    return len(refused)


class OverdueDocuments:
    """A worker's passes: page after page, until none is overdue."""

    def __init__(self, database: Database, programme: Programme) -> None:
        self._database = database
        self._programme = programme

    async def run(self) -> None:
        """One pass."""
        while count := await self._database.run(partial(refuse_overdue, programme=self._programme)):
            metrics.RECEIPTS.labels("refused", NEVER_CAME).inc(count)
