"""A receipt's document was refused because another one bears the same key: what it did must not stand."""

from collections.abc import Sequence

from services.redemption.repository import receipts
from services.redemption.repository.receipts import ExceptionKind, Refusal
from shared.database import Transaction


async def undo_refused(transaction: Transaction, refusals: Sequence[Refusal]) -> list[ExceptionKind]:
    """Let refused documents take nothing more, and report what they have taken already.

    A tender that waits is dropped; one that comes later is disregarded; an open exception that this very document
    raised is settled. Points that it has captured cannot be given back yet (the ledger has no refund), so that a
    ``refused_receipt`` exception is recorded for a person. Idempotent; gives the kinds of exceptions that are new.
    """
    met = await receipts.meet_receipts(transaction, (refusal.receipt_key for refusal in refusals))
    new = [refusal for refusal in dict.fromkeys(refusals) if refusal.content_hash not in met[refusal.receipt_key]]
    if not new:
        return []
    await receipts.save_refusals(transaction, new)
    return await receipts.record_exceptions(transaction, await receipts.load_captures_of_refused(transaction, new))
