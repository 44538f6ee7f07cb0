"""Topic to use case. Each handler owns its transaction; the runtime owns the offsets."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.coalition import metrics
from services.coalition.domain.counting import (
    Effect,
    Issued,
    Redeemed,
    Refunded,
    Returned,
    capture_entry,
    exchange_entry,
    handover_entry,
    lapse_entry,
    move_entry,
    moved_receipt_entry,
    receipt_entry,
    refund_entry,
    voucher_entry,
)
from services.coalition.domain.exposure import Judged
from services.coalition.domain.shifts import Arrival, ImplausibleTotalError, arrival_of
from services.coalition.repository import erased_members
from services.coalition.use_cases.count_arrivals import count_arrivals
from services.coalition.use_cases.count_points import count_points
from services.coalition.use_cases.erase_members import erase_members
from shared.database import Database, Transaction, read_to
from shared.events.members import MemberErased, MemberEvent
from shared.events.points import (
    MoveData,
    PointsClawedBack,
    PointsEarned,
    PointsEvent,
    PointsExchanged,
    PointsLapsed,
    ReceiptMoved,
)
from shared.events.purchases import PurchaseEvent
from shared.events.redemptions import RedemptionCaptured, RedemptionEvent, RedemptionRefunded
from shared.events.rewards import RewardReturned, RewardUsed
from shared.kafka import Batch, PermanentError, ReadPosition
from shared.receipt_key import MalformedReceiptIdError, natural_key_of
from shared.runtime.record_keeping import RecordKeeping

_POINTS_TYPES = frozenset(
    kind.model_fields["type"].default.encode()
    for kind in (PointsEarned, PointsClawedBack, PointsExchanged, PointsLapsed, ReceiptMoved)
)
_ERASED: bytes = MemberErased.model_fields["type"].default.encode()
_REDEMPTIONS_TYPES = frozenset(
    kind.model_fields["type"].default.encode()
    for kind in (RedemptionCaptured, RedemptionRefunded, RewardUsed, RewardReturned)
)


def wants_points(headers: Mapping[str, bytes]) -> bool:
    """Of ``loyalty.points``, what a partner issued and got back; the rest is skipped undecoded."""
    kind = headers.get("type")
    return kind is None or kind in _POINTS_TYPES


def wants_spending(headers: Mapping[str, bytes]) -> bool:
    """Of ``loyalty.redemptions``, what was taken and given back; the rest is skipped undecoded."""
    kind = headers.get("type")
    return kind is None or kind in _REDEMPTIONS_TYPES


def wants_erasure(headers: Mapping[str, bytes]) -> bool:
    """Of ``loyalty.members``, erasures; the rest is skipped undecoded."""
    return headers.get("type", _ERASED) == _ERASED


class _Keeping(RecordKeeping):
    async def is_erased(self, transaction: Transaction, member_id: UUID) -> bool:
        return await erased_members.is_erased(transaction, member_id)


class MemberHandler(_Keeping):
    """Erased members are forgotten."""

    async def handle(self, batch: Batch[MemberEvent]) -> None:
        """Forget those whose erasure a batch tells."""
        erasures = [event for event in batch.events if isinstance(event, MemberErased)]

        async def work(transaction: Transaction) -> None:
            if erasures:
                await erase_members(transaction, erasures)
            await read_to.save(transaction, batch.positions)

        await self._database.run(work)


class PointsHandler(_Keeping):
    """Points that were issued, taken back or given up by time are counted for their partners."""

    async def handle(self, batch: Batch[PointsEvent]) -> None:
        """Count a batch in one transaction."""
        counted = PointsEarned | PointsClawedBack | PointsExchanged | PointsLapsed | ReceiptMoved
        # What a claw-back was to take and did not find (clipped) moves nothing.
        events = [event for event in batch.events if isinstance(event, counted) and not _moves_nothing(event)]
        effects: list[Effect] = []
        for event in events:
            effects += _exchanged(event) if isinstance(event, PointsExchanged) else (_moved(event),)
        await _count(self._database, effects, [event.time for event in events], batch.positions)


class RedemptionHandler(_Keeping):
    """Points that were taken, or given back since, are counted for the partner that took them, and for those that had
    issued them."""

    async def handle(self, batch: Batch[RedemptionEvent]) -> None:
        """Count a batch in one transaction."""
        counted = RedemptionCaptured | RedemptionRefunded | RewardUsed | RewardReturned
        events = [event for event in batch.events if isinstance(event, counted)]
        await _count(
            self._database, [_taken(event) for event in events], [event.time for event in events], batch.positions
        )


class PurchaseHandler(_Keeping):
    """Receipts as they arrive, whatever becomes of them: one that is parked or refused came all the same."""

    async def handle(self, batch: Batch[PurchaseEvent]) -> None:
        """Count a batch in one transaction."""
        arrivals = [found for event in batch.events if (found := _arrival(event)) is not None]

        async def work(transaction: Transaction) -> None:
            await count_arrivals(transaction, arrivals)
            await read_to.save(transaction, batch.positions)

        await self._database.run(work)


async def _count(
    database: Database, effects: Sequence[Effect], times: Sequence[datetime], positions: Sequence[ReadPosition]
) -> None:
    async def work(transaction: Transaction) -> tuple[list[Judged], datetime]:
        await read_to.save(transaction, positions)
        return await count_points(transaction, effects) if effects else [], transaction.now

    judged, now = await database.run(work)
    metrics.show(judged)
    for effect in effects:
        metrics.COUNTED_EFFECTS.labels(type(effect).__name__.lower()).inc()
    for time in times:
        metrics.COUNTED_BEHIND_SECONDS.observe(max(0.0, (now - time).total_seconds()))


def _moves_nothing(event: PointsEvent) -> bool:
    return isinstance(event, PointsClawedBack) and event.data.points == 0


def _moved(event: PointsEarned | PointsClawedBack | PointsLapsed | ReceiptMoved) -> Effect:
    if isinstance(event, ReceiptMoved):
        return _given_to_another(event.data)
    data = event.data
    if isinstance(event, PointsEarned):
        number = 0 if event.data.part is None else event.data.part.number
        entry = receipt_entry(_natural_key(data.receipt_id), number)
        return Issued(entry, data.partner_id, data.point_type, data.points, event.data.occurred_at)
    if isinstance(event, PointsLapsed):
        key, part = _natural_key(data.receipt_id), event.data.part
        entry, at = lapse_entry(key, part), event.time
    else:
        key, part = _natural_key(event.data.original_receipt_id), event.data.part or 0
        # Of what was never counted under its own key the time says under which contract.
        own, at = _natural_key(data.receipt_id), event.data.occurred_at or event.time
        # The goods of a handover have earned under its own key: what it takes of prepayments counts beside that.
        entry = handover_entry(own, key, part) if event.data.cause == "handover" else receipt_entry(own, part)
    keys = entry, receipt_entry(key, part)
    moved = moved_receipt_entry(key)
    return Returned(*keys, data.partner_id, data.point_type, data.points, at, moved)


def _exchanged(event: PointsExchanged) -> list[Effect]:
    """Both sides of an exchange, or of its void: what was taken counts where its receipt was counted, what was given
    under the contract of its receipt's own time.
    """
    data, key = event.data, _natural_key(event.data.receipt_id)
    effects: list[Effect] = []
    for taken in data.taken:
        if taken.points:
            number = taken.part or 0
            entry = exchange_entry(key, "taken", number)
            original = receipt_entry(_natural_key(taken.receipt_id), number)
            effects.append(Returned(entry, original, data.partner_id, data.point_type, taken.points, event.time))
    for given in data.given:
        number = given.part.number if given.part is not None else 0
        # A later return of the goods finds what was given for them under the document's own key, as of a purchase.
        is_new = given.receipt_id == data.receipt_id
        given_again = exchange_entry(key, "given", number) + _natural_key(given.receipt_id)
        entry = receipt_entry(key, number) if is_new else given_again
        effects.append(Issued(entry, data.partner_id, data.point_type, given.points, given.occurred_at))
    return effects


def _given_to_another(data: MoveData) -> Effect:
    """Each side of a move counts once, under the contract of the receipt's own time, as its award did."""
    number = 0 if data.part is None else data.part.number
    entry, key = move_entry(data.move_id.bytes, data.direction, number), _natural_key(data.receipt_id)
    if data.direction == "to":
        moved = moved_receipt_entry(key)
        return Issued(entry, data.partner_id, data.point_type, data.points, data.occurred_at, moved)
    original = receipt_entry(key, number)
    return Returned(entry, original, data.partner_id, data.point_type, data.points, data.occurred_at)


