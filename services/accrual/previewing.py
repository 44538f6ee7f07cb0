"""Previews: what the door and the worker would make of a document, with no effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from services.accrual.domain.asked_returns import LineAsked
from services.accrual.domain.decisions import Document
from services.accrual.domain.partner_standing import standing_at, why_not_taken
from services.accrual.door import PartnerNotOpenError
from services.accrual.programme import Programme, PublishedRules
from services.accrual.schemas.documents import ReceiptBody
from services.accrual.use_cases.document_event import to_event
from services.accrual.use_cases.load_facts import KnownTills
from services.accrual.use_cases.look_from_till import look_from_till
from services.accrual.use_cases.preview_receipt import preview_receipt
from services.accrual.use_cases.preview_return import ComesBack, PreviewedReturn, preview_return
from services.accrual.use_cases.preview_undoing import Previewed
from services.accrual.use_cases.read_document import InvalidDocumentError, Issuer, Reading, identify, judge
from shared.database import Database, Transaction
from shared.faults import Fault


@dataclass(frozen=True, slots=True)
class Previews:
    """One a process. Nothing that it does writes, waits for a lock, or leaves the process."""

    database: Database
    programme: Programme
    reading: Reading
    rules: PublishedRules
    known_tills: KnownTills

    async def preview(self, body: ReceiptBody, issuer: Issuer, *, has_key: bool = True) -> Previewed:
        """What would be decided on the document if it were posted now. Without a key it is no receipt yet, and its
        till's scheme of keys does not matter.

        Raises:
            InvalidDocumentError: the door would refuse it; each fault points at a field.
            PartnerNotOpenError: its partner posts no receipts.
        """
        submission = identify(body, issuer, self.reading)
        if body.type == "correction":
            raise InvalidDocumentError([Fault("/type", "a correction is not previewed: preview it as a purchase")])

        async def work(transaction: Transaction) -> Previewed:
            till = submission.partner_id, submission.store_id, submission.till_id
            seen = await look_from_till(
                transaction,
                till,
                submission.member_id,
                submission.identifier_hashes,
                self.rules.mappings,
                self.known_tills,
            )
            scheme = seen.scheme if has_key else None
            judge(submission, seen.tolerance, scheme, self.programme, transaction.now)
            reason = why_not_taken(standing_at(seen.standings, body.occurred_at))
            if reason is not None:
                raise PartnerNotOpenError(reason)
            event = to_event(submission, submission.member_id, transaction.now, self.reading.keys.present)
            return await preview_receipt(transaction, Document.of(event, b""), seen, self.rules, self.programme)

        # A snapshot costs a fifth of a millisecond, and only the ledger's answer needs one.
        return await (self.database.look(work) if body.type == "purchase" else self.database.read(work))

    async def preview_return(
        self, original_key: bytes, asked: Sequence[LineAsked], comes_back: Sequence[ComesBack]
    ) -> PreviewedReturn:
        """What a return of these lines of a receipt would take, if it came now and gave ``comes_back``."""
        work = partial(
            preview_return,
            original_key=original_key,
            asked=asked,
            comes_back=comes_back,
            rules=self.rules,
            programme=self.programme,
            known_tills=self.known_tills,
        )
        return await self.database.read(work)
