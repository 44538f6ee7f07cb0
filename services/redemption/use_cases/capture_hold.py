"""Take reserved points for a receipt, because a till asks for it."""

from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.capturing import Repeat, decide_capture
from services.redemption.domain.errors import HoldNotOpenError, ReceiptVoidedError, UnknownRedemptionError
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.repository import projections, receipts, recorded_exceptions, redemptions, voided_receipts
from services.redemption.repository.recorded_exceptions import ExceptionKind, ExceptionRecord
from services.redemption.use_cases.messages import captured_message
from services.redemption.use_cases.take_points import lives_until, own_balances, owners_of, settle, taking
from services.redemption.use_cases.visibility import Viewer
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Balances
from shared.receipt_key import DocumentKey, FiscalKey, SequenceKey, encode_receipt_key
from shared.telemetry.trace_context import current_traceparent


@dataclass(frozen=True, slots=True)
class Captured:
    """What the receipt took, now or before; ``exceptions`` are matters for a person that this request brought up."""

    redemption: Redemption
    capture: Capture
    balance: Balances
    exceptions: tuple[ExceptionKind, ...] = ()


async def capture_hold(
    transaction: Transaction,
    viewer: Viewer,
    redemption_id: UUID,
    receipt: SequenceKey | FiscalKey | DocumentKey,
    points: int | None,
    *,
    more: bool,
    came_back_days: int = 0,
) -> Captured:
    """Take ``points`` (default: all that is reserved) of a hold for one receipt, once for ever.

    A receipt that has captured before, by this call or by its purchase event, changes nothing; where the amounts
    differ, an exception is recorded. What is left is let go, unless ``more``; what of that comes back to a lot whose
    time is over lives ``came_back_days`` more. Locks the receipt, then the redemption,
    then the owners and their accounts in the ledger, each to the commit.

    Raises:
        UnknownRedemptionError, HoldNotOpenError, ExceedsHoldError: nothing was changed.
        ReceiptVoidedError: a void of this receipt was read, and nothing has been captured for it.
    """
    redemption, receipt_key = await _lock(transaction, viewer, redemption_id, receipt)
    before = await redemptions.load_captures(transaction, [(redemption_id, receipt_key)])
    decision = decide_capture(redemption, receipt_key, points, before.get((redemption_id, receipt_key)), more=more)
    if isinstance(decision, Repeat):
        return await _repeat(transaction, redemption, decision)
    voids = await voided_receipts.find_standing(transaction, [receipt_key])
    if voids.get(receipt_key) is not None:
        raise ReceiptVoidedError
    await projections.lock_known_members(transaction, owners_of(redemption, decision.member_id))
    asked = taking(decision, until=lives_until(transaction, came_back_days))
    outcomes = await ledger.post(transaction, [command for _, command in asked])
    settled = settle(decision, asked, outcomes, transaction.now)
    own = (redemption.point_type, decision.member_id, settled.balance)
    [balance] = await own_balances(transaction, [own])
    await redemptions.save_redemptions(transaction, [settled.redemption])
    await redemptions.save_captures(transaction, [settled.capture])
    message = captured_message(transaction, settled, balance, current_traceparent())
    await outbox.record(transaction, [message])
    return Captured(settled.redemption, settled.capture, balance)


async def _lock(
    transaction: Transaction, viewer: Viewer, redemption_id: UUID, receipt: SequenceKey | FiscalKey | DocumentKey
) -> tuple[Redemption, bytes]:
    # Which receipt it is depends on the partner, which a redemption keeps once it has one: a receipt is locked before
    # what it takes, so the row is read once without a lock.
    found = await redemptions.find_redemption(transaction, redemption_id)
    if found is None or not viewer.sees(found.partner_id):
        raise UnknownRedemptionError
    if found.partner_id is None:
        raise HoldNotOpenError(found.state)
    receipt_key = encode_receipt_key(found.partner_id, receipt)
    await receipts.meet_receipts(transaction, [receipt_key])
    redemption = await redemptions.lock_redemption(transaction, redemption_id)
    if redemption is None:
        raise AssertionError("unreachable: redemptions stay")
    return redemption, receipt_key


async def _repeat(transaction: Transaction, redemption: Redemption, repeat: Repeat) -> Captured:
    if redemption.member_id is None or redemption.partner_id is None:
        raise AssertionError("unreachable: a capture took somebody's points")
    balances = await ledger.load_balances(transaction, [redemption.member_id], redemption.point_type)
    exceptions: list[ExceptionKind] = []
    if repeat.is_mismatch:
        record = ExceptionRecord(
            kind="amount_mismatch",
            redemption_id=redemption.redemption_id,
            receipt_key=repeat.capture.receipt_key,
            content_hash="",  # HTTP names no document
            partner_id=redemption.partner_id,
            asked_points=repeat.asked_points,
            captured_points=repeat.capture.asked_points,
        )
        exceptions = await recorded_exceptions.record(transaction, [record])
    return Captured(redemption, repeat.capture, balances[redemption.member_id], tuple(exceptions))
