"""Caps and budgets, applied to what the rules gave. Pure: what was used before, and what a budget grants, are facts.

What is trimmed leaves the rules that were applied last first, so that the base stays longest.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.accrual.domain.earning_facts import EarningFacts, MissingFactError
from services.accrual.domain.outcomes import Applied, Trimmed, Usage
from services.accrual.domain.rules.caps import BalanceCap, Budget, MemberCap, ReceiptCap
from services.accrual.domain.rules.needs import cap_name
from services.accrual.domain.rules.rule_set import RuleSet
from services.accrual.domain.rules.values import CalendarWindow, RollingWindow, WholeTime, Window


class CapStep(NamedTuple):
    """One cap and the rules that it is about. ``name`` is what its use is counted under, where it is counted."""

    rule_ids: frozenset[str]
    cap: ReceiptCap | MemberCap | BalanceCap | Budget
    name: str | None
    words: str


def cap_steps(rule_set: RuleSet) -> tuple[CapStep, ...]:
    """All caps of a rule set, in the order in which they are applied."""
    return tuple(_steps(rule_set))


def apply_caps(
    applied: Sequence[Applied], steps: Sequence[CapStep], facts: EarningFacts
) -> tuple[list[Applied], tuple[Usage, ...]]:
    """What is left of each rule, and what is used up of each counted cap and budget.

    Raises:
        MissingFactError: how much of a cap was used before, or what a budget grants, was not handed in.
    """
    left = list(applied)
    counted: list[tuple[str, frozenset[str]]] = []
    for step in steps:
        rule_ids = step.rule_ids
        total = sum([one.points for one in left if one.rule_id in rule_ids])
        if total == 0:
            continue
        allowed = _allowed(step, total, facts)
        if total > allowed:
            _trim(left, step, total - allowed)
        if step.name is not None:
            counted.append((step.name, rule_ids))
    return left, tuple(_usage(left, counted)) if counted else ()


def _trim(left: list[Applied], step: CapStep, excess: int) -> None:
    """Take so much of the step's rules, of the last one first."""
    for number in range(len(left) - 1, -1, -1):
        one = left[number]
        if one.rule_id in step.rule_ids and (taken := min(excess, one.points)):
            left[number] = _trimmed(one, taken, step.words)
            excess -= taken


def usage_of(given: Sequence[Applied], steps: Sequence[CapStep]) -> tuple[Usage, ...]:
    """What was used up of each counted cap and budget by what rules gave in the end."""
    return tuple(_usage(given, [(step.name, step.rule_ids) for step in steps if step.name is not None]))


def _usage(left: Sequence[Applied], counted: Sequence[tuple[str, frozenset[str]]]) -> Iterator[Usage]:
    """By what is given in the end: a later cap may have left less."""
    for name, rule_ids in counted:
        points = sum([one.points for one in left if one.rule_id in rule_ids])
        if points:
            yield Usage(name, points, 1)


def _trimmed(one: Applied, taken: int, words: str) -> Applied:
    trim = Trimmed(words, one.points, one.points - taken)
    return one._replace(points=trim.to_points, trims=(*one.trims, trim))


def _allowed(step: CapStep, total: int, facts: EarningFacts) -> int:
    match step.cap:
        case ReceiptCap(points_max=points_max, over=over):
            return 0 if total > points_max and over == "reject" else points_max
        case BalanceCap(points_max=points_max):
            if facts.balance is None:
                raise MissingFactError("the member's balance")
            return max(0, points_max - facts.balance)
        case MemberCap(points_max=points_max, receipts_max=receipts_max):
            used = facts.used.get(step.name or "")
            if used is None:
                raise MissingFactError(f"what was used of {step.name}")
            if receipts_max is not None and used.receipts >= receipts_max:
                return 0
            return total if points_max is None else max(0, points_max - used.points)
        case Budget():
            grant = facts.budgets.get(step.name or "")
            if grant is None:
                raise MissingFactError(f"what {step.name} grants")
            if grant.receipts is not None and grant.receipts < 1:
                return 0
            return total if grant.points is None else max(0, grant.points)


def _steps(rule_set: RuleSet) -> Iterator[CapStep]:
    for rule in rule_set.in_order:
        only = frozenset({rule.id})
        for cap in rule.caps:
            yield _step(only, cap, f"rule:{rule.id}", "the rule's cap")
    own = [rule for rule in rule_set.rules if rule.effect.point_type is None]
    of_campaign = {
        campaign.id: frozenset(rule.id for rule in own if rule.campaign == campaign.id)
        for campaign in rule_set.campaigns
    }
    for campaign in rule_set.campaigns:
        for cap in campaign.caps:
            yield _step(of_campaign[campaign.id], cap, f"campaign:{campaign.id}", f"the cap of “{campaign.name}”")
    every = frozenset(rule.id for rule in own)
    for whole in rule_set.caps:
        if isinstance(whole, BalanceCap):
            yield CapStep(every, whole, None, f"the balance cap of {whole.points_max} points")
        else:
            yield _step(every, whole, "all", "the cap of all rules")
    for campaign in rule_set.campaigns:
        if campaign.budget is not None:
            yield CapStep(of_campaign[campaign.id], campaign.budget, campaign.id, f"the budget of “{campaign.name}”")


def _step(rule_ids: frozenset[str], cap: ReceiptCap | MemberCap, of: str, words: str) -> CapStep:
    if isinstance(cap, ReceiptCap):
        return CapStep(rule_ids, cap, None, f"{words} of {cap.points_max} points a receipt")
    limits = [f"{cap.points_max} points"] if cap.points_max is not None else []
    limits += [f"{cap.receipts_max} receipts"] if cap.receipts_max is not None else []
    return CapStep(
        rule_ids, cap, cap_name(of, cap.window), f"{words} of {' and '.join(limits)} {_window_words(cap.window)}"
    )


def _window_words(window: Window) -> str:
    match window:
        case CalendarWindow(unit=unit):
            return f"a {unit}"
        case RollingWindow(days=days):
            return f"in {days} days"
        case WholeTime():
            return "in all"
