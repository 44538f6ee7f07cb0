"""Topic to use case. Each handler owns its transaction; the runtime owns the offsets."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from services.accrual import metrics
from services.accrual.domain.decisions import Document
from services.accrual.domain.runs import in_runs
from services.accrual.programme import KnownFunds, Programme, PublishedRules
from services.accrual.repository import claims, projections
from services.accrual.use_cases.apply_fraud_holds import apply_fraud_holds, hold_of
from services.accrual.use_cases.award_purchases import BatchReport, award_purchases
from services.accrual.use_cases.balance_caps import BalanceMovedError
from services.accrual.use_cases.celebrate_members import take_in_enrolments
from services.accrual.use_cases.claw_back_policy import ATTEMPTS_MAX, PointsNotThereError
from services.accrual.use_cases.load_facts import KnownTills, MeetingRowsNeededError
from services.accrual.use_cases.project_coalition import project_coalition
from services.accrual.use_cases.project_members import one_merge_each, project_members
from shared.database import Database, Transaction, read_to
from shared.events.coalition import CoalitionEvent
from shared.events.envelope import Event
from shared.events.fraud import ClaimCleared, FraudEvent, PointsHoldReleased, PointsHoldRequested
from shared.events.goods import PriceFloorChanged
from shared.events.members import MemberEvent
from shared.events.purchases import DOCUMENT_EVENTS, PurchaseEvent
from shared.kafka.batch_size import BatchSize
from shared.kafka.errors import PermanentError
from shared.kafka.records import Batch, DeadLetter, ReadPosition, Record
from shared.ledger import HeldSince, TooManyCommandsError
from shared.receipt_key import MalformedReceiptIdError
from shared.runtime.record_keeping import RecordKeeping
from shared.web.known_clients import project_clients

MEETING_ATTEMPTS_MAX = 3

_PRICE_FLOOR: bytes = PriceFloorChanged.model_fields["type"].default.encode()


def wants_of_coalition(headers: Mapping[str, bytes]) -> bool:
    """Price floors are nothing to earning, and a catalogue may have many: they are skipped undecoded."""
    return headers.get("type") != _PRICE_FLOOR


class _Keeping(RecordKeeping):
    async def is_erased(self, transaction: Transaction, member_id: UUID) -> bool:
        return await projections.is_erased(transaction, member_id)


class PurchaseHandler(_Keeping):
    """Purchases become awards: one transaction a batch, offsets committed after it."""

    def __init__(
        self,
        database: Database,
        programme: Programme,
        rules: PublishedRules,
        known_funds: KnownFunds,
        batch_size: BatchSize,
    ) -> None:
        super().__init__(database)
        self._programme = programme
        self._rules = rules
        self._known_tills = KnownTills()
        self._known_funds = known_funds
        self._batch_size = batch_size

    async def handle(self, batch: Batch[PurchaseEvent]) -> None:
        """Award a batch. Where a fact turned out to be missing under a lock, once more with its row locked first.

        Some rules ask for more than one transaction (``in_runs``); the positions are written with the last.
        """
        runs = in_runs([_document(record) for record in batch.records], self._rules.history)
        for run in runs:
            await self._award_run(run, batch.positions if run is runs[-1] else ())

    async def _award_run(self, documents: Sequence[Document], positions: Sequence[ReadPosition]) -> None:
        meet_first: frozenset[str] = frozenset()
        not_there: frozenset[bytes] = frozenset()
        for _ in range(MEETING_ATTEMPTS_MAX + ATTEMPTS_MAX):
            try:
                return await self._award(documents, positions, meet_first, not_there)
            except MeetingRowsNeededError as needed:
                meet_first = needed.keys
            except PointsNotThereError as lacking:
                not_there |= lacking.keys
        raise RuntimeError(f"a batch was begun again {MEETING_ATTEMPTS_MAX + ATTEMPTS_MAX} times")

    async def _award(
        self,
        documents: Sequence[Document],
        positions: Sequence[ReadPosition],
        meet_first: frozenset[str],
        not_there: frozenset[bytes] = frozenset(),
    ) -> None:
        held_since = HeldSince()

        async def work(transaction: Transaction) -> BatchReport:
            await read_to.save(transaction, positions)  # first: what comes last prolongs the hold on ledger rows
            return await award_purchases(
                transaction,
                documents,
                self._programme,
                self._rules,
                self._known_tills,
                self._known_funds,
                held_since,
                meet_first,
                not_there,
            )

        try:
            report = await self._database.run(work)
        except TooManyCommandsError as error:  # what marketplaces split: halves of the batch ask for less
            raise PermanentError(str(error)) from error
        except BalanceMovedError as error:
            if len(documents) == 1:
                raise
            raise PermanentError("a capped balance moves all the time: halves of the batch") from error
        held_seconds = held_since.seconds()
        metrics.LEDGER_HELD_SECONDS.observe(held_seconds)
        self._batch_size.observe(held_seconds)
        _count(report)

    async def dead_lettered(self, letter: DeadLetter[Event]) -> None:
        """A receipt that nobody could decide: its claim says so, and a replay decides it."""
        async with self._database.transaction() as transaction:
            if isinstance(letter.event, DOCUMENT_EVENTS):
                with suppress(MalformedReceiptIdError):  # it names no receipt: there is no claim to mark
                    document = Document.of(letter.event, letter.body)
                    owner_id = letter.event.data.member_id
                    await claims.fail(transaction, document.natural_key, document.content_hash, owner_id)
            await self.keep(transaction, letter)


class MemberHandler(_Keeping):
    """Members and identifiers become facts, let parked receipts go, and are welcomed."""

    def __init__(self, database: Database, programme: Programme, rules: PublishedRules) -> None:
        super().__init__(database)
        self._programme = programme
        self._rules = rules

    async def handle(self, batch: Batch[MemberEvent]) -> None:
        """Project a batch, with a transaction for each merge; the positions are written with the last."""
        for events in one_merge_each(batch.events):
            metrics.RELEASED.inc(await self._database.run(partial(self._project, batch, events)))

    async def _project(self, batch: Batch[MemberEvent], events: Sequence[MemberEvent], transaction: Transaction) -> int:
        released = await project_members(transaction, events)
        enrolled = await take_in_enrolments(transaction, events, self._programme, self._rules)
        metrics.MEMBER_EVENTS.inc(enrolled)
        if not events or events[-1] is batch.events[-1]:
            await read_to.save(transaction, batch.positions)
        return released


class CoalitionHandler(_Keeping):
    """Partners, stores, tills, contracts and API clients become facts, and let parked receipts go."""

    async def handle(self, batch: Batch[CoalitionEvent]) -> None:
        """Project a batch."""

        async def work(transaction: Transaction) -> int:
            await project_clients(transaction, batch.events)
            released = await project_coalition(transaction, batch.events)
            await read_to.save(transaction, batch.positions)
            return released

        metrics.RELEASED.inc(await self._database.run(work))


class FraudHandler(_Keeping):
    """Fraud's holds and releases move awarded points."""

    async def handle(self, batch: Batch[FraudEvent]) -> None:
        """Apply a batch of decisions; signals and cases concern others."""
        decided = PointsHoldRequested | PointsHoldReleased | ClaimCleared
        decisions = [hold_of(event) for event in batch.events if isinstance(event, decided)]

        async def work(transaction: Transaction) -> int:
            news = await apply_fraud_holds(transaction, decisions) if decisions else 0
            await read_to.save(transaction, batch.positions)
            return news

        metrics.FRAUD_DECISIONS.inc(await self._database.run(work))


def _document(record: Record[PurchaseEvent]) -> Document:
    try:
        return Document.of(record.event, record.body)
    except MalformedReceiptIdError as error:
        raise PermanentError(f"the event names no receipt: {error}") from error


def _count(report: BatchReport) -> None:
    for outcome, count in (
        ("awarded", report.awarded),
        ("clawed_back", report.clawed_back),
        ("corrected", report.corrected),
        ("exchanged", report.exchanged),
        ("duplicate", report.duplicates),
        ("conflict", report.conflicts),
    ):
        if count:
            metrics.RECEIPTS.labels(outcome, "").inc(count)
    for outcome, reasons in (
        ("unlinked_return", report.unlinked),
        ("refused", report.refused),
        ("parked", report.parked),
    ):
        for reason, count in reasons.items():
            metrics.RECEIPTS.labels(outcome, reason).inc(count)
    metrics.POINTS_AWARDED.inc(report.points)
    metrics.RELEASED.inc(report.released)
