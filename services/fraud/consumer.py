"""Topic to use case. Each handler owns its transaction; the runtime owns the offsets."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import TypeGuard
from uuid import UUID

from services.fraud import metrics
from services.fraud.domain.outcomes import Effects
from services.fraud.domain.receipts import ImplausibleReceiptError
from services.fraud.domain.rule_set import RuleSet
from services.fraud.domain.spending.rule_set import SpendRuleSet
from services.fraud.repository import erasure
from services.fraud.repository.decisions import DecidedElsewhereError
from services.fraud.repository.spend_decisions import StoredSpendDecision
from services.fraud.use_cases.erase_members import erase_members
from services.fraud.use_cases.follow_moves import follow_moves
from services.fraud.use_cases.merge_members import merge_members
from services.fraud.use_cases.note_identifiers import Noted, note_identifiers
from services.fraud.use_cases.project_operators import project_operators
from services.fraud.use_cases.project_tills import project_tills
from services.fraud.use_cases.score_purchases import ScoreReport, score_purchases
from services.fraud.use_cases.score_unasked import score_unasked
from shared.database import Database, Transaction, read_to
from shared.events.coalition import ApiClientChanged, CoalitionEvent, OperatorChanged, TillChanged
from shared.events.members import (
    ContactChanged,
    IdentifierLinked,
    IdentifierRevoked,
    MemberErased,
    MemberEvent,
    MembersMerged,
)
from shared.events.points import PointsEvent, ReceiptMoved
from shared.events.purchases import ExchangeRecorded, PurchaseEvent, PurchaseRecorded
from shared.events.redemptions import PointsGifted, RedemptionEvent, RedemptionHeld
from shared.kafka import Batch, PermanentError, TransientError
from shared.receipt_key import MalformedReceiptIdError
from shared.runtime.record_keeping import RecordKeeping
from shared.web.known_clients import project_clients

DECIDED_ELSEWHERE_ATTEMPTS_MAX = 3

_WANTED_OF_PURCHASES = frozenset(
    str(event.model_fields["type"].default).encode() for event in (PurchaseRecorded, ExchangeRecorded)
)
_WANTED_OF_MEMBERS = frozenset(
    str(event.model_fields["type"].default).encode()
    for event in (MemberErased, MembersMerged, IdentifierLinked, IdentifierRevoked, ContactChanged)
)
_RECEIPT_MOVED: bytes = ReceiptMoved.model_fields["type"].default.encode()
_WANTED_OF_COALITION = frozenset(
    str(event.model_fields["type"].default).encode() for event in (TillChanged, OperatorChanged, ApiClientChanged)
)

_WANTED_OF_REDEMPTIONS = frozenset(
    str(event.model_fields["type"].default).encode() for event in (RedemptionHeld, PointsGifted)
)


def wants_member(headers: Mapping[str, bytes]) -> bool:
    """Of members' events, fraud needs those of erasures, merges, identifiers and contacts. Without the header, decoding
    finds out."""
    kind = headers.get("type")
    return kind is None or kind in _WANTED_OF_MEMBERS


def wants_purchase(headers: Mapping[str, bytes]) -> bool:
    """Returns and voids earn nothing, and are skipped undecoded. A record without the header is decoded to find out."""
    kind = headers.get("type")
    return kind is None or kind in _WANTED_OF_PURCHASES


def wants_move(headers: Mapping[str, bytes]) -> bool:
    """Of points' events, fraud needs those of receipts that change their member. Without the header, decoding finds
    out."""
    return headers.get("type", _RECEIPT_MOVED) == _RECEIPT_MOVED


def wants_spending(headers: Mapping[str, bytes]) -> bool:
    """Of redemptions' events, fraud needs those of points that leave. Without the header, decoding finds out."""
    kind = headers.get("type")
    return kind is None or kind in _WANTED_OF_REDEMPTIONS


def wants_of_coalition(headers: Mapping[str, bytes]) -> bool:
    """Of coalition's events, fraud needs those of tills, operators and API clients. Without the header, decoding finds
    out."""
    kind = headers.get("type")
    return kind is None or kind in _WANTED_OF_COALITION


class _Keeping(RecordKeeping):
    async def is_erased(self, transaction: Transaction, member_id: UUID) -> bool:
        return await erasure.is_erased(transaction, member_id)


