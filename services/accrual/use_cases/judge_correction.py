"""Loads all that a correction is judged by, taking locks in the one order, and judges what its receipt should earn."""

from typing import NamedTuple

from services.accrual.domain.award_parts import PartKey, earned_parts
from services.accrual.domain.awarding_anew import FrozenAward
from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.correcting import JudgedAnew, PartNow, PartThen, count_difference, judge_anew, parts_then
from services.accrual.domain.corrections import (
    HANDOVER_STANDS,
    PREPAYMENT_SETTLED,
    InForce,
    corrected,
    paid_ahead,
    takes_its_handover_back,
    why_not_corrected,
)
from services.accrual.domain.decisions import POINTS_MAX, Document, Facts, Parked, Refused
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.partner_funds import rule_on
from services.accrual.domain.standing import STANDINGS, EarnsNothing, Waits
from services.accrual.domain.undoing import Undoable, find_undoable
from services.accrual.programme import Programme, PublishedRules
from services.accrual.repository import awards, corrections, handovers
from services.accrual.repository.awards import StoredAward
from services.accrual.use_cases.decide_documents import lock_budgets, undecidable
from services.accrual.use_cases.load_frozen_earning import load_frozen_earning
from services.accrual.use_cases.part_commands import known_parts
from shared.database import Transaction
from shared.events.members import MemberStatus
from shared.events.purchases import CorrectionData, PurchaseData, PurchaseRecorded, ReceiptCorrected
from shared.outbox import Message


class CorrectionJudged(NamedTuple):
    """A correction that takes effect: the award as it stands, the purchase as it should have been, and what that earns.

    ``parts`` is one where the award is one lot and stays so; ``is_in_parts`` where it has several, or gets them.
    ``told`` are tiers that time has changed.
    """

    award: StoredAward
    frozen: FrozenAward
    purchase: PurchaseData
    event: PurchaseRecorded
    anew: JudgedAnew
    parts: list[PartThen]
    is_in_parts: bool
    earning: EarningOfBatch | None
    told: list[Message]


class CorrectionStopped(NamedTuple):
    """A correction of which nothing comes, or that waits."""

    decision: Parked | Refused
    told: list[Message]


async def judge_correction(
    transaction: Transaction,
    document: Document,
    event: ReceiptCorrected,
    facts: Facts,
    programme: Programme,
    rules: PublishedRules,
) -> CorrectionJudged | CorrectionStopped:
    """What a correction comes to, of which this transaction holds the claim, its receipt's, and its member.

    Raises:
        UndecidableError: the rules cannot be applied.
    """
    found = find_undoable(document, document.original_key, facts)
    if not isinstance(found, Undoable):
        return CorrectionStopped(found, [])
    key = found.key
    first = (await corrections.load_first(transaction, [key])).get(key)
    if first is None:
        words = "original_is_no_purchase", "what it corrects is no purchase"
        return CorrectionStopped(Refused(document, found.owner_id, *words), [])
    stopped = _why_not(document, event.data, found, first.data, facts)
    if stopped is None:
        stopped = _why_overruled(document, found, await corrections.find_in_force(transaction, key))
    if stopped is None and await _is_settled(transaction, event.data, found, facts):
        stopped = Refused(document, found.owner_id, *PREPAYMENT_SETTLED)
    if stopped is not None:
        return CorrectionStopped(stopped, [])
    return await _judge(transaction, document, found, first, facts, programme, rules)


def _why_not(
    document: Document, data: CorrectionData, found: Undoable, first: PurchaseData, facts: Facts
) -> Parked | Refused | None:
    owner_id = found.owner_id
    if document.natural_key in facts.not_there:
        detail = "what it would take back is not there any more, and by these rules nobody owes it: the points stay"
        return Refused(document, owner_id, "points_spent", detail)
    shown = facts.owners.get(document.natural_key)
    if shown is None and data.identifier_hash is not None:
        return Parked(document, "identifier", "unknown_identifier")
    # Whom the receipt was taken from since is still who was shown with it.
    if shown is not None and shown not in (owner_id, first.member_id):
        detail = "the receipt it corrects is another member's: a receipt of the wrong card is moved, and not corrected"
        return Refused(document, owner_id, "other_member", detail)
    refusal = why_not_corrected(first, data, found.original.returned_thousandths)
    if refusal is None and facts.rule_sets.names_prepayments and takes_its_handover_back(found.purchase, data.lines):
        refusal = HANDOVER_STANDS
    return None if refusal is None else Refused(document, owner_id, *refusal)


def _why_overruled(document: Document, found: Undoable, in_force: InForce | None) -> Refused | None:
    if in_force is None or InForce(document.event.data.occurred_at, document.natural_key) > in_force:
        return None
    detail = "a correction of the same receipt that was made later had come before: that one stands"
    return Refused(document, found.owner_id, "corrected_later", detail)


