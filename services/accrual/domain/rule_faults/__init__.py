"""Everything that is wrong with a rule-set document, at once, each with a pointer. Pure.

What the whole document shows comes first, then faults of the schema, then rules that name nobody or can never apply.
Each rule that can be read is judged, whatever is wrong with the others. What is found is certain; that nothing is found
does not prove that every rule will ever apply.
"""

from collections.abc import Mapping
from typing import Any

from services.accrual.domain.rule_faults.crossing import campaign_faults, crossing_faults
from services.accrual.domain.rule_faults.demands import DAYS_APART_MAX
from services.accrual.domain.rule_faults.known import Known
from services.accrual.domain.rule_faults.naming import category_faults, naming_faults, stores_named
from services.accrual.domain.rule_faults.of_events import event_faults
from services.accrual.domain.rule_faults.promises import promise_faults
from services.accrual.domain.rule_faults.reaching import nothing_to_multiply, reaching_faults
from services.accrual.domain.rule_faults.returned import returned_faults
from services.accrual.domain.rule_faults.spending import spending_faults
from services.accrual.domain.rule_faults.terms import terms_faults, type_faults
from services.accrual.domain.rules import Campaign, Exclusions, Rule, RuleSetDraft
from services.accrual.domain.rules.funding import stores_in
from shared.faults import Fault, below, is_too_deep, schema_faults, text_faults

__all__ = ["DAYS_APART_MAX", "Fault", "Known", "all_stores_named", "find_faults", "readable_rules"]


def find_faults(document: Mapping[str, Any], known: Known) -> list[Fault]:
    """Every fault of a document; none where it may be published."""
    if is_too_deep(document):
        return [Fault("", "this is nested deeper than any rule")]
    faults = [*text_faults(document), *crossing_faults(document)]
    of_schema = schema_faults(RuleSetDraft, document)
    # What the model says of the whole document, in a sentence without a place, has been said with places by now.
    faults += [fault for fault in of_schema if fault.pointer or not faults]
    rules = readable_rules(document)
    exclusions = _exclusions(document)
    campaigns = {campaign.id: campaign for _, campaign in readable_campaigns(document)}
    for pointer, rule in rules:
        faults += naming_faults(rule, pointer, known)
        faults += campaign_faults(rule, pointer, document)
        faults += type_faults(rule, pointer, known)
        faults += event_faults(rule, pointer, known)
        faults += reaching_faults(rule, pointer, exclusions, campaigns, known)
        faults += spending_faults(rule.limits, pointer, known)
    for pointer, campaign in readable_campaigns(document):
        faults += spending_faults(campaign.limits, pointer, known)
    faults += category_faults(exclusions.categories, "/exclusions/categories", known.partners, known)
    said = document.get("rules")
    if isinstance(said, list) and len(rules) == len(said):  # the one that gives the points may be what cannot be read
        faults += nothing_to_multiply(rules)
    if not of_schema:
        draft = RuleSetDraft.model_validate(document)
        faults += [*terms_faults(draft, known), *returned_faults(draft), *promise_faults(draft, known.promised)]
    return list(dict.fromkeys(faults))


def readable_rules(document: Mapping[str, Any]) -> list[tuple[str, Rule]]:
    """The rules that can be read by themselves, with their pointers."""
    said = document.get("rules") if not is_too_deep(document) else None
    return [
        (below("/rules", at), Rule.model_validate(rule))
        for at, rule in enumerate(said if isinstance(said, list) else ())
        if not schema_faults(Rule, rule)
    ]


def _exclusions(document: Mapping[str, Any]) -> Exclusions:
    said = document.get("exclusions", {})
    return Exclusions() if schema_faults(Exclusions, said) else Exclusions.model_validate(said)


def readable_campaigns(document: Mapping[str, Any]) -> list[tuple[str, Campaign]]:
    """The campaigns that can be read by themselves, with their pointers."""
    said = document.get("campaigns") if not is_too_deep(document) else None
    return [
        (below("/campaigns", at), Campaign.model_validate(each))
        for at, each in enumerate(said if isinstance(said, list) else ())
        if not schema_faults(Campaign, each)
    ]


def all_stores_named(document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The stores that a document names anywhere, to be looked up."""
    limits = [campaign.limits for _, campaign in readable_campaigns(document)]
    return stores_in(limits).union(*(stores_named(rule) for _, rule in readable_rules(document)))
