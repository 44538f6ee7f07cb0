"""Receipts that a till voided: the sale never was, so nothing of it is paid with points."""

from collections.abc import Mapping

from services.redemption.repository import receipts, voided_receipts
from services.redemption.repository.receipts import ExceptionKind
from shared.database import Transaction


async def void_receipts(transaction: Transaction, voids: Mapping[bytes, bytes]) -> list[ExceptionKind]:
    """Let voided receipts take nothing more, and report what they have taken already.

    ``voids`` are natural keys of voids by those of the receipts that they undo. A tender that waits is dropped, one
    that comes later is disregarded, and its hold is let go by the till or by time. What was captured is not given back
    by itself: a ``voided_receipt`` exception is recorded for a person. Idempotent; the kinds of exceptions that are new
    come back.
    """
    await receipts.meet_receipts(transaction, voids)
    marked = await voided_receipts.mark(transaction, voids)
    if not marked:
        return []
    return await receipts.record_exceptions(transaction, await voided_receipts.load_captures(transaction, marked))
