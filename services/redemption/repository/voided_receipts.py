"""Voids of receipts, as they were read. Whoever adds one has locked both of its keys in ``redemption_receipts``."""

from collections.abc import Collection, Mapping, Sequence

from services.redemption.domain.voiding import ReceiptVoid
from shared.database import Transaction

_KEEP = """
    insert into redemption_voids (void_key, content_hash, receipt_key, total_minor, read_at)
    select void_key, content_hash, receipt_key, total_minor, $5
    from unnest($1::bytea[], $2::text[], $3::bytea[], $4::bigint[])
        as read (void_key, content_hash, receipt_key, total_minor)
    order by 1, 2
    on conflict (void_key, content_hash) do nothing
"""

# The first document's total stays: what another one bears the key with is refused or accepted by a person.
_KEEP_TOTALS = """
    update redemption_receipts as receipt
    set total_minor = told.total_minor
    from unnest($1::bytea[], $2::bigint[]) as told (receipt_key, total_minor)
    where receipt.receipt_key = told.receipt_key and receipt.total_minor is null
"""

_LOAD = """
    select void.void_key, void.content_hash, void.receipt_key, void.total_minor,
        receipt.total_minor as receipt_total_minor,
        coalesce(void.content_hash = any(own.refused_hashes), false) as is_refused
    from redemption_voids as void
        join redemption_receipts as receipt on receipt.receipt_key = void.receipt_key
        left join redemption_receipts as own on own.receipt_key = void.void_key
    where void.receipt_key = any($1::bytea[])
    order by void.receipt_key, void.void_key, void.content_hash
"""

_STOP_WAITING = "delete from redemption_waiting_tenders where receipt_key = any($1::bytea[])"


async def keep(transaction: Transaction, voids: Sequence[ReceiptVoid]) -> None:
    """Keep voids; one that was read before stays as it is."""
    await transaction.raw.execute(
        _KEEP,
        [void.void_key for void in voids],
        [void.content_hash for void in voids],
        [void.receipt_key for void in voids],
        [void.total_minor for void in voids],
        transaction.now,
    )


async def keep_totals(transaction: Transaction, totals_minor: Mapping[bytes, int]) -> None:
    """Keep the totals of receipts that this transaction has met, where none is kept."""
    await transaction.raw.execute(_KEEP_TOTALS, list(totals_minor), list(totals_minor.values()))


async def find_standing(transaction: Transaction, receipt_keys: Collection[bytes]) -> dict[bytes, ReceiptVoid | None]:
    """Of these receipts, those that a void was read of, with the void that stands; None where it meant another one."""
    found: dict[bytes, ReceiptVoid | None] = {}
    for row in await transaction.raw.fetch(_LOAD, list(receipt_keys)):
        void = ReceiptVoid(row["void_key"], row["content_hash"], row["receipt_key"], row["total_minor"])
        is_standing = void.stands(row["receipt_total_minor"], is_refused=row["is_refused"])
        before = found.setdefault(void.receipt_key, None)
        if before is None and is_standing:
            found[void.receipt_key] = void
    return found


async def stop_waiting(transaction: Transaction, receipt_keys: Collection[bytes]) -> None:
    """Drop what waits of these receipts: they were voided."""
    await transaction.raw.execute(_STOP_WAITING, list(receipt_keys))
