"""Vouchers that came back for voids which do not count, as it turned out. Whoever asks has locked the receipts."""

from collections.abc import Collection, Sequence

from services.redemption.repository.receipts import Refusal
from services.redemption.repository.recorded_exceptions import ExceptionKind, ExceptionRecord
from shared.database import Transaction

_COLUMNS = "voucher_id, receipt_key, undone_hash, partner_id, points, 0 as left_points"
_LOAD_OF_RECEIPTS = f"""
    select {_COLUMNS} from redemption_vouchers
    where receipt_key = any($1::bytea[]) and state = 'returned'
    order by receipt_key, voucher_id
"""
_LOAD_OF_REFUSED = f"""
    select {_COLUMNS}
    from redemption_vouchers
        join unnest($1::bytea[], $2::text[]) as refused (undone_by, undone_hash) using (undone_by, undone_hash)
    order by receipt_key, voucher_id
"""


async def load_of_receipts(transaction: Transaction, receipt_keys: Collection[bytes]) -> list[ExceptionRecord]:
    """What came back for voids that meant other receipts than these, as the exceptions that it is."""
    return await _load(transaction, "void_of_other_total", _LOAD_OF_RECEIPTS, list(receipt_keys))


async def load_of_refused(transaction: Transaction, refusals: Sequence[Refusal]) -> list[ExceptionRecord]:
    """What came back for voids whose documents are refused, as the exceptions that it is."""
    keys, hashes = [refusal.receipt_key for refusal in refusals], [refusal.content_hash for refusal in refusals]
    return await _load(transaction, "refused_void", _LOAD_OF_REFUSED, keys, hashes)


async def _load(
    transaction: Transaction, kind: ExceptionKind, statement: str, *arguments: Sequence[object]
) -> list[ExceptionRecord]:
    """A voucher stands where a redemption does: one id stands for one of the two."""
    return [ExceptionRecord(kind, *row.values()) for row in await transaction.raw.fetch(statement, *arguments)]
