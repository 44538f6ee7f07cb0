"""Take reserved points for several receipts in one transaction: where none needs more than others do, five statements
for all of them.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.capturing import Take, decide_capture
from services.redemption.domain.errors import RedemptionError
from services.redemption.domain.redemption import Redemption
from services.redemption.repository import captures, shared_captures
from services.redemption.repository.shared_captures import Wanted
from services.redemption.use_cases.capture_hold import Captured
from services.redemption.use_cases.messages import captured_message
from services.redemption.use_cases.take_points import Settled, lives_until, settle, taking
from shared import ledger, outbox
from shared.database import Transaction
from shared.ledger import Balances
from shared.receipt_key import DocumentKey, FiscalKey, SequenceKey, encode_receipt_key
from shared.web import Left


class CaptureAsked(NamedTuple):
    """One of several: what a partner's till asks of one of its redemptions, and what it follows from."""

    partner_id: str
    redemption_id: UUID
    receipt: SequenceKey | FiscalKey | DocumentKey
    points: int | None = None
    more: bool = False
    traceparent: str | None = None

    @property
    def wanted(self) -> Wanted:
        """What to lock."""
        return Wanted(self.redemption_id, self.partner_id, encode_receipt_key(self.partner_id, self.receipt))


class _Taken(NamedTuple):
    settled: Settled
    balance: Balances
    traceparent: str | None


async def capture_together(
    transaction: Transaction, asked: Sequence[CaptureAsked], *, came_back_days: int = 0, waits: bool = False
) -> list[Captured | Left]:
    """What becomes of each, decided in their order, of one redemption or member each seeing those before it; written
    and published by the transaction's last statement.

    Each is decided by the rules of ``capture_hold``. Meets the receipts, whose rows are made, then locks redemptions,
    then members, then their accounts in the ledger, and passes over those that others have locked (``Left.BUSY``),
    unless it ``waits``. ``Left.ALONE`` asks for more than others do: a receipt that is known already, or that one of
    them takes points for, a redemption that reserves points of others, an owner who was merged away; and whatever
    ``capture_hold`` refuses. What is left leaves no trace.
    """
    wanted = [one.wanted for one in asked]
    met = await shared_captures.meet_several(transaction, wanted, waits=waits)
    takes = _decide(transaction, asked, wanted, met.redemptions)
    settled = await _take(transaction, takes, came_back_days, waits=waits)
    taken = [
        one if isinstance(one, Left) else _taken(one, by.traceparent) for one, by in zip(settled, asked, strict=True)
    ]
    _write(transaction, [one for one in taken if isinstance(one, _Taken)])
    left = met.made - {one.settled.capture.receipt_key for one in taken if isinstance(one, _Taken)}
    shared_captures.forget_receipts_later(transaction, left)
    return [
        one if isinstance(one, Left) else Captured(one.settled.redemption, one.settled.capture, one.balance)
        for one in taken
    ]


def _decide(
    transaction: Transaction, asked: Sequence[CaptureAsked], wanted: Sequence[Wanted], met: Sequence[Redemption | Left]
) -> list[Take | Left]:
    """Of one redemption each stands as those before leave it: they share its account, and so one fate."""
    stands: dict[UUID, Redemption] = {}
    receipts: set[bytes] = set()
    takes: list[Take | Left] = []
    for one, (redemption_id, _, receipt_key), found in zip(asked, wanted, met, strict=True):
        if isinstance(found, Left) or receipt_key in receipts:
            takes.append(found if isinstance(found, Left) else Left.ALONE)
            continue
        try:
            redemption = stands.get(redemption_id, found)
            take = decide_capture(redemption, receipt_key, one.points, None, more=one.more)
        except RedemptionError:
            take = None
        if not isinstance(take, Take):
            takes.append(Left.ALONE)
            continue
        stands[redemption_id], _ = take.settled(0, transaction.now)
        receipts.add(receipt_key)
        takes.append(take)
    return takes


async def _take(
    transaction: Transaction, takes: Sequence[Take | Left], came_back_days: int, *, waits: bool
) -> list[Settled | Left]:
    """What the ledger says of those that may be taken."""
    until = lives_until(transaction, came_back_days)
    asked = [(take, taking(take, until=until)) for take in takes if isinstance(take, Take)]
    commands = [command for _, [(_, command)] in asked if isinstance(command, ledger.Capture)]
    outcomes = await ledger.take_free(transaction, commands, waits=waits) if commands else []
    settled = iter(
        Left.BUSY if outcome is None else settle(take, of_take, [outcome], transaction.now)
        for (take, of_take), outcome in zip(asked, outcomes, strict=True)
    )
    return [take if isinstance(take, Left) else next(settled) for take in takes]


def _taken(settled: Settled, traceparent: str | None) -> _Taken:
    if settled.balance is None:
        raise AssertionError("unreachable: the member's own points were taken")
    return _Taken(settled, settled.balance, traceparent)


def _write(transaction: Transaction, taken: Sequence[_Taken]) -> None:
    after = {one.settled.redemption.redemption_id: one.settled.redemption for one in taken}  # as the last one leaves it
    shared_captures.settle_several_later(transaction, after.values())
    captures.save_first_captures_later(transaction, [one.settled.capture for one in taken])
    outbox.record_later(
        transaction, *(captured_message(transaction, one.settled, one.balance, one.traceparent) for one in taken)
    )
