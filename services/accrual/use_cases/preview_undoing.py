"""Says what a document that undoes a purchase would take back: the worker's decision, and the ledger's, foreseen."""

from collections.abc import Mapping
from typing import NamedTuple

from services.accrual.domain.award_parts import TakenPart
from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.decisions import Decision, Document, Facts, Original, UnlinkedReturn
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.line_by_line import LineTaken, decide_only, take_line_by_line
from services.accrual.domain.unlinked_returns import judge_goods
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import awards
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.claw_back_policy import PointsNotThereError, require_points
from services.accrual.use_cases.decide_documents import undecidable
from services.accrual.use_cases.load_facts import awarded_of, claimed_originals, complete_originals
from services.accrual.use_cases.part_commands import PartsOfBatch
from services.accrual.use_cases.save_decisions import Moving, commands_of
from shared import ledger
from shared.database import Transaction
from shared.events.purchases import ReturnRecorded
from shared.ledger import Posted


class Taken(NamedTuple):
    """What the ledger would answer about some of the points that are taken: about a part's, where there are parts."""

    part: TakenPart | None
    posted: Posted


class Previewed(NamedTuple):
    """What would be decided, and what the ledger would take.

    ``lines`` of a return say which take how much; None where they are too many. ``goods`` is what the goods of a return
    that names no purchase give by themselves, where that is what is taken.
    """

    decision: Decision
    taken: tuple[Taken, ...] = ()
    lines: tuple[LineTaken, ...] | None = None
    goods: Evaluation | None = None


async def preview_undoing(
    transaction: Transaction, document: Document, facts: Facts, rules: PublishedRules, programme: Programme
) -> Previewed:
    """What would be made of a return or a void that came now. The transaction is a snapshot, and nothing is written.

    ``facts`` are without the purchase that it undoes. What came back of that before stands: so a document that was
    posted already is judged as if it came once more.
    """
    originals = await _originals(transaction, document)
    stored = await awards.read_awards(transaction, awarded_of(originals))
    if originals:
        await complete_originals(transaction, originals, stored, rules.history)
    untouched = facts._replace(originals=originals)
    decision = _decide(document, untouched)
    try:
        taken = await _foresee(transaction, decision, stored, programme)
    except PointsNotThereError as lacking:
        return Previewed(_decide(document, untouched._replace(not_there=lacking.keys)))
    with undecidable():
        return Previewed(decision, taken, take_line_by_line(document, decision, untouched), _goods(decision, facts))


async def _originals(transaction: Transaction, document: Document) -> dict[bytes, Original]:
    """The purchase that it names, if somebody has claimed it; of one who was merged away it is the survivor's."""
    found = await claimed_originals(transaction, [document], {})
    owners = [original.owner_id for original in found.values() if original.owner_id is not None]
    survivors = await ledger.find_survivors(transaction, owners) if owners else {}
    for original in found.values():
        if original.owner_id is not None:
            original.owner_id = survivors.get(original.owner_id, original.owner_id)
    return found


def _decide(document: Document, facts: Facts) -> Decision:
    with undecidable():
        return decide_only(document, facts)


def _goods(decision: Decision, facts: Facts) -> Evaluation | None:
    if not isinstance(decision, UnlinkedReturn) or decision.outcome != "taken_back":
        return None
    event = decision.document.event
    if not isinstance(event, ReturnRecorded):
        return None
    categories = categories_at(facts.mappings.get(event.data.partner_id), event.data.occurred_at)
    return judge_goods(event.data, facts.rule_sets.version(decision.rule_set_version), categories)


async def _foresee(
    transaction: Transaction, decision: Decision, stored: Mapping[bytes, StoredAward], programme: Programme
) -> tuple[Taken, ...]:
    today = transaction.now.astimezone(programme.zone).date()
    parts = PartsOfBatch((), programme.point_type, today).beside(stored.values())
    asked = commands_of(decision, Moving({}, stored, parts, {}, programme))
    outcomes = await ledger.foresee(transaction, [one.command for one in asked])
    require_points([one.decision for one in asked], outcomes)
    return tuple(
        Taken(one.part if isinstance(one.part, TakenPart) else None, outcome)
        for one, outcome in zip(asked, outcomes, strict=True)
        if isinstance(outcome, Posted)
    )
