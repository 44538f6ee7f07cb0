"""Topic to use case. Each handler owns its transaction; the runtime owns the offsets."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

from services.redemption import metrics
from services.redemption.counting import count_returns, count_tenders, count_uses
from services.redemption.domain.goods_return import return_of
from services.redemption.domain.leaving import Leaving, Outcome
from services.redemption.domain.privileges.usage import Told, told_by
from services.redemption.domain.sold_goods import sold_sale_of
from services.redemption.domain.tender import PointsTender, UnusableReceiptError, points_tenders
from services.redemption.domain.voiding import ReceiptVoid, void_of
from services.redemption.domain.write_off.prices import pricing_at
from services.redemption.programme import Programme
from services.redemption.repository import projections
from services.redemption.repository.receipts import Refusal
from services.redemption.use_cases.project import project_coalition, project_tiers, take_in_members
from services.redemption.use_cases.return_vouchers import return_vouchers
from services.redemption.use_cases.settle_bought_privileges import settle_bought_privileges
from services.redemption.use_cases.settle_leavings import TooManyLeavingsError
from services.redemption.use_cases.settle_privilege_uses import Change, settle_privilege_uses
from services.redemption.use_cases.settle_returns import ReturnReport, settle_returns, take_returns
from services.redemption.use_cases.settle_sales import SalesReport, settle_sales
from services.redemption.use_cases.tell_voids_of_others import tell_voids_of_others
from services.redemption.use_cases.undo_refused import undo_refused
from services.redemption.use_cases.void_receipts import void_receipts
from shared.database import Database, Transaction, read_to
from shared.events.catalogue import PURCHASES
from shared.events.coalition import CoalitionEvent
from shared.events.members import MemberEvent
from shared.events.points import PointsEvent, ReceiptRefused
from shared.events.purchases import (
    ExchangeRecorded,
    PurchaseEvent,
    PurchaseRecorded,
    ReceiptVoided,
    ReturnRecorded,
)
from shared.events.tiers import TierChanged
from shared.kafka import Batch, BatchSize, PermanentError
from shared.ledger import HeldSince, TooManyCommandsError
from shared.point_types import PointTypes
from shared.receipt_key import MalformedReceiptIdError, natural_key_of
from shared.runtime.record_keeping import RecordKeeping
from shared.web.known_clients import project_clients

T = TypeVar("T")

# A receipt may be refused because it earns nothing; only this says that the document is not the receipt.
CONFLICT = "content_conflict"
_REFUSED_TYPE = b"loyalty.receipt.refused.v1"
_SALE_TYPE: bytes = PurchaseRecorded.model_fields["type"].default.encode()
_TIER_TYPE = b"loyalty.tier.changed.v1"
# What they undo may have been paid with points, whatever they say themselves.
_UNDOING_TYPES = frozenset(
    kind.model_fields["type"].default.encode() for kind in (ReceiptVoided, ReturnRecorded, ExchangeRecorded)
)


def may_move_points(headers: Mapping[str, bytes]) -> bool:
    """Whether a receipt was paid with points, or undoes one that may have been: all others are skipped undecoded."""
    return headers.get("points_tender") == b"1" or headers.get("type") in _UNDOING_TYPES


def concerns_spending(headers: Mapping[str, bytes]) -> bool:
    """Whether a receipt may move points, or used privileges: all others are skipped undecoded."""
    return may_move_points(headers) or headers.get("privileges") == b"1"


def concerns_redemption(headers: Mapping[str, bytes], programme: Programme) -> bool:
    """Whether a receipt concerns spending or, while a privilege is to be had by purchases, may entitle to it."""
    return concerns_spending(headers) or bool(programme.privileges.by_purchase and headers.get("type") == _SALE_TYPE)


def is_refusal_or_tier(headers: Mapping[str, bytes]) -> bool:
    """Whether a record on ``loyalty.points`` refuses a receipt or tells of a tier: all others are skipped undecoded."""
    return headers.get("type") in (_REFUSED_TYPE, _TIER_TYPE)


class _Keeping(RecordKeeping):
    async def is_erased(self, transaction: Transaction, member_id: UUID) -> bool:
        return await projections.is_erased(transaction, member_id)


class PurchaseHandler(_Keeping):
    """Receipts that were paid with points take them; what was voided takes nothing, and gives back what it took. What
    had paid for goods goes back with them."""

    def __init__(self, database: Database, programme: Programme, batch_size: BatchSize) -> None:
        super().__init__(database)
        self._programme = programme
        self._batch_size = batch_size

    async def handle(self, batch: Batch[PurchaseEvent]) -> None:
        """Settle a batch's voids in one transaction, then its returns, then its uses of privileges, then its tenders,
        with what they bought and the positions; then the returns that had waited for these.

        All of them lock receipts and more after them, so that each is a transaction of its own, safe to do again.
        Returns of receipts that were read just now are found by the sweep as well.
        """
        voids = _read(void_of, batch.events)
        returns = _read(partial(return_of, currency=self._programme.pricing.currency), batch.events)
        sales = _read(partial(sold_sale_of, own_type=self._programme.pricing.own_type), batch.events)
        tenders = [tender for event in batch.events for tender in _tenders(event, self._programme)]
        told = _told_of_privileges(batch.events)
        held_since = HeldSince()

        async def work(transaction: Transaction) -> SalesReport:
            report = await settle_sales(transaction, tenders, sales, self._programme, held_since=held_since)
            await read_to.save(transaction, batch.positions)
            return report

        try:
            if voids:
                await self._void(voids)
            if returns:
                await self._return(partial(take_returns, returns=returns))
            if told.uses or (told.keys and self._programme.privileges.all):  # else there is no use to be undone
                await self._use_privileges(told)
            if self._programme.privileges.by_purchase:
                await self._database.run(
                    partial(settle_bought, events=batch.events, undoing=told.keys, programme=self._programme)
                )
            report = await self._database.run(work)
            if report.awaited:
                await self._return(partial(settle_returns, receipt_keys=report.awaited))
        except TooManyCommandsError as error:  # what households pooled: halves of the batch ask for less
            raise PermanentError(str(error)) from error
        count_tenders(report.tenders)
        self._batch_size.observe(held_since.seconds())

    async def _use_privileges(self, told: Told) -> None:
        count_uses(await self._database.run(partial(settle_told, told=told, programme=self._programme)))

    async def _void(self, voids: Sequence[ReceiptVoid]) -> None:
        held_since = HeldSince()
        void = partial(void_receipts, voids=voids, held_since=held_since, came_back_days=self._programme.came_back_days)
        given = await self._database.run(void)
        metrics.REFUNDED_POINTS.inc(given)
        for kind in await self._database.run(partial(tell_voids_of_others, voids=voids)):
            metrics.EXCEPTIONS.labels(kind).inc()
        take_back = partial(return_vouchers, voids=voids, came_back_days=self._programme.came_back_days)
        metrics.REWARDS.labels("returned").inc(await self._database.run(take_back))
        self._batch_size.observe(held_since.seconds())

    async def _return(self, settle: Callable[..., Awaitable[ReturnReport]]) -> None:
        held_since = HeldSince()
        work = partial(settle, programme=self._programme, held_since=held_since)
        count_returns(await self._database.run(work))
        self._batch_size.observe(held_since.seconds())


class PointsHandler(_Keeping):
    """A document that was refused for another one with the same key takes no points, and uses no privilege; tiers
    become facts."""

    def __init__(self, database: Database, programme: Programme) -> None:
        super().__init__(database)
        self._programme = programme

    async def handle(self, batch: Batch[PointsEvent]) -> None:
        """Project a batch's tiers, then undo, or report, what its refused documents did, then undo what privileges they
        used, and keep the positions.

        Each locks receipts or members: each is a transaction of its own, and safe to do again.
        """
        tiers = [event.data for event in batch.events if isinstance(event, TierChanged)]
        refusals = [
            Refusal(_natural_key(event.data.receipt_id), event.data.content_hash)
            for event in batch.events
            if isinstance(event, ReceiptRefused) and event.data.reason == CONFLICT
        ]

        async def work(transaction: Transaction) -> list[Change]:
            told = Told(undone=frozenset(refusal.receipt_key for refusal in refusals))
            changes = await settle_told(transaction, told, self._programme)
            await read_to.save(transaction, batch.positions)
            return changes

        if tiers:
            await self._database.run(partial(project_tiers, tiers=tiers))
        if refusals:
            for kind in await self._database.run(partial(undo_refused, refusals=refusals)):
                metrics.EXCEPTIONS.labels(kind).inc()
        if refusals and self._programme.privileges.by_purchase:
            keys = {refusal.receipt_key for refusal in refusals}
            await self._database.run(partial(settle_bought, events=(), undoing=keys, programme=self._programme))
        count_uses(await self._database.run(work))


class MemberHandler(_Keeping):
    """Members and identifiers become facts, and what stays with a household that somebody leaves stays there."""

    def __init__(self, database: Database, point_types: PointTypes) -> None:
        super().__init__(database)
        self._point_types = point_types

    async def handle(self, batch: Batch[MemberEvent]) -> None:
        """Project a batch. Tenders that waited for one of these members are found by the sweep."""

        async def work(transaction: Transaction) -> list[tuple[Leaving, Outcome]]:
            settled = await take_in_members(transaction, batch.events, self._point_types.spent_codes)
            await read_to.save(transaction, batch.positions)
            return settled

        try:
            settled = await self._database.run(work)
        except TooManyLeavingsError as error:  # after an outage: halves of the batch tell of fewer
            raise PermanentError(str(error)) from error
        for _, outcome in settled:
            metrics.LEAVINGS.labels(outcome).inc()


class CoalitionHandler(_Keeping):
    """Partners, tills and API clients become facts."""

    async def handle(self, batch: Batch[CoalitionEvent]) -> None:
        """Project a batch."""

        async def work(transaction: Transaction) -> None:
            await project_clients(transaction, batch.events)
            await project_coalition(transaction, batch.events)
            await read_to.save(transaction, batch.positions)

        await self._database.run(work)


async def settle_told(transaction: Transaction, told: Told, programme: Programme) -> list[Change]:
    """Settle uses of privileges by how far purchases have been read before this batch."""
    purchases_read_to = await read_to.load(transaction, PURCHASES.topic, programme.topic_partitions)
    return await settle_privilege_uses(transaction, told, purchases_read_to)


async def settle_bought(
    transaction: Transaction, events: Sequence[PurchaseEvent], undoing: set[bytes], programme: Programme
) -> None:
    """Settle what purchases entitle to."""
    with _unreadable_is_permanent():
        await settle_bought_privileges(transaction, events, undoing, programme)


def _told_of_privileges(events: Sequence[PurchaseEvent]) -> Told:
    with _unreadable_is_permanent():
        return told_by(events)


def _tenders(event: PurchaseEvent, programme: Programme) -> tuple[PointsTender, ...]:
    pricing = programme.pricing
    if isinstance(event, PurchaseRecorded | ExchangeRecorded):
        pricing = pricing_at(programme.write_off.history, event.data.occurred_at, pricing)
    with _unreadable_is_permanent():
        return points_tenders(event, pricing)


def _read(reading: Callable[[PurchaseEvent], T | None], events: Sequence[PurchaseEvent]) -> list[T]:
    """What these events say of that; of those that say nothing of it, nothing."""
    with _unreadable_is_permanent():
        return [said for event in events if (said := reading(event)) is not None]


def _natural_key(receipt_id: str) -> bytes:
    with _unreadable_is_permanent():
        return natural_key_of(receipt_id)


@contextmanager
def _unreadable_is_permanent() -> Iterator[None]:
    """A receipt that cannot be read does not become readable by coming again: its record is dead-lettered."""
    try:
        yield
    except (MalformedReceiptIdError, UnusableReceiptError) as error:
        raise PermanentError(str(error)) from error
