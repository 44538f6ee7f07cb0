"""Vouchers that are cancelled, or whose time is over: points go back to the member, pieces to the reward."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from services.redemption.domain.rewards.errors import UnknownVoucherError
from services.redemption.domain.rewards.voucher import Voucher, VoucherState
from services.redemption.repository import merges, projections, rewards, vouchers
from services.redemption.use_cases.reward_messages import cancelled_message, expired_message
from services.redemption.use_cases.take_points import accepted, lives_until
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Balances, Posted, Void

# One page holds its members' ledger rows to the commit: small enough to stay within a till's patience.
EXPIRY_PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Closed:
    """A voucher that counts no more, now or since before; ``balance`` is its member's by now."""

    voucher: Voucher
    balance: Balances
    is_repeat: bool = False


async def cancel_voucher(
    transaction: Transaction, voucher_id: UUID, author: str, reason_code: str, *, came_back_days: int = 0
) -> Closed:
    """Give a voucher's points back to their lots, with their own dates, and its piece to the reward.

    Whoever cancels it again changes nothing. What comes back to a lot whose time is over lives ``came_back_days`` more.
    Locks the voucher, then its member, then the member's account, each to the
    commit.

    Raises:
        UnknownVoucherError, VoucherExpiredError: nothing was changed.
    """
    voucher = await vouchers.lock(transaction, voucher_id)
    if voucher is None:
        raise UnknownVoucherError
    cancelled = voucher.cancelled(transaction.now, author, reason_code)
    if cancelled is voucher:
        owner_id = await merges.find_survivor(transaction, voucher.member_id)
        balances = await ledger.load_balances(transaction, [owner_id], voucher.point_type)
        return Closed(voucher, balances[owner_id], is_repeat=True)
    [given] = await _close(transaction, [voucher], [cancelled], "void", came_back_days)
    await outbox.record(transaction, [cancelled_message(transaction, cancelled, given)])
    return Closed(cancelled, given.balance)


async def expire_vouchers(
    transaction: Transaction, rows_max: int = EXPIRY_PAGE_ROWS, *, came_back_days: int = 0
) -> int:
    """Close one page of vouchers whose time is over, oldest first; how many. Fewer than ``rows_max``: there are no more
    for now.

    One that somebody is busy with at this moment is passed over: that decides its fate. What comes back to a lot whose
    time is over lives ``came_back_days`` more. Safe to run anywhere, any number of times.
    """
    due = await vouchers.lock_due(transaction, transaction.now, rows_max)
    if not due:
        return 0
    expired = [voucher.expired(transaction.now) for voucher in due]
    given = await _close(transaction, due, expired, "expire", came_back_days)
    await outbox.record(
        transaction,
        [expired_message(transaction, voucher, back) for voucher, back in zip(expired, given, strict=True)],
    )
    return len(expired)


async def _close(
    transaction: Transaction,
    before: Sequence[Voucher],
    closed: Sequence[Voucher],
    purpose: Literal["void", "expire"],
    came_back_days: int,
) -> list[Posted]:
    """Carry out what was decided of vouchers that are locked; what each gave back."""
    await projections.lock_known_members(transaction, sorted({voucher.member_id for voucher in closed}))
    until = lives_until(transaction, came_back_days)
    commands = [
        Void(voucher.member_id, voucher.point_type, voucher.reference, voucher.voucher_id, purpose, until)
        for voucher in closed
    ]
    given = accepted(await ledger.post(transaction, commands))
    await vouchers.save(transaction, closed)
    unseen = [voucher for voucher in before if voucher.state is VoucherState.RESERVED]
    await rewards.give_back_pieces(transaction, closed, unseen)
    return given
