"""Receipts that were voided: they pay nothing more."""

from collections.abc import Collection, Mapping

from services.redemption.repository.receipts import ExceptionRecord
from shared.database import Transaction

# The first void stays: another one of the same receipt changes nothing.
_MARK = """
    update redemption_receipts as receipt
    set voided_by = voids.voided_by
    from unnest($1::bytea[], $2::bytea[]) as voids (receipt_key, voided_by)
    where receipt.receipt_key = voids.receipt_key and receipt.voided_by is null
    returning receipt.receipt_key
"""

_STOP_WAITING = "delete from redemption_waiting_tenders where receipt_key = any($1::bytea[])"

_FIND = "select receipt_key from redemption_receipts where receipt_key = any($1::bytea[]) and voided_by is not null"

_LOAD_CAPTURES = """
    select capture.redemption_id, capture.receipt_key, coalesce(capture.content_hash, '') as content_hash,
        capture.points, capture.uncovered_points, redemption.partner_id
    from redemption_captures as capture join redemptions as redemption using (redemption_id)
    where capture.receipt_key = any($1::bytea[])
    order by capture.receipt_key, capture.redemption_id
"""


async def mark(transaction: Transaction, voids: Mapping[bytes, bytes]) -> list[bytes]:
    """Mark receipts that this transaction has met as voided, each by the document that says so, and drop what waits of
    them; those that were not voided before come back.
    """
    rows = await transaction.raw.fetch(_MARK, list(voids), list(voids.values()))
    marked = [row["receipt_key"] for row in rows]
    await transaction.raw.execute(_STOP_WAITING, marked)
    return marked


async def find(transaction: Transaction, receipt_keys: Collection[bytes]) -> set[bytes]:
    """Those of the receipts that were voided."""
    return {row["receipt_key"] for row in await transaction.raw.fetch(_FIND, list(receipt_keys))}


async def load_captures(transaction: Transaction, receipt_keys: Collection[bytes]) -> list[ExceptionRecord]:
    """What voided receipts have captured, as the exceptions that they are."""
    return [
        ExceptionRecord(
            kind="voided_receipt",
            redemption_id=row["redemption_id"],
            receipt_key=row["receipt_key"],
            content_hash=row["content_hash"],
            partner_id=row["partner_id"],
            asked_points=row["points"] + row["uncovered_points"],
            captured_points=row["points"],
        )
        for row in await transaction.raw.fetch(_LOAD_CAPTURES, list(receipt_keys))
    ]
