"""Says what a document that undoes a purchase would take back: the worker's decision, and the ledger's, foreseen."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.accrual.domain.award_parts import TakenPart
from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.decisions import Decision, Document, Exchanged, Facts, Original, UnlinkedReturn
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.line_by_line import LineTaken, decide_sale_only, take_line_by_line
from services.accrual.domain.unlinked_returns import judge_goods
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import awards, projections
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.claw_back_policy import PointsNotThereError, require_points
from services.accrual.use_cases.decide_documents import undecidable
from services.accrual.use_cases.load_earning import load_earning
from services.accrual.use_cases.load_exchanges import load_exchanges, owners_of_exchanges
from services.accrual.use_cases.load_facts import awarded_of, claimed_originals, complete_originals
from services.accrual.use_cases.load_handovers import Sales, load_sales, note_what_handovers_took
from services.accrual.use_cases.part_commands import PartsOfBatch
from services.accrual.use_cases.save_decisions import Moving, commands_of, lot_terms
from shared import ledger
from shared.database import Transaction
from shared.events.purchases import ExchangeRecorded, ReceiptVoided, ReturnRecorded
from shared.ledger import ClawBack, Posted


class Taken(NamedTuple):
    """What the ledger would answer about some of the points that are taken: about a part's, where there are parts."""

    part: TakenPart | None
    posted: Posted


class Previewed(NamedTuple):
    """What would be decided, and what the ledger would take.

    ``lines`` of a return say which take how much; None where they are too many. ``goods`` is what the goods of a return
    that names no purchase give by themselves, where that is what is taken. ``paid_ahead`` of the programme's own points
    is what those have again in which the goods of a receipt were paid ahead, of which the document is a void.
    """

    decision: Decision
    taken: tuple[Taken, ...] = ()
    lines: tuple[LineTaken, ...] | None = None
    goods: Evaluation | None = None
    paid_ahead: int = 0


async def preview_undoing(
    transaction: Transaction, document: Document, facts: Facts, rules: PublishedRules, programme: Programme
) -> Previewed:
    """What would be made of a return, an exchange or a void that came now. The transaction is a snapshot, and nothing
    is written.

    ``facts`` are without the purchase that it undoes. What came back of that before stands: so a document that was
    posted already is judged as if it came once more.
    """
    of_sale = rules.history.names_prepayments and isinstance(document.event, ReceiptVoided)
    originals, sales = await _originals(transaction, document, of_sale=of_sale)
    exchanges = isinstance(document.event, ExchangeRecorded)
    stored = await awards.read_awards(transaction, awarded_of(originals))
    if originals:
        await complete_originals(transaction, originals, stored, rules.history)
    untouched = facts._replace(originals=originals)
    if sales is not None:
        await note_what_handovers_took(transaction, sales, originals)
        untouched = untouched._replace(handovers=sales.of_prepayments)
    if exchanges:
        untouched = await _of_new_goods(transaction, document, untouched)
    *others, decision = await _decide(transaction, document, untouched, rules, programme)
    try:
        taken = await _foresee(transaction, [*others, decision], stored, programme)
    except PointsNotThereError as lacking:
        lacked = untouched._replace(not_there=lacking.keys)
        return Previewed((await _decide(transaction, document, lacked, rules, programme))[-1])
    with undecidable():
        return Previewed(
            decision,
            taken,
            take_line_by_line(document, decision, untouched),
            _goods(decision, facts),
            sum(one.given_back.points for one in others if isinstance(one, Exchanged) and one.given_back is not None),
        )


async def _originals(
    transaction: Transaction, document: Document, *, of_sale: bool
) -> tuple[dict[bytes, Original], Sales | None]:
    """The purchase that it names, if somebody has claimed it, and the one whose goods an exchange that it voids brought
    back, or the others of the same sale; of one who was merged away they are the survivor's.
    """
    found = await claimed_originals(transaction, [document], {})
    await load_exchanges(transaction, [document], found, {})
    sales = await load_sales(transaction, [document], found, {}) if of_sale else None
    owners = [original.owner_id for original in found.values() if original.owner_id is not None]
    survivors = await ledger.find_survivors(transaction, owners) if owners else {}
    for original in found.values():
        if original.owner_id is not None:
            original.owner_id = survivors.get(original.owner_id, original.owner_id)
    return found, sales


async def _of_new_goods(transaction: Transaction, document: Document, facts: Facts) -> Facts:
    """The same, knowing whose the new goods of an exchange are."""
    owners = {**facts.owners, **owners_of_exchanges([document], facts.owners, facts.originals)}
    unknown = set(owners.values()) - facts.members.keys()
    statuses = await projections.find_statuses(transaction, unknown) if unknown else {}
    return facts._replace(owners=owners, members={**facts.members, **statuses})


async def _decide(
    transaction: Transaction, document: Document, facts: Facts, rules: PublishedRules, programme: Programme
) -> list[Decision]:
    if isinstance(document.event, ExchangeRecorded):  # what it counts is read anew each time: deciding moves it
        earning, _ = await load_earning(
            transaction, [document], facts, rules.tiers.history, point_type=programme.point_type, is_preview=True
        )
        facts = facts._replace(earning=earning)
    with undecidable():
        return decide_sale_only(document, facts)


def _goods(decision: Decision, facts: Facts) -> Evaluation | None:
    if not isinstance(decision, UnlinkedReturn) or decision.outcome != "taken_back":
        return None
    event = decision.document.event
    if not isinstance(event, ReturnRecorded):
        return None
    categories = categories_at(facts.mappings.get(event.data.partner_id), event.data.occurred_at)
    return judge_goods(event.data, facts.rule_sets.version(decision.rule_set_version), categories)


async def _foresee(
    transaction: Transaction, decisions: Sequence[Decision], stored: Mapping[bytes, StoredAward], programme: Programme
) -> tuple[Taken, ...]:
    """What the ledger would answer to all of these, of which the last is the document's own."""
    today = transaction.now.astimezone(programme.zone).date()
    given = [one.given for one in decisions if isinstance(one, Exchanged) and one.given is not None]
    parts = PartsOfBatch(given, programme.point_type, today).beside(stored.values())
    terms = {one.document.natural_key: lot_terms(one, programme) for one in given}
    moving = Moving(terms, stored, parts, {}, programme)
    asked = [one for decision in decisions for one in commands_of(decision, moving)]
    own = decisions[-1].taken if isinstance(decisions[-1], Exchanged) else decisions[-1]
    outcomes = await ledger.foresee(transaction, [one.command for one in asked])
    require_points([one.decision.document.natural_key for one in asked], outcomes)
    return tuple(
        Taken(one.part if isinstance(one.part, TakenPart) else None, outcome)
        for one, outcome in zip(asked, outcomes, strict=True)
        if isinstance(outcome, Posted) and isinstance(one.command, ClawBack) and one.decision is own
    )
