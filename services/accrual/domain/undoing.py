"""What becomes of a document that undoes a purchase, in part or as a whole: a claw-back, a refusal, or a wait."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.award_parts import TakenPart, after_return, own_points, points_kept, take_back
from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.deciding_purchases import WHY_PARTNER, partner_standing
from services.accrual.domain.decisions import Cause, ClawedBack, Decision, Document, Facts, Original, Parked, Refused
from services.accrual.domain.partner_standing import why_not_taken_back
from services.accrual.domain.returns import RefusedReturn, plan_claw_back
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.settlement import is_visit
from shared.events.purchases import PurchaseData, ReturnLine, ReturnRecorded
from shared.ledger import ClawBackPolicy, Forgiving


class Undoable(NamedTuple):
    """A purchase that was awarded and may be undone, under its key."""

    key: bytes
    original: Original
    owner_id: UUID
    purchase: PurchaseData


def decide_return(document: Document, event: ReturnRecorded, facts: Facts) -> Decision:
    """Take back what the returned goods gave, by the rules that awarded them. ``facts.originals`` moves with it."""
    found = find_undoable(document, document.original_key, facts)
    if not isinstance(found, Undoable):
        return found
    said = event.data.withheld
    return claw_back(document, event.data.lines, found, facts, withheld=said.points if said is not None else 0)


def find_undoable(document: Document, original_key: bytes | None, facts: Facts) -> Undoable | Parked | Refused:
    """The purchase that a document undoes, in part or as a whole; else what becomes of the document."""
    original = facts.originals.get(original_key) if original_key is not None else None
    if original_key is None or original is None or original.state == "waiting":
        return Parked(document, "purchase", "purchase_not_decided_yet")
    if original.state == "refused" or original.owner_id is None:
        owner_id = facts.owners.get(document.natural_key)
        return Refused(document, owner_id, "original_refused", "the receipt it undoes was refused and earned nothing")
    owner_id = original.owner_id
    if original.rule_set_version == 0:
        return Refused(document, owner_id, "original_is_no_purchase", "what it undoes is no receipt that earned")
    if original.voided_by is not None:
        return Refused(document, owner_id, "original_voided", "the receipt it undoes was voided before")
    if original.purchase is None:
        return Refused(document, owner_id, "original_forgotten", "what it undoes is older than what is kept")
    return why_not_now(document, owner_id, facts) or Undoable(original_key, original, owner_id, original.purchase)


def why_not_now(document: Document, owner_id: UUID | None, facts: Facts) -> Refused | None:
    """Why a document takes nothing back, for where and how it was made."""
    data = document.event.data
    if data.is_training:
        return Refused(document, owner_id, "training", "a till in training mode takes nothing back")
    reason = why_not_taken_back(partner_standing(document, facts), data.occurred_at, facts.zone)
    return None if reason is None else Refused(document, owner_id, reason, WHY_PARTNER[reason])


def claw_back_policy(rule_set: RuleSet, purchase: PurchaseData) -> ClawBackPolicy:
    """What becomes of points that are not there any more. Where points had paid for goods their return is never refused
    for that: redemption gives these points back whatever is judged here, and it would be half undone.
    """
    policy = rule_set.returns.claw_back
    if policy == "refuse" and any(tender.kind == "points" for tender in purchase.tenders):
        return "clip"
    return policy


def claw_back(
    document: Document,
    lines: Iterable[ReturnLine],
    undoable: Undoable,
    facts: Facts,
    cause: Cause = "return",
    withheld: int = 0,
) -> ClawedBack | Refused:
    """Take back what these lines gave. A void takes the purchase itself off what was counted, too. Of what is taken of
    the programme's own points the member keeps those that money was ``withheld`` for.
    """
    original_key, original, owner_id, purchase = undoable
    rule_set = facts.rule_sets.version(original.rule_set_version)
    policy = claw_back_policy(rule_set, purchase)
    if document.natural_key in facts.not_there:
        detail = "what it would take back is not there any more, and by these rules nobody owes it: the points stay"
        return Refused(document, owner_id, "points_spent", detail)
    plan = plan_claw_back(
        purchase,
        rule_set,
        awarded_points=original.points,
        taken_back_points=original.taken_back,
        returned_before=original.returned_thousandths,
        lines=lines,
        categories=categories_at(
            facts.mappings.get(purchase.partner_id), purchase.occurred_at, original.mapping_version
        ),
        facts=original.facts,
    )
    if isinstance(plan, RefusedReturn):
        return Refused(document, owner_id, plan.reason, plan.detail)
    returned_now = {
        line: quantity - original.returned_thousandths.get(line, 0)
        for line, quantity in plan.returned_thousandths.items()
        if quantity != original.returned_thousandths.get(line, 0)
    }
    if facts.earning is not None:
        purchases = 1 if cause == "void" and is_visit(purchase) else 0
        facts.earning.give_back(owner_id, purchase, original.facts, plan.before, plan.after, purchases)
    points = plan.points
    taken: tuple[TakenPart, ...] = ()
    if original.parts and original.earned_on is not None:
        taken = take_back(original.parts, points_kept(plan.after, original.earned_on))
        original.parts, points = after_return(original.parts, taken), own_points(taken)
    original.taken_back += points
    original.returned_thousandths = plan.returned_thousandths
    below = rule_set.returns.forgive_below
    forgiving = None if below is None else Forgiving(original_key, below, original.lacked)
    at = purchase.occurred_at
    kept = min(withheld, points)
    decision = ClawedBack(
        document, owner_id, original_key, points, returned_now, taken, cause, policy, at, forgiving, kept
    )
    if facts.earning is not None and not decision.may_be_left:
        facts.earning.move(owner_id, kept - points)
    return decision
