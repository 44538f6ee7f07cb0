"""Take reserved points for a receipt, because a till asks for it."""

from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.capturing import Repeat, decide_capture
from services.redemption.domain.errors import HoldNotOpenError, ReceiptVoidedError, UnknownRedemptionError
from services.redemption.domain.redemption import Capture, Redemption
from services.redemption.repository import captures, locked_holds, recorded_exceptions, redemptions, voided_receipts
from services.redemption.repository.locked_holds import Met
from services.redemption.repository.recorded_exceptions import ExceptionKind, ExceptionRecord
from services.redemption.use_cases.messages import captured_message
from services.redemption.use_cases.take_points import lives_until, own_balances, settle, taking
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
    time is over lives ``came_back_days`` more. Locks the receipt, then the redemption, then the owners and their
    accounts in the ledger, each to the commit. Mostly all is written by the transaction's last statement.

    Raises:
        UnknownRedemptionError, HoldNotOpenError, ExceedsHoldError: nothing was changed.
        ReceiptVoidedError: a void of this receipt was read, and nothing has been captured for it.
    """
    met, receipt_key = await _meet(transaction, viewer, redemption_id, receipt)
    before = None if met.is_new else await _before(transaction, redemption_id, receipt_key)
    decision = decide_capture(met.redemption, receipt_key, points, before, more=more)
    if isinstance(decision, Repeat):
        return await _repeat(transaction, met.redemption, decision)
    if not met.is_new:
        voids = await voided_receipts.find_standing(transaction, [receipt_key])
        if voids.get(receipt_key) is not None:
            raise ReceiptVoidedError
    asked = taking(decision, until=lives_until(transaction, came_back_days))
    # Of one who lends and was merged into the member the ledger may be asked once more.
    later = not met.redemption.shares
    outcomes = await ledger.post(transaction, [command for _, command in asked], written_later=later)
    settled = settle(decision, asked, outcomes, transaction.now)
    own = (met.redemption.point_type, decision.member_id, settled.balance)
    [balance] = await own_balances(transaction, [own])
    locked_holds.settle_later(transaction, settled.redemption)
    captures.save_capture_later(transaction, settled.capture, is_first=met.is_new)
    message = captured_message(transaction, settled, balance, current_traceparent())
    outbox.record_later(transaction, message)
    return Captured(settled.redemption, settled.capture, balance)


async def _meet(
    transaction: Transaction, viewer: Viewer, redemption_id: UUID, receipt: SequenceKey | FiscalKey | DocumentKey
) -> tuple[Met, bytes]:
    # Which receipt it is depends on the partner, which a redemption keeps once it has one: a receipt is locked before
    # what it takes, so that the row of whoever sees all partners' is read once without a lock.
    partner_id = viewer.partner_id
    if partner_id is None:
        found = await redemptions.find_redemption(transaction, redemption_id)
        if found is None:
            raise UnknownRedemptionError
        if found.partner_id is None:
            raise HoldNotOpenError(found.state)
        partner_id = found.partner_id
    receipt_key = encode_receipt_key(partner_id, receipt)
    met = await locked_holds.meet(transaction, redemption_id, partner_id, receipt_key)
    if met is None:
        raise UnknownRedemptionError
    return met, receipt_key


async def _before(transaction: Transaction, redemption_id: UUID, receipt_key: bytes) -> Capture | None:
    key = (redemption_id, receipt_key)
    return (await captures.load_captures(transaction, [key])).get(key)


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
