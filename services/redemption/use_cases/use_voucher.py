"""A till takes a voucher: its points are spent at its partner."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.redemption.domain.errors import ReceiptVoidedError
from services.redemption.domain.rewards.codes import is_mistyped
from services.redemption.domain.rewards.errors import MistypedCodeError, UnknownVoucherError
from services.redemption.domain.rewards.reward import RewardTerms
from services.redemption.domain.rewards.voucher import Voucher
from services.redemption.repository import projections, receipts, rewards, voided_receipts, vouchers
from services.redemption.use_cases.reward_messages import delivered_message, used_message
from services.redemption.use_cases.take_points import accepted
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Capture


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown at a till: a code, by all hashes that it may be found by, at a partner and, as far as it is known,
    in a store."""

    typed: str
    code_hashes: Sequence[str]
    partner_id: str
    store_id: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A voucher that counts, or was taken for this receipt, now or before; ``terms`` are its reward's at its issue."""

    voucher: Voucher
    terms: RewardTerms
    is_repeat: bool = False


async def check_voucher(transaction: Transaction, shown: Shown) -> Taken:
    """What a till would get for this code now. Nothing is changed, and nothing is promised.

    Raises:
        UnknownVoucherError, MistypedCodeError, OtherPartnersVoucherError, OtherStoreError, VoucherUsedError,
        VoucherCancelledError, VoucherExpiredError
    """
    taken = await _read(transaction, shown, await vouchers.find_by_code(transaction, shown.code_hashes))
    taken.voucher.require_usable(transaction.now)
    return taken


async def use_voucher(transaction: Transaction, shown: Shown, receipt_key: bytes, author: str) -> Taken:
    """Take a voucher for one receipt, once for ever: what it reserves is spent at the partner.

    The same voucher for the same receipt again changes nothing. Locks the receipt, then the voucher, then its member,
    then the member's account, each to the commit.

    Raises:
        UnknownVoucherError, MistypedCodeError, OtherPartnersVoucherError, OtherStoreError, VoucherUsedError,
        VoucherCancelledError, VoucherExpiredError, VoucherReturnedError: nothing was changed.
        ReceiptVoidedError: a void of the receipt was read, so that nothing is sold with it.
    """
    await receipts.meet_receipts(transaction, [receipt_key])
    taken = await _read(transaction, shown, await vouchers.lock_by_code(transaction, shown.code_hashes))
    voucher = taken.voucher
    used = voucher.used(transaction.now, author, receipt_key)
    if used is voucher:
        return Taken(voucher, taken.terms, is_repeat=True)
    voids = await voided_receipts.find_standing(transaction, [receipt_key])
    if voids.get(receipt_key) is not None:
        raise ReceiptVoidedError
    await projections.lock_known_members(transaction, [voucher.member_id])
    capture = Capture(
        voucher.member_id, voucher.point_type, receipt_key, voucher.points, voucher.voucher_id, voucher.partner_id
    )
    [spent] = accepted(await ledger.post(transaction, [capture]))
    await vouchers.save(transaction, [used])
    await outbox.record(transaction, [used_message(transaction, used, taken.terms, spent)])
    return Taken(used, taken.terms)


async def deliver_voucher(transaction: Transaction, voucher_id: UUID, channel: str) -> Voucher:
    """Note that a voucher's member has its code. Noted again it stays as it was.

    Raises:
        UnknownVoucherError, VoucherUsedError, VoucherCancelledError, VoucherExpiredError: nothing was changed.
    """
    voucher = await vouchers.lock(transaction, voucher_id)
    if voucher is None:
        raise UnknownVoucherError
    delivered = voucher.delivered(transaction.now, channel)
    if delivered is not voucher:
        await projections.lock_known_members(transaction, [voucher.member_id])  # whose events are told in order
        await vouchers.save(transaction, [delivered])
        await outbox.record(transaction, [delivered_message(transaction, delivered)])
    return delivered


async def _read(transaction: Transaction, shown: Shown, found: Voucher | None) -> Taken:
    if found is None:
        raise MistypedCodeError if is_mistyped(shown.typed) else UnknownVoucherError
    terms = await rewards.find_terms(transaction, found.reward_id, found.reward_version)
    found.require_at(shown.partner_id, shown.store_id, terms)
    return Taken(found, terms)