class PurchaseHandler(_Keeping):
    """Purchases become decisions: one transaction a batch, offsets committed after it."""

    def __init__(self, database: Database, rule_set: RuleSet, time_zone: tzinfo) -> None:
        super().__init__(database)
        self._rule_set = rule_set
        self._time_zone = time_zone

    async def handle(self, batch: Batch[PurchaseEvent]) -> None:
        """Score a batch. A receipt that another worker decided meanwhile is seen as decided by the next attempt."""
        purchases = [event for event in batch.events if is_scored(event)]

        async def work(transaction: Transaction) -> ScoreReport:
            report = await score_purchases(transaction, purchases, self._rule_set, self._time_zone)
            await read_to.save(transaction, batch.positions)
            return report

        for _ in range(DECIDED_ELSEWHERE_ATTEMPTS_MAX):
            try:
                return _count(await self._database.run(work))
            except DecidedElsewhereError:
                continue
            except ImplausibleReceiptError as error:
                raise PermanentError(str(error)) from error
        raise TransientError(f"other workers decided receipts of one batch {DECIDED_ELSEWHERE_ATTEMPTS_MAX} times")


def is_scored(event: PurchaseEvent) -> TypeGuard[PurchaseRecorded | ExchangeRecorded]:
    """Whether a document counts as a purchase: an exchange does where the member paid on top; goods for goods, or for
    less, are no purchase more, and no sign of anything.
    """
    if isinstance(event, ExchangeRecorded):
        return event.data.total_minor > 0
    return isinstance(event, PurchaseRecorded)


class PointsHandler(_Keeping):
    """Receipts that are moved to another member are followed."""

    def __init__(self, database: Database, rule_set: RuleSet) -> None:
        super().__init__(database)
        self._rule_set = rule_set

    async def handle(self, batch: Batch[PointsEvent]) -> None:
        """Follow a batch."""
        moves = [event for event in batch.events if isinstance(event, ReceiptMoved)]

        async def work(transaction: Transaction) -> Effects:
            effects = await follow_moves(transaction, moves, self._rule_set) if moves else Effects()
            await read_to.save(transaction, batch.positions)
            return effects

        try:
            effects = await self._database.run(work)
        except MalformedReceiptIdError as error:
            raise PermanentError(str(error)) from error
        metrics.RECEIPTS.labels("moved").inc(len(effects.decisions))
        _count_found(effects)


class RedemptionHandler(_Keeping):
    """What left while fraud did not answer is scored afterwards."""

    def __init__(self, database: Database, rule_set: SpendRuleSet) -> None:
        super().__init__(database)
        self._rule_set = rule_set

    async def handle(self, batch: Batch[RedemptionEvent]) -> None:
        """Score a batch. Most of it was asked about, and is left alone."""
        left = [event for event in batch.events if isinstance(event, RedemptionHeld | PointsGifted)]

        async def work(transaction: Transaction) -> list[StoredSpendDecision]:
            scored = await score_unasked(transaction, left, self._rule_set)
            await read_to.save(transaction, batch.positions)
            return scored

        for stored in await self._database.run(work):
            metrics.UNASKED.labels(stored.decision.verdict.value).inc()


class CoalitionHandler(_Keeping):
    """Tills, operators and API clients become facts."""

    async def handle(self, batch: Batch[CoalitionEvent]) -> None:
        """Project a batch."""
        changes = [event for event in batch.events if isinstance(event, TillChanged)]
        of_operators = [event for event in batch.events if isinstance(event, OperatorChanged)]

        async def work(transaction: Transaction) -> None:
            await project_clients(transaction, batch.events)
            await project_tills(transaction, changes)
            await project_operators(transaction, of_operators)
            await read_to.save(transaction, batch.positions)

        await self._database.run(work)


class MemberHandler(_Keeping):
    """Erased members are forgotten; two who are one are folded; when identifiers were linked, or an e-mail address
    became another one, is noted."""

    async def handle(self, batch: Batch[MemberEvent]) -> None:
        """Fold the members whose merge a batch tells, note its identifiers, then forget the erased ones."""
        merges = [event for event in batch.events if isinstance(event, MembersMerged)]
        changes = [event for event in batch.events if isinstance(event, Noted)]
        erasures = [event for event in batch.events if isinstance(event, MemberErased)]

        async def work(transaction: Transaction) -> None:
            if merges:
                await merge_members(transaction, merges)
            await note_identifiers(transaction, changes)
            if erasures:
                await erase_members(transaction, erasures)
            await read_to.save(transaction, batch.positions)

        await self._database.run(work)


def _count(report: ScoreReport) -> None:
    effects = report.effects
    for outcome, count in (
        ("decided", len(effects.decisions)),
        ("known", report.known),
        ("left_out", report.left_out),
    ):
        metrics.RECEIPTS.labels(outcome).inc(count)
    _count_found(effects)


def _count_found(effects: Effects) -> None:
    for signal in effects.signals:
        metrics.SIGNALS.labels(signal.rule_code).inc()
    for case in effects.cases:
        metrics.CASES_OPENED.labels(case.rule_code).inc()
    metrics.HOLDS.inc(len(effects.holds))
    metrics.DECISIONS_RAISED.inc(len(effects.raised))