def _taken(event: RedemptionCaptured | RedemptionRefunded | RewardUsed | RewardReturned) -> Effect:
    data = event.data
    receipt_key = _natural_key(data.receipt_id)
    by_issuer = tuple((each.issuer, each.points) for each in data.by_issuer)
    if isinstance(event, RewardUsed):
        entry = voucher_entry(event.data.voucher_id.bytes)
        return Redeemed(entry, data.partner_id, data.point_type, data.points, by_issuer, event.time)
    if isinstance(event, RewardReturned):
        voucher, at = event.data.voucher_id.bytes, event.data.used_at
        back = refund_entry(voucher, receipt_key, _natural_key(event.data.undone_by))
        return Refunded(back, voucher_entry(voucher), data.partner_id, data.point_type, data.points, by_issuer, at)
    entry = capture_entry(event.data.redemption_id.bytes, receipt_key)
    if isinstance(event, RedemptionRefunded):
        undone_by = _natural_key(event.data.undone_by)
        refund = refund_entry(event.data.redemption_id.bytes, receipt_key, undone_by, event.data.content_hash)
        at = event.data.captured_at
        return Refunded(refund, entry, data.partner_id, data.point_type, data.points, by_issuer, at)
    return Redeemed(entry, data.partner_id, data.point_type, data.points, by_issuer, event.time)


def _natural_key(receipt_id: str) -> bytes:
    try:
        return natural_key_of(receipt_id)
    except MalformedReceiptIdError as error:
        raise PermanentError(str(error)) from error


def _arrival(event: PurchaseEvent) -> Arrival | None:
    try:
        return arrival_of(event.data)
    except (MalformedReceiptIdError, ImplausibleTotalError) as error:
        raise PermanentError(str(error)) from error
