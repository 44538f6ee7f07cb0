"""Why rules gave no points: found out when somebody asks, by the same checks that judged the receipt."""

from collections.abc import Mapping, Sequence

from services.accrual.domain.checks import first_unmet
from services.accrual.domain.checks.of_lines import line_words
from services.accrual.domain.judged_receipt import JudgedReceipt
from services.accrual.domain.outcomes import Applied, Lost, NotMatched, Outcome
from services.accrual.domain.plans import PlannedRule, matching_lines, plan_for
from services.accrual.domain.rules.effects import Multiplier, PointsPerFullStep, PointsPerNumber, TierMultiplier
from services.accrual.domain.rules.rule import Rule
from services.accrual.domain.rules.rule_set import RuleSet


def explain(
    applied: Sequence[Applied], lost: Sequence[Lost], receipt: JudgedReceipt, rule_set: RuleSet
) -> tuple[Outcome, ...]:
    """The outcome of every rule of the receipt's partner, in order."""
    gave = {one.rule_id: one for one in applied}
    losers = {one.rule_id: one for one in lost}
    winners = {rule.group: rule.id for rule in rule_set.rules if rule.group is not None and rule.id in gave}
    return tuple(
        gave.get(planned.rule_id) or losers.get(planned.rule_id) or _why_not(planned, receipt, rule_set, winners)
        for planned in plan_for(rule_set, receipt.purchase.partner_id).rules
    )


def _why_not(
    planned: PlannedRule, receipt: JudgedReceipt, rule_set: RuleSet, winners: Mapping[str, str]
) -> NotMatched | Lost:
    rule_id, rule = planned.rule_id, planned.rule
    if rule_set.currency is not None and receipt.purchase.currency != rule_set.currency:
        return NotMatched(rule_id, "currency", rule_set.currency, receipt.purchase.currency)
    if planned.special is not None and planned.special.check is not None:
        unmet = first_unmet(planned.special.check, receipt)
        if unmet is not None:
            return NotMatched(rule_id, *unmet)
    lines = matching_lines(planned, receipt)
    if not lines:
        return _no_line(planned, receipt)
    if sum(receipt.base.amounts_minor[line] for line in lines) == 0:
        return NotMatched(rule_id, "eligible amount", "more than 0", "0")
    if rule.group is not None and rule.group in winners:
        return Lost(rule_id, rule.group, winners[rule.group], None)
    return _nothing_given(rule, receipt)


def _nothing_given(rule: Rule, receipt: JudgedReceipt) -> NotMatched:
    """A rule that applied, and came to nothing."""
    rule_id = rule.id
    if isinstance(rule.effect, TierMultiplier) and (receipt.facts.member.tier_percent or 100) == 100:
        tier = receipt.facts.member.tier or "none"
        return NotMatched(rule_id, "what the tier multiplies by", "more than 100%", f"100% (tier {tier})")
    if isinstance(rule.effect, Multiplier | TierMultiplier):
        return NotMatched(rule_id, "points to multiply", "more than 0", "0")
    if isinstance(rule.effect, PointsPerFullStep):
        return NotMatched(rule_id, "full steps", "at least 1", "0")
    if isinstance(rule.effect, PointsPerNumber):
        observed = receipt.said(rule.effect.property)
        least = rule.effect.step if rule.effect.counted == "full_steps" else 1
        return NotMatched(
            rule_id, rule.effect.property, f"at least {least}", "not said" if observed is None else observed
        )
    return NotMatched(rule_id, "points", "more than 0", "0")


def _no_line(planned: PlannedRule, receipt: JudgedReceipt) -> NotMatched:
    condition = planned.rule.condition
    wanted = [" or ".join(condition.categories)] if condition.categories else []
    if condition.lines is None:
        observed = ", ".join(sorted({path[-1] if path else "none" for path in receipt.base.categories}))
        return NotMatched(planned.rule_id, "category", wanted[0], observed)
    wanted.append(line_words(condition.lines))
    return NotMatched(planned.rule_id, "lines", " and ".join(wanted), "none")