async def _is_settled(transaction: Transaction, data: CorrectionData, found: Undoable, facts: Facts) -> bool:
    """Whether it says otherwise what was paid ahead, and that was handed over: what it took, or found nothing to take
    of, would be given here again.
    """
    if not facts.rule_sets.names_prepayments or paid_ahead(found.purchase.lines) == paid_ahead(data.lines):
        return False
    return await handovers.is_handed_over(transaction, found.key)


async def _judge(
    transaction: Transaction,
    document: Document,
    found: Undoable,
    first: PurchaseRecorded,
    facts: Facts,
    programme: Programme,
    rules: PublishedRules,
) -> CorrectionJudged | CorrectionStopped:
    key, original, owner_id, as_it_stands = found
    award = (await awards.lock_awards(transaction, [key]))[key]
    partner_id = as_it_stands.partner_id
    mappings = await rules.mappings.refresh(transaction, [partner_id])
    frozen = FrozenAward(
        natural_key=key,
        owner_id=owner_id,
        purchase=as_it_stands,
        rule_set=rules.history.version(award.rule_set_version),
        categories=categories_at(mappings.get(partner_id), as_it_stands.occurred_at, award.mapping_version),
        facts=original.facts,
        returned_thousandths=original.returned_thousandths,
        earned_on=award.terms.available_from,
    )
    event = document.event
    if not isinstance(event, ReceiptCorrected):
        raise TypeError("a correction is what corrects a receipt")
    purchase = corrected(first.data, event.data)
    sold = first.model_copy(update={"data": purchase})
    earning, told = await load_frozen_earning(
        transaction, frozen, Document.of(sold, document.body), owner_id, programme, rules
    )
    anew = _anew(frozen, purchase, earning)
    if earning is not None and earning.budgets_taken:
        fresh = await lock_budgets(transaction, earning)
        if fresh is not None:
            earning = fresh
            anew = _anew(frozen, purchase, earning)
    with undecidable():
        parts = parts_then(_parts_now(award), anew, frozen)
        is_in_parts = bool(award.parts or earned_parts(anew.whole, frozen.earned_on))
    if not is_in_parts:  # of one lot no more is left than was given
        parts = [part._replace(left=min(part.left, anew.whole.points)) for part in parts]
    if max((anew.whole.points, *(part.left for part in parts))) > POINTS_MAX:
        words = "implausible_points", f"it would earn more than {POINTS_MAX} points"
        return CorrectionStopped(Refused(document, owner_id, *words), told)
    if any(part.change > 0 for part in parts):
        stopped = _why_gives_nothing(document, found, facts)
        if stopped is not None:
            return CorrectionStopped(stopped, told)
    return CorrectionJudged(award, frozen, purchase, sold, anew, parts, is_in_parts, earning, told)


def _anew(frozen: FrozenAward, purchase: PurchaseData, earning: EarningOfBatch | None) -> JudgedAnew:
    with undecidable():
        if earning is None:
            return judge_anew(frozen, purchase, None)
        now = earning.facts_of(frozen.natural_key, frozen.owner_id, purchase, frozen.rule_set)
        anew = judge_anew(frozen, purchase, now)
        count_difference(earning, frozen, purchase, anew)
        return anew


def _parts_now(award: StoredAward) -> list[PartNow]:
    """An award of one lot is one part, of its own terms."""
    if award.parts:
        return [PartNow(one.number, one.key, one.points - one.taken_back, one.is_gone) for one in known_parts(award)]
    return [PartNow(0, PartKey(None, award.terms, None), award.points - award.taken_back)] if award.points else []


def _why_gives_nothing(document: Document, found: Undoable, facts: Facts) -> Parked | Refused | None:
    """Who cannot earn now is given nothing more; what is taken back does not ask. The partner's state and contract are
    those of the receipt's own time, by which it was awarded; its funds are what they are now.
    """
    owner_id = found.owner_id
    status: MemberStatus = facts.members.get(owner_id, "active")
    standing = STANDINGS[status]
    if isinstance(standing, Waits):
        return Parked(document, "member", standing.reason, owner_id)
    if isinstance(standing, EarnsNothing):
        return Refused(document, owner_id, standing.reason, standing.detail)
    funds = facts.funds.get(document.till[0])
    if funds is not None and rule_on(funds, found.purchase.occurred_at) == "exhausted":
        if not funds.was_exhausted_after(document.event.data.received_at):
            return Parked(document, "funds", "partner_funds_in_question")
        detail = "what its partner's contract allows is used up"
        return Refused(document, owner_id, "partner_funds_exhausted", detail)
    return None
