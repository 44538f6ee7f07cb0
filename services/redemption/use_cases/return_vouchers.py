"""Vouchers whose receipt was voided: the sale never was, so what they had spent goes back."""

from collections.abc import Sequence

from services.redemption.domain.rewards.voucher import Voucher
from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.repository import projections, receipts, rewards, voided_receipts, vouchers
from services.redemption.use_cases.reward_messages import returned_message
from services.redemption.use_cases.take_points import accepted, lives_until
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Refund


async def return_vouchers(transaction: Transaction, voids: Sequence[ReceiptVoid], *, came_back_days: int = 0) -> int:
    """Close the vouchers that these receipts had used: points go back to their lots, pieces to their rewards; how many.

    Call it once the voids are kept. Of rewards that say so a voucher stays used. What comes back to a lot whose time is
    over lives ``came_back_days`` more. Idempotent: a voucher comes back once, whatever void says so; one that comes to
    be used after the void is refused there, since both lock the receipt first. Locks receipts, then vouchers, then
    their members and these members' accounts, each in key order to the commit: call it once a transaction, and nothing
    else that moves points.
    """
    if not voids:
        return 0
    keys = {void.receipt_key for void in voids}
    await receipts.meet_receipts(transaction, keys | {void.void_key for void in voids})
    found = await voided_receipts.find_standing(transaction, keys)
    standing = {key: void for key, void in found.items() if void is not None}
    returned: list[Voucher] = []
    for voucher in await vouchers.lock_used_for(transaction, standing):
        terms = await rewards.find_terms(transaction, voucher.reward_id, voucher.reward_version)
        if terms.comes_back == "with_void" and voucher.receipt_key is not None:
            void = standing[voucher.receipt_key]
            returned.append(voucher.returned(transaction.now, void.undone_by, void.content_hash))
    if returned:
        await _give_back(transaction, returned, voids, came_back_days)
    return len(returned)


async def _give_back(
    transaction: Transaction, returned: Sequence[Voucher], voids: Sequence[ReceiptVoid], came_back_days: int
) -> None:
    await projections.lock_known_members(transaction, sorted({voucher.member_id for voucher in returned}))
    until = lives_until(transaction, came_back_days)
    refunds = [
        Refund(
            voucher.member_id,
            voucher.point_type,
            voucher.undone_by or b"",
            voucher.points,
            voucher.voucher_id,
            voucher.partner_id,
            until,
        )
        for voucher in returned
    ]
    given = accepted(await ledger.post(transaction, refunds))
    await vouchers.save(transaction, returned)
    await rewards.give_back_pieces(transaction, returned)
    traceparents = {void.receipt_key: void.traceparent for void in voids}
    await outbox.record(
        transaction,
        [
            returned_message(transaction, voucher, back, traceparents.get(voucher.receipt_key or b""))
            for voucher, back in zip(returned, given, strict=True)
        ],
    )
