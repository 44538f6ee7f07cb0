"""What becomes of a purchase, and of goods that are handed over otherwise, given the facts."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.accrual.domain.award_parts import KnownPart, earned_parts
from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.decisions import POINTS_MAX, Awarded, Decision, Document, Facts, Original, Parked, Refused
from services.accrual.domain.earning_facts import facts_of_zone
from services.accrual.domain.earning_windows import day_on
from services.accrual.domain.evaluation import Evaluation, evaluate_purchase
from services.accrual.domain.partner_funds import rule_on
from services.accrual.domain.partner_standing import Reason, Standing, standing_at, why_not_earned
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.standing import STANDINGS, Earns, EarnsNothing, Waits
from shared.events.members import MemberStatus
from shared.events.purchases import PurchaseData, PurchaseRecorded


def decide_purchase(document: Document, event: PurchaseRecorded, facts: Facts) -> Decision:
    """Decide a purchase. Documents of one owner are decided in their order: ``facts`` move with each."""
    purchase = event.data
    owner_id = facts.owners.get(document.natural_key)
    if owner_id is None:
        if purchase.identifier_hash is None:
            return Parked(document, None, "no_identifier")
        return Parked(document, "identifier", "unknown_identifier")
    rule_set = rules_for(document, owner_id, facts)
    if isinstance(rule_set, Refused | Parked):
        return rule_set
    return award(document, purchase, owner_id, rule_set, facts)


def rules_for(document: Document, owner_id: UUID, facts: Facts) -> RuleSet | Refused | Parked:
    """The rules by which goods that are handed over with a document earn; else why they do not, or not yet."""
    sale = document.event.data
    status = facts.members.get(owner_id)
    if status is None:
        return Parked(document, "member", "unknown_member", owner_id)
    if document.till not in facts.tills:
        return Parked(document, "till", "unknown_till")
    if sale.is_training:
        return Refused(document, owner_id, "training", "a receipt of a till in training mode earns nothing")
    stopped = (
        _stopped_by_status(document, owner_id, status)
        or _stopped_by_partner(document, owner_id, sale.occurred_at, facts)
        or _stopped_by_funds(document, owner_id, facts)
    )
    if stopped is not None:
        return stopped
    if facts.now - sale.received_at > facts.parked_window:
        days = facts.parked_window.days
        return Refused(document, owner_id, "registered_too_late", f"it waited for its member for more than {days} days")
    if sale.received_at - sale.occurred_at > facts.retro_window:
        days = facts.retro_window.days
        return Refused(document, owner_id, "received_too_late", f"it was received more than {days} days after its time")
    return facts.rule_sets.at(sale.occurred_at) or Parked(document, "rules", "no_rules_in_force")


def award(
    document: Document, purchase: PurchaseData, owner_id: UUID, rule_set: RuleSet, facts: Facts
) -> Awarded | Refused:
    """What the goods of a document earn: those of a purchase, or the new ones of an exchange."""
    categories = categories_at(facts.mappings.get(purchase.partner_id), purchase.occurred_at)
    earning = facts.earning
    known = (
        facts_of_zone(facts.zone)
        if earning is None
        else earning.facts_of(document.natural_key, owner_id, purchase, rule_set)
    )
    return _awarded(document, owner_id, evaluate_purchase(purchase, rule_set, categories, known), facts)


def _awarded(document: Document, owner_id: UUID, evaluation: Evaluation, facts: Facts) -> Awarded | Refused:
    purchase, rule_set = evaluation.receipt.purchase, evaluation.rule_set
    earned_on = None if evaluation.is_one_lot else day_on(purchase.occurred_at, facts.zone)
    parts = earned_parts(evaluation, earned_on) if earned_on is not None else ()
    if evaluation.points > POINTS_MAX or (parts and any(part.points > POINTS_MAX for part in parts)):
        return Refused(document, owner_id, "implausible_points", f"it would earn more than {POINTS_MAX} points")
    facts.originals[document.natural_key] = Original(
        "awarded",
        owner_id,
        purchase,
        rule_set.version,
        evaluation.base.mapping_version,
        evaluation.points,
        facts=evaluation.facts,
        parts=tuple([KnownPart(part.number, part.key, part.points, 0) for part in parts]) if parts else (),
        earned_on=earned_on,
    )
    if facts.earning is not None:
        facts.earning.count(document.natural_key, owner_id, purchase, evaluation)
    return Awarded(document, owner_id, evaluation, parts)


def _stopped_by_status(document: Document, owner_id: UUID, status: MemberStatus) -> Refused | Parked | None:
    match STANDINGS[status]:
        case Earns():
            return None
        case Waits(reason=reason):
            return Parked(document, "member", reason, owner_id)
        case EarnsNothing(reason=reason, detail=detail):
            return Refused(document, owner_id, reason, detail)


def _stopped_by_partner(document: Document, owner_id: UUID, occurred_at: datetime, facts: Facts) -> Refused | None:
    reason = why_not_earned(partner_standing(document, facts), occurred_at, facts.zone)
    return None if reason is None else Refused(document, owner_id, reason, WHY_PARTNER[reason])


def _stopped_by_funds(document: Document, owner_id: UUID, facts: Facts) -> Refused | Parked | None:
    funds = facts.funds.get(document.till[0])
    match rule_on(funds, document.event.data.occurred_at):
        case "earns":
            return None
        case "no_contract":
            return Parked(document, "contract", "no_contract_in_force")
        case "exhausted":
            if funds is not None and not funds.was_exhausted_after(document.event.data.received_at):
                return Parked(document, "funds", "partner_funds_in_question")
            detail = "what its partner's contract allows is used up"
            return Refused(document, owner_id, "partner_funds_exhausted", detail)


WHY_PARTNER: Mapping[Reason, str] = {
    "partner_preparing": "its partner had not opened yet",
    "partner_testing": "its partner was testing: nothing earns, and nothing is taken back",
    "partner_suspended": "its partner was suspended from giving points",
    "partner_leaving": "its partner is leaving, and its last day for this was over",
    "partner_left": "its partner had left the coalition",
    "partner_does_not_issue": "its partner takes points and gives none",
}


def partner_standing(document: Document, facts: Facts) -> Standing | None:
    """Where the document's partner stood when it occurred."""
    return standing_at(facts.partners.get(document.till[0], ()), document.event.data.occurred_at)
