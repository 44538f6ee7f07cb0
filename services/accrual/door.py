"""The POS door: takes documents in, makes them safe in Kafka, and says what became of them.

A receipt is safe once every in-sync replica has it; only then does the door say so. It decides nothing about points:
the consumer has the last word, also on whose card it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from services.accrual.domain.partner_standing import Reason, Standing, standing_at, why_not_taken
from services.accrual.metrics import TOLERATED_SUMS
from services.accrual.programme import Programme
from services.accrual.repository import outcomes, partner_standings, places, projections
from services.accrual.repository.outcomes import ReceiptOutcome
from services.accrual.repository.places import Till, Tolerance
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_event import to_event
from services.accrual.use_cases.messages import purchase_message
from services.accrual.use_cases.read_document import (
    InvalidDocumentError,
    Issuer,
    Reading,
    Submission,
    identify,
    judge,
)
from services.accrual.waiting import OutcomeWaiter
from shared.clock import BusinessClock
from shared.database import Database, Transaction
from shared.kafka.producer import EventProducer, OutgoingRecord

# A till's patience: after this it is told to post again, which is always safe.
ACCEPT_SECONDS_MAX = 2.0


class ConflictingDocumentError(Exception):
    """A document with this key and other contents was taken before."""


class PartnerNotOpenError(Exception):
    """The partner posts no receipts: it had not begun when this one occurred, or had left."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(
            "when this receipt occurred its partner had left the coalition: nothing was recorded"
            if reason == "partner_left"
            else "its partner is still preparing: ask the programme to declare it testing, then post again"
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that is safe. ``outcome`` is there where it had been decided before, or was waited for."""

    receipt_id: str
    natural_key: bytes
    outcome: ReceiptOutcome | None


Result: TypeAlias = Taken | InvalidDocumentError | ConflictingDocumentError | PartnerNotOpenError


@dataclass(frozen=True, slots=True)
class _Known:
    """What the projections say about the documents of one call."""

    outcomes: dict[bytes, ReceiptOutcome]
    members: dict[str, UUID]
    schemes: dict[Till, str]
    tolerances: dict[str, Tolerance]
    partners: Mapping[str, Sequence[Standing]]


@dataclass(frozen=True, slots=True)
class Door:
    """One a process."""

    database: Database
    producer: EventProducer
    clock: BusinessClock
    waiter: OutcomeWaiter
    programme: Programme
    reading: Reading

    async def accept(self, bodies: Sequence[ReceiptBody], issuer: Issuer) -> list[Result]:
        """Take documents in, one result each, in their order; a faulty one harms no other.

        A document that was decided before is not sent again: its outcome is the answer.

        Raises:
            ProducerUnavailableError: Kafka did not acknowledge in time. Nothing or all may be recorded: post again.
        """
        identified = [self._identify(body, issuer) for body in bodies]
        submissions = [found for found in identified if isinstance(found, Submission)]
        known = await self.database.run(lambda transaction: _load_known(transaction, submissions))
        records: list[OutgoingRecord] = []
        results = [
            self._admit(found, known, records) if isinstance(found, Submission) else found for found in identified
        ]
        if records:
            await self.producer.send_all(records, deadline_seconds=ACCEPT_SECONDS_MAX)
        return results

    async def wait(self, taken: Taken, wait_seconds: float) -> Taken:
        """Wait until the receipt is decided; as it was where the time is over first."""
        if taken.outcome is not None or wait_seconds <= 0:
            return taken
        return Taken(taken.receipt_id, taken.natural_key, await self.waiter.wait(taken.natural_key, wait_seconds))

    def _identify(self, body: ReceiptBody, issuer: Issuer) -> Submission | InvalidDocumentError:
        try:
            return identify(body, issuer, self.reading)
        except InvalidDocumentError as error:
            return error

    def _admit(self, submission: Submission, known: _Known, records: list[OutgoingRecord]) -> Result:
        decided = known.outcomes.get(submission.natural_key)
        if decided is not None and not self._has_the_contents(submission, decided):
            return ConflictingDocumentError(
                f"the receipt {submission.receipt_id} was posted before with other contents: give this document a key"
                " of its own, or post the first one again"
            )
        till = Till(submission.partner_id, submission.store_id, submission.till_id)
        now = self.clock.now()
        try:
            tolerance = known.tolerances.get(submission.partner_id, Tolerance())
            tolerated = judge(submission, tolerance, known.schemes.get(till), self.programme, now)
        except InvalidDocumentError as error:
            return error
        if tolerated:
            TOLERATED_SUMS.inc(tolerated)
        if decided is not None and decided.state in ("awarded", "refused"):
            return Taken(submission.receipt_id, submission.natural_key, decided)
        standing = standing_at(known.partners.get(submission.partner_id, ()), submission.body.occurred_at)
        reason = why_not_taken(standing)
        if reason is not None:
            return PartnerNotOpenError(reason)
        # The registry may have told of the identifier under one key or the other.
        owners = [known.members[each] for each in submission.identifier_hashes if each in known.members]
        member_id = submission.member_id or next(iter(owners), None)
        event = to_event(submission, member_id, now, self.reading.keys.present)
        message = purchase_message(event)
        records.append(OutgoingRecord(message.topic, message.key.encode(), message.body, message.headers))
        return Taken(submission.receipt_id, submission.natural_key, None)

    def _has_the_contents(self, submission: Submission, decided: ReceiptOutcome) -> bool:
        """Whether it is the document that was decided, posted again."""
        return self.programme.content_keys.are_alike(decided.content_hash, bytes.fromhex(submission.content_hash))


async def _load_known(transaction: Transaction, submissions: Sequence[Submission]) -> _Known:
    hashes = {each for found in submissions for each in found.identifier_hashes}
    tills = {Till(found.partner_id, found.store_id, found.till_id) for found in submissions}
    partner_ids = {found.partner_id for found in submissions}
    return _Known(
        outcomes=await outcomes.load_outcomes(transaction, {found.natural_key for found in submissions}),
        members=await projections.find_members(transaction, hashes) if hashes else {},
        schemes=await places.find_schemes(transaction, tills),
        tolerances=await places.find_tolerances(transaction, partner_ids),
        partners=await partner_standings.load(transaction, partner_ids),
    )
