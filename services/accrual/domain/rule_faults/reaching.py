"""Rules that can never apply: conditions that contradict, windows that are over, goods that never earn."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.accrual.domain.rule_faults.conjunctions import Demand, Interval, Outer, Tree
from services.accrual.domain.rule_faults.demands import (
    at_partners,
    dates_between,
    days_clash,
    demands_of_line_test,
    demands_of_predicate,
)
from services.accrual.domain.rule_faults.known import Known
from services.accrual.domain.rule_faults.places import located
from services.accrual.domain.rules.caps import Campaign
from services.accrual.domain.rules.counted import Exclusions
from services.accrual.domain.rules.line_tests import LineTest
from services.accrual.domain.rules.predicates_of_receipt import AmountIs, Bundle
from services.accrual.domain.rules.rule import Phase, Rule
from services.accrual.domain.rules.values import Zone
from shared.faults import Fault, below

_OF_RECEIPTS = Tree(demands_of_predicate, days_clash)
_OF_LINES = Tree(demands_of_line_test)


def reaching_faults(
    rule: Rule, pointer: str, exclusions: Exclusions, campaigns: Mapping[str, Campaign], known: Known
) -> Iterator[Fault]:
    """Why no receipt ever meets a rule; nothing where one may."""
    condition = rule.condition
    at = below(pointer, "condition")
    outer = list(_outer_demands(rule, pointer, campaigns, known)) + list(_excluded_amounts(rule, exclusions, known))
    yield from _OF_RECEIPTS.find_contradictions(condition.when, below(at, "when"), outer)
    yield from _line_faults(rule, at)
    excluded = frozenset(exclusions.categories)
    if condition.categories and all(_is_excluded(each, excluded, known) for each in condition.categories):
        yield Fault(below(at, "categories"), _NEVER_EARN)
    if _are_excluded(condition.lines, excluded, known):
        yield Fault(below(at, "lines"), _NEVER_EARN)


def _outer_demands(rule: Rule, pointer: str, campaigns: Mapping[str, Campaign], known: Known) -> Iterator[Outer]:
    """What is demanded outside of the tree: when the rule set begins, the campaign's dates, the partners."""
    zones: tuple[Zone, Zone] = ("programme", "store")
    for zone in zones:
        if known.earliest is not None:
            yield "", dates_between(zone, known.earliest, None)
    campaign = campaigns.get(rule.campaign or "")
    if campaign is not None:
        yield (
            below(pointer, "campaign"),
            dates_between(campaign.zone, campaign.from_date, campaign.until_date),
        )
    if rule.condition.partners:
        yield below(below(pointer, "condition"), "partners"), at_partners(rule.condition.partners)


def _excluded_amounts(rule: Rule, exclusions: Exclusions, known: Known) -> Iterator[Outer]:
    """Of goods that are excluded nothing earns."""
    excluded = frozenset(exclusions.categories)
    for _, node in located(rule.condition.when, ""):
        if isinstance(node, AmountIs) and _are_excluded(node.lines, excluded, known):
            yield "/exclusions/categories", Demand(("amount", node.lines), Interval(None, 0))


def nothing_to_multiply(rules: Sequence[tuple[str, Rule]]) -> Iterator[Fault]:
    """Multipliers of whose points no base rule gives any at their partners."""
    base = [rule for _, rule in rules if rule.phase is Phase.BASE]
    for pointer, rule in rules:
        if rule.phase is Phase.MULTIPLIER and not any(_meet_somewhere(rule, other) for other in base):
            where = "for its events" if rule.condition.events else "at its partners"
            yield Fault(below(pointer, "effect"), f"no base rule gives points of its type {where} to multiply")


def _meet_somewhere(multiplier: Rule, base: Rule) -> bool:
    if multiplier.condition.events or base.condition.events:
        events = frozenset(multiplier.condition.events) & frozenset(base.condition.events)
        return multiplier.effect.point_type == base.effect.point_type and bool(events)
    ours, theirs = frozenset(multiplier.condition.partners), frozenset(base.condition.partners)
    return multiplier.effect.point_type == base.effect.point_type and (not ours or not theirs or bool(ours & theirs))


def _line_faults(rule: Rule, pointer: str) -> Iterator[Fault]:
    trees: list[tuple[str, LineTest]] = []
    if rule.condition.lines is not None:
        trees.append((below(pointer, "lines"), rule.condition.lines))
    for place, node in located(rule.condition.when, below(pointer, "when")):
        if isinstance(node, Bundle):
            trees += [
                (below(below(below(place, "parts"), at), "lines"), part.lines) for at, part in enumerate(node.parts)
            ]
        elif getattr(node, "lines", None) is not None:
            trees.append((below(place, "lines"), node.lines))
    for place, tree in trees:
        yield from _OF_LINES.find_contradictions(tree, place)


def _are_excluded(test: Any, excluded: frozenset[str], known: Known) -> bool:
    if test is None:
        return False
    match test.kind:
        case "category":
            return all(_is_excluded(each, excluded, known) for each in test.categories)
        case "all":
            return any(_are_excluded(inner, excluded, known) for inner in test.of)
        case "any":
            return all(_are_excluded(inner, excluded, known) for inner in test.of)
        case _:
            return False


def _is_excluded(category: str, excluded: frozenset[str], known: Known) -> bool:
    return category in excluded or not excluded.isdisjoint(known.above.get(category, ()))


_NEVER_EARN = "the exclusions leave none of these goods anything that earns: the rule can never apply"
