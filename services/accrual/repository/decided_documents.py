"""The documents that were decided: what awards were judged from, and what returns, voids and corrections said."""

from collections.abc import Collection, Sequence

import asyncpg

from services.accrual.domain.corrections import corrected
from services.accrual.repository.stored_documents import decompress
from shared.database import Transaction
from shared.events.catalogue import PURCHASES
from shared.events.purchases import PurchaseEvent, PurchaseRecorded, ReceiptCorrected

_DOCUMENT_COLUMNS = ("natural_key", "decided_at", "event")

_DOCUMENTS_OF = """
    select documents.natural_key, documents.event, correction.event as correction
    from documents
        left join awards on awards.natural_key = documents.natural_key and awards.corrected_by is not null
        left join documents as correction on correction.natural_key = awards.corrected_by
    where documents.natural_key = any($1::bytea[])
"""


async def save(transaction: Transaction, documents: Sequence[tuple[bytes, bytes]]) -> None:
    """Keep decided documents: natural keys and compressed bodies."""
    if documents:  # as COPY, which costs less of the processor than arrays: see ``awards``
        await transaction.raw.copy_records_to_table(
            "documents",
            columns=_DOCUMENT_COLUMNS,
            records=[(key, transaction.now, compressed) for key, compressed in documents],
        )


async def load(transaction: Transaction, keys: Collection[bytes]) -> dict[bytes, PurchaseEvent]:
    """Decided documents by natural key; a purchase that was corrected is as it stands since."""
    rows = await transaction.raw.fetch(_DOCUMENTS_OF, list(keys))
    return {row["natural_key"]: _as_it_stands(row) for row in rows}


def _as_it_stands(row: asyncpg.Record) -> PurchaseEvent:
    event = PURCHASES.read(decompress(row["event"]))
    if row["correction"] is None:
        return event
    correction = PURCHASES.read(decompress(row["correction"]))
    if not isinstance(event, PurchaseRecorded) or not isinstance(correction, ReceiptCorrected):
        raise TypeError("a purchase is corrected, and by a correction")
    return event.model_copy(update={"data": corrected(event.data, correction.data)})
