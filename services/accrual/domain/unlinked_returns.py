"""What becomes of a return that names no purchase: the rules of its own time say so (``returns.unlinked``).

Nobody knows the purchase, its award, its lots or its caps. So what is taken is what the goods would have given to
anybody who bought them then, and whatever else a purchase may have given stays.
"""

from typing import Final
from uuid import UUID

from services.accrual.domain.category_mapping import Categories, categories_at
from services.accrual.domain.deciding_purchases import WHY_PARTNER, partner_standing
from services.accrual.domain.decisions import POINTS_MAX, Decision, Document, Facts, Parked, Refused, UnlinkedReturn
from services.accrual.domain.evaluation import Evaluation, evaluate_purchase
from services.accrual.domain.partner_standing import why_not_taken_back
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData, ReceiptData, ReturnData, ReturnRecorded

UNLINKED: Final = "unlinked_return"  # why it is refused, or waits for a person


def decide_unlinked_return(document: Document, event: ReturnRecorded, facts: Facts) -> Decision:
    """Decide by the policy in force when the goods came back. ``facts`` move with it.

    What a person is to look at waits whoever's it is, or nobody's: a purchase that is found says it. Everything else
    waits until its member is known.
    """
    data = event.data
    rule_set = facts.rule_sets.at(data.occurred_at)
    is_for_people = rule_set is not None and rule_set.returns.unlinked == "park"
    owner_id = facts.owners.get(document.natural_key)
    if not is_for_people and (owner_id is None or facts.members.get(owner_id) is None):
        return _without_member(document, owner_id)
    if document.till not in facts.tills:
        return Parked(document, "till", "unknown_till")
    if data.is_training:
        return Refused(document, owner_id, "training", "a till in training mode takes nothing back")
    closed = why_not_taken_back(partner_standing(document, facts), data.occurred_at, facts.zone)
    if closed is not None:
        return Refused(document, owner_id, closed, WHY_PARTNER[closed])
    if rule_set is None:
        return Parked(document, "rules", "no_rules_in_force")
    if is_for_people or owner_id is None:
        return Parked(document, "person", UNLINKED, owner_id)
    return _by_rules(UnlinkedReturn(document, owner_id, "ignored", rule_set.version), data, rule_set, facts)


def judge_goods(returned: ReturnData, rule_set: RuleSet, categories: Categories) -> Evaluation | None:
    """What the goods would have given anybody who bought them then; None where no rule speaks of goods alone."""
    rules = rule_set.of_goods_alone
    if rules is None:
        return None
    said = {name: getattr(returned, name) for name in ReceiptData.model_fields}
    return evaluate_purchase(PurchaseData(**said, lines=returned.lines), rules, categories)


def _without_member(document: Document, owner_id: UUID | None) -> Parked:
    if owner_id is not None:
        return Parked(document, "member", "unknown_member", owner_id)
    if document.event.data.identifier_hash is None:
        return Parked(document, None, "no_identifier")
    return Parked(document, "identifier", "unknown_identifier")


def _by_rules(ignored: UnlinkedReturn, data: ReturnData, rule_set: RuleSet, facts: Facts) -> UnlinkedReturn | Refused:
    match rule_set.returns.unlinked:
        case "ignore":
            return ignored
        case "claw_back":
            return _take_back(ignored._replace(outcome="taken_back"), data, rule_set, facts)
        case _:
            detail = "the return does not name the receipt it undoes"
            return Refused(ignored.document, ignored.owner_id, UNLINKED, detail)


def _take_back(decision: UnlinkedReturn, data: ReturnData, rule_set: RuleSet, facts: Facts) -> UnlinkedReturn | Refused:
    document, owner_id, policy = decision.document, decision.owner_id, rule_set.returns.claw_back
    if document.natural_key in facts.not_there:
        detail = "what it would take back is not there any more, and by these rules nobody owes it: the points stay"
        return Refused(document, owner_id, "points_spent", detail)
    categories = categories_at(facts.mappings.get(data.partner_id), data.occurred_at)
    judged = judge_goods(data, rule_set, categories)
    if judged is None:
        return decision
    if judged.points > POINTS_MAX:
        return Refused(document, owner_id, "implausible_points", f"it would take back more than {POINTS_MAX} points")
    if facts.earning is not None and policy != "clip":  # how much of it is there, only the ledger knows
        facts.earning.move(owner_id, -judged.points)
    return decision._replace(mapping_version=judged.base.mapping_version, points=judged.points, policy=policy)
