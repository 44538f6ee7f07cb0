"""A receipt's document was refused because another one bears the same key: what it did must not stand."""

from collections.abc import Sequence

from services.redemption.repository import receipts, recorded_exceptions, refunds, returned_vouchers
from services.redemption.repository.receipts import Refusal
from services.redemption.repository.recorded_exceptions import ExceptionKind
from shared.database import Transaction


async def undo_refused(transaction: Transaction, refusals: Sequence[Refusal]) -> list[ExceptionKind]:
    """Let refused documents take nothing more, and report what they have taken already.

    A tender that waits is dropped; one that comes later is disregarded; an open exception that this very document
    raised is settled. Points that it has captured are not given back by themselves, since the receipt that was accepted
    may have been paid with them: a ``refused_receipt`` exception is recorded for a person. So is a ``refused_void``
    where the document was a void and points, a voucher's too, went back for it. Idempotent; gives the kinds of
    exceptions that are new.
    """
    met = await receipts.meet_receipts(transaction, (refusal.receipt_key for refusal in refusals))
    new = [refusal for refusal in dict.fromkeys(refusals) if refusal.content_hash not in met[refusal.receipt_key]]
    if not new:
        return []
    await receipts.save_refusals(transaction, new)
    found = await receipts.load_captures_of_refused(transaction, new)
    found += await refunds.load_of_refused(transaction, new)
    found += await returned_vouchers.load_of_refused(transaction, new)
    return await recorded_exceptions.record(transaction, found)
