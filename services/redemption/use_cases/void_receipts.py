"""Receipts that a till voided: the sale never was, so nothing of it is paid with points, and what was comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.redemption.domain.giving_back import GiveBack
from services.redemption.domain.voiding import ReceiptVoid
from services.redemption.repository import (
    captures,
    goods_returns,
    receipts,
    redemptions,
    refunds,
    returned_vouchers,
    voided_receipts,
)
from services.redemption.repository.recorded_exceptions import ExceptionRecord
from services.redemption.use_cases.give_back import give_back
from shared.database import Transaction
from shared.ledger import HeldSince


async def void_receipts(
    transaction: Transaction,
    voids: Sequence[ReceiptVoid],
    *,
    held_since: HeldSince | None = None,
    came_back_days: int = 0,
) -> int:
    """Let voided receipts take nothing more, and give back what they have taken; gives how many points went back.

    A tender that waits is dropped, one that comes later is disregarded, and a hold that is open is let go by the till
    or by time. What was captured goes back to the lots that it came from, with their own dates, of everybody who gave
    some, and clears what they owe; less what returns have settled, and what pays for goods of an exchange. Where a
    lot's time is over, the rest lives ``came_back_days`` more. A void that names another total than the receipt's is
    of another receipt, and does nothing here. Idempotent: what a receipt has taken goes back once, whatever void says
    so, in whatever order they come. Locks receipts and voids, then redemptions, then their owners and these owners'
    accounts in the ledger, each in key order to the commit: call it once a transaction, and nothing else that moves
    points.
    """
    if not voids:
        return 0
    traceparents = {void.receipt_key: void.traceparent for void in voids}
    await receipts.meet_receipts(transaction, {key for void in voids for key in (void.void_key, void.receipt_key)})
    await voided_receipts.keep(transaction, voids)
    found = await voided_receipts.find_standing(transaction, traceparents)
    standing = {key: replace(void, traceparent=traceparents[key]) for key, void in found.items() if void is not None}
    await voided_receipts.stop_waiting(transaction, standing)
    given = await _give_back(transaction, standing, held_since, came_back_days)
    await goods_returns.look_again_at_exchanges(transaction, standing)
    return given


async def _give_back(
    transaction: Transaction,
    standing: Mapping[bytes, ReceiptVoid],
    held_since: HeldSince | None,
    came_back_days: int,
) -> int:
    taken = await refunds.find_not_given(transaction, standing)
    if not taken:
        return 0
    locked = await redemptions.lock_redemptions(transaction, {redemption_id for redemption_id, _ in taken})
    captured = await captures.load_captures(transaction, taken)
    given = [
        GiveBack(locked[key[0]], captured[key], captured_at, standing[key[1]]) for key, captured_at in taken.items()
    ]
    return await give_back(transaction, given, held_since, came_back_days)


async def given_back_for_others(
    transaction: Transaction, voids: Mapping[bytes, ReceiptVoid | None]
) -> list[ExceptionRecord]:
    """What receipts that are read now had given back before, points and vouchers, for voids that meant other ones, as
    it turns out (None)."""
    doubted = [key for key, void in voids.items() if void is None]
    if not doubted:
        return []
    found = await refunds.load_of_receipts(transaction, doubted)
    return found + await returned_vouchers.load_of_receipts(transaction, doubted)
