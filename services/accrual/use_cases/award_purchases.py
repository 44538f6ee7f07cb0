"""Awards a batch of documents: claim, load facts, decide, save, all in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.accrual.domain.content_keys import ContentKeys
from services.accrual.domain.decisions import (
    Awarded,
    ClawedBack,
    Decision,
    Document,
    Exchanged,
    Facts,
    Parked,
    Refused,
    UnlinkedReturn,
)
from services.accrual.programme import KnownFunds, Programme, PublishedRules
from services.accrual.repository import claims, refusals
from services.accrual.repository.refusals import RefusalRow
from services.accrual.use_cases.correct_receipt import correct_receipt
from services.accrual.use_cases.count_for_tiers import count_for_tiers
from services.accrual.use_cases.decide_documents import decide_documents
from services.accrual.use_cases.load_earning import load_earning
from services.accrual.use_cases.load_facts import KnownTills, load_facts
from services.accrual.use_cases.load_handovers import save_handovers
from services.accrual.use_cases.messages import refusal_message
from services.accrual.use_cases.release_parked import release_waiting_returns
from services.accrual.use_cases.save_decisions import save_decisions
from services.accrual.use_cases.save_unlinked_returns import with_links
from shared import outbox
from shared.database import Transaction
from shared.events.purchases import ReceiptCorrected
from shared.ledger import HeldSince


@dataclass(slots=True)
class BatchReport:
    """What became of a batch, for the metrics."""

    awarded: int = 0
    points: int = 0
    clawed_back: int = 0
    corrected: int = 0
    unlinked: dict[str, int] = field(default_factory=dict)
    exchanged: int = 0
    duplicates: int = 0
    conflicts: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    released: int = 0

    def count(self, decision: Decision) -> None:
        """Add one decision."""
        match decision:
            case Awarded(evaluation=evaluation):
                self.awarded += 1
                self.points += evaluation.points
            case ClawedBack():
                self.clawed_back += 1
            case UnlinkedReturn(outcome=outcome):
                self.unlinked[outcome] = self.unlinked.get(outcome, 0) + 1
            case Exchanged(given=given):
                self.exchanged += 1
                self.points += given.evaluation.points if given is not None else 0
            case Refused(reason=reason):
                self.refused[reason] = self.refused.get(reason, 0) + 1
            case Parked(reason=reason):
                self.parked[reason] = self.parked.get(reason, 0) + 1


async def award_purchases(
    transaction: Transaction,
    documents: Sequence[Document],
    programme: Programme,
    rules: PublishedRules,
    known_tills: KnownTills,
    known_funds: KnownFunds,
    held_since: HeldSince,
    meet_first: frozenset[str] = frozenset(),
    not_there: frozenset[bytes] = frozenset(),
) -> BatchReport:
    """Award purchases and take back for returns inside the caller's transaction.

    Idempotent: a document that was awarded or refused before changes nothing, whatever batch it comes in. Documents of
    one member are decided in the given order, each seeing the effect of those before it; members stay locked, in key
    order, to the commit. The number of round trips does not depend on the size of the batch. A correction comes alone.

    Raises:
        MeetingRowsNeededError: a fact turned out to be missing after the members were locked. Roll back, and call
            again with its keys in ``meet_first``.
        BalanceMovedError: a capped balance has risen since it was read. Roll back, and call again.
        PointsNotThereError: rules let nobody owe what some documents take back, and it is not there. Roll back, and
            call again with their keys in ``not_there``.
    """
    report = BatchReport()
    first, repeated = _first_of_each_key(documents)
    claimed = await _claim(transaction, first)
    fresh = [document for document in first if document.natural_key in claimed]
    settled = [document for document in first if document.natural_key not in claimed] + repeated
    if repeated and (late := await _claim_behind_others(transaction, repeated, claimed)):
        decided = {id(document) for document in (*fresh, *late)}
        fresh = [document for document in documents if id(document) in decided]
        settled = [document for document in documents if id(document) not in decided]
    if settled:
        await _account_for_settled(transaction, settled, programme.content_keys, report)
    if not fresh:
        return report
    fresh = await with_links(transaction, fresh)
    facts = await load_facts(
        transaction, fresh, rules, known_tills, known_funds, meet_first, programme.parked_window, programme.zone
    )
    facts = facts._replace(retro_window=programme.retro_window)
    if type(event := fresh[0].event) is ReceiptCorrected:
        facts = facts._replace(not_there=not_there)
        return await _correct(transaction, fresh[0], event, facts, programme, rules, held_since, report)
    tiers = rules.tiers.history
    earning, told = await load_earning(transaction, fresh, facts, tiers, point_type=programme.point_type)
    facts = facts._replace(earning=earning, not_there=not_there)
    decisions = await decide_documents(transaction, fresh, facts)
    if not tiers.is_empty:
        told += await count_for_tiers(transaction, decisions, facts, tiers)
    if facts.handovers is not None:
        await save_handovers(transaction, decisions)
    await save_decisions(transaction, decisions, programme, held_since, told)
    for decision in decisions if facts.handovers is None else _of(fresh, decisions):
        report.count(decision)
    report.released = await release_waiting_returns(transaction, decisions)
    return report


async def _correct(
    transaction: Transaction,
    document: Document,
    event: ReceiptCorrected,
    facts: Facts,
    programme: Programme,
    rules: PublishedRules,
    held_since: HeldSince,
    report: BatchReport,
) -> BatchReport:
    stopped = await correct_receipt(transaction, document, event, facts, programme, rules, held_since)
    if stopped is None:
        report.corrected += 1
        return report
    report.count(stopped)
    report.released = await release_waiting_returns(transaction, [stopped])
    return report


def _of(documents: Sequence[Document], decisions: Sequence[Decision]) -> list[Decision]:
    """What became of these documents, without what of other receipts of the same sale went along."""
    own = {document.natural_key for document in documents}
    return [decision for decision in decisions if decision.document.natural_key in own]


def _first_of_each_key(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """Each key is claimed once, by the first document that bears it; the others are held against it."""
    first: dict[bytes, Document] = {}
    repeated = [document for document in documents if first.setdefault(document.natural_key, document) is not document]
    return list(first.values()), repeated


async def _claim(transaction: Transaction, documents: Sequence[Document]) -> set[bytes]:
    """Claim the documents, and name the purchases that returns among them undo, in one statement and one key order.

    The keys that are this transaction's to decide come back.
    """
    own = {document.natural_key for document in documents}
    named = {key for document in documents if (key := document.original_key) is not None}
    named |= {key for document in documents if document.prepaid_keys for key in document.prepaid_keys}
    named -= own
    wanted: list[tuple[bytes, Document | None]] = [(document.natural_key, document) for document in documents]
    wanted += [(key, None) for key in named]
    return await claims.claim(
        transaction,
        [key for key, _ in wanted],
        [document.content_hash if document is not None else None for _, document in wanted],
        [document.event.data.member_id if document is not None else None for _, document in wanted],
    )


async def _claim_behind_others(
    transaction: Transaction, repeated: Sequence[Document], claimed: set[bytes]
) -> list[Document]:
    """Those of the repeated documents that their claims wait for, though other contents of the same key came first.

    What waited and was let go comes back once: if it were held for a duplicate, nobody would ever decide it.
    """
    known = await claims.read(transaction, {each.natural_key for each in repeated} - claimed)
    waited_for: dict[bytes, Document] = {}
    for document in repeated:
        claim = known.get(document.natural_key)
        if claim is not None and claim.state == "parked" and claim.content_hash == document.content_hash:
            waited_for.setdefault(document.natural_key, document)
    taken = await _claim(transaction, list(waited_for.values())) if waited_for else set()
    return [document for key, document in waited_for.items() if key in taken]


async def _account_for_settled(
    transaction: Transaction, documents: Sequence[Document], keys: ContentKeys, report: BatchReport
) -> None:
    """Documents whose key was claimed before: the same contents are a duplicate, others a conflict to be refused.

    A conflict is kept with its document, so that the partner can see both, and told once however often it comes. A
    refused document that comes again under another version's hash is told of under that hash too: whoever compares
    hashes without their keys (redemption, for what it paid) knows it by no other.
    """
    known = await claims.read(transaction, {document.natural_key for document in documents})
    conflicting: dict[tuple[bytes, bytes], Document] = {}
    refused_again: dict[tuple[bytes, bytes], Document] = {}
    for document in documents:
        claim = known[document.natural_key]
        stored = claim.content_hash
        if stored is not None and keys.are_alike(stored, document.content_hash):
            report.duplicates += 1
            if claim.state == "refused" and stored != document.content_hash:
                refused_again[document.natural_key, document.content_hash] = document
        else:
            report.conflicts += 1
            conflicting[document.natural_key, document.content_hash] = document
    if refused_again:
        words = "refused_before", "this document was refused when it came before"
        told = [refusal_message(transaction, document, None, *words) for document in refused_again.values()]
        await outbox.record(transaction, told)
    if not conflicting:
        return
    reason, detail = "content_conflict", "another document with this key was posted before, with other contents"
    saved = await refusals.save(
        transaction,
        [
            RefusalRow(key, content_hash, reason, detail, document.body, document.event.data.member_id)
            for (key, content_hash), document in conflicting.items()
        ],
    )
    await outbox.record(
        transaction,
        [refusal_message(transaction, conflicting[refused], None, reason, detail) for refused in sorted(saved)],
    )
