"""Lines of a marketplace name who sold them: whoever sold pays for the points that its lines earned. Pure.

What each rule gave is split by what it gave on each seller's lines, exactly, and by largest remainder: the first named
wins among equals, the partner itself first. What has payers of its own is theirs, whoever sold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from services.accrual.domain.judged_receipt import JudgedReceipt
from services.accrual.domain.outcomes import Applied
from services.accrual.domain.plans import Plan, PlannedRule, matching_lines
from services.accrual.domain.rules.rule_set import RuleSet
from services.accrual.domain.rules.terms import PartTerms
from shared.events.purchases import PurchaseData
from shared.ledger import Funding
from shared.money import share_out


class Given(NamedTuple):
    """Points that a rule gave on the same terms."""

    terms: PartTerms
    rule_id: str
    points: int


def has_sellers(purchase: PurchaseData) -> bool:
    """Whether some lines were sold by others than the partner."""
    sellers = [line.seller for line in purchase.lines]  # asked of every receipt: twice as fast as a generator
    return sellers.count(None) < len(sellers)


def given_by_seller(
    applied: Iterable[Applied], receipt: JudgedReceipt, rule_set: RuleSet, plan: Plan
) -> Iterator[Given]:
    """What each rule gave, apart for each seller. The points of each rule add up to what it gave."""
    sellers = [line.seller for line in receipt.purchase.lines]
    named = [None, *sorted({seller for seller in sellers if seller is not None})]
    for one, by_line in _shares_by_line(applied, receipt, plan):
        terms = rule_set.terms_of(one.rule_id)
        if terms.point_type is not None or terms.funding is not None:
            yield Given(terms, one.rule_id, one.points)
            continue
        weights = [
            sum([share for share, sold_by in zip(by_line, sellers, strict=True) if sold_by == seller])
            for seller in named
        ]
        for seller, points in zip(named, share_out(one.points, weights), strict=True):
            if points or (seller is None and not one.points):
                yield Given(_paid_by(terms, seller), one.rule_id, points)


def _paid_by(terms: PartTerms, seller: str | None) -> PartTerms:
    return terms if seller is None else replace(terms, funding=Funding(((seller, 1),)))


def _shares_by_line(
    applied: Iterable[Applied], receipt: JudgedReceipt, plan: Plan
) -> Iterator[tuple[Applied, Sequence[int]]]:
    """What each rule gave on each line, exactly and before caps: as it was given, rule after rule."""
    lines = len(receipt.base.amounts_minor)
    given = [[0] * lines for _ in range(1 + len(plan.other_types))]
    rules: Mapping[str, PlannedRule] = {rule.rule_id: rule for rule in plan.rules}
    for one in applied:
        shares = [0] * lines
        planned = rules[one.rule_id]
        special = planned.special
        number, is_base = (special.number, special.is_base) if special else (0, bool(planned.per_minor))
        for line, share in _on_lines(planned, receipt, given[number]):
            shares[line] = share
        if is_base:
            given[number] = [before + share for before, share in zip(given[number], shares, strict=True)]
        yield one, shares


def _on_lines(planned: PlannedRule, receipt: JudgedReceipt, given: Sequence[int]) -> Iterable[tuple[int, int]]:
    """The lines that a rule gives points on. What it gives once a receipt counts by what of them earns."""
    amounts, lines = receipt.base.amounts_minor, matching_lines(planned, receipt)
    special = planned.special
    if special is not None and special.once:
        return [(line, amounts[line]) for line in lines]
    if special is not None:
        return list(zip(lines, special.exact_by_line(receipt, lines, given), strict=True))
    if planned.per_minor:
        return [(line, amounts[line] * planned.per_minor) for line in lines]
    return [(line, given[line] * planned.extra_percent // 100) for line in lines]
