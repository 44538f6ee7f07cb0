"""What documents count towards tiers: an award on its receipt's day, and what comes back off that same day.

A receipt counts if a scheme was in force when it occurred, however late it comes; so what comes back of one that did
not count is not taken off either.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.decisions import Awarded, ClawedBack, Decision, Facts, Original
from services.accrual.domain.earning_base import base_after_returns
from services.accrual.domain.tiers.periods import day_of
from services.accrual.domain.tiers.qualification import Amounts
from services.accrual.domain.tiers.scheme import TierSchemeHistory
from shared.events.purchases import PurchaseData


class Counted(NamedTuple):
    """What a document adds to a member's day, or takes off it."""

    member_id: UUID
    day: date
    amounts: Amounts

    @property
    def is_reversal(self) -> bool:
        """Whether something came back."""
        return min(self.amounts) < 0


def count_decisions(decisions: Sequence[Decision], facts: Facts, schemes: TierSchemeHistory) -> list[Counted]:
    """What a batch counts, once its documents are decided.

    Points are those that the award gave, spend is its base (what is excluded from earning is no spend), and every
    awarded purchase is a visit, until all of its goods have come back.
    """
    counted = [*_awarded(decisions, schemes), *_taken_back(decisions, facts, schemes)]
    return [one for one in counted if facts.members.get(one.member_id) != "erased" and any(one.amounts)]


def _awarded(decisions: Sequence[Decision], schemes: TierSchemeHistory) -> Iterator[Counted]:
    for decision in decisions:
        if isinstance(decision, Awarded):
            day = _day(decision.document.event.data.occurred_at, schemes)
            if day is not None:
                evaluation = decision.evaluation
                yield Counted(decision.owner_id, day, Amounts(evaluation.points, evaluation.base.total_minor, 1))


def _taken_back(decisions: Sequence[Decision], facts: Facts, schemes: TierSchemeHistory) -> Iterator[Counted]:
    """Of each purchase once: several returns of one batch are measured together."""
    returns: dict[bytes, list[ClawedBack]] = {}
    for decision in decisions:
        if isinstance(decision, ClawedBack):
            returns.setdefault(decision.original_key, []).append(decision)
    for original_key, each in returns.items():
        original = facts.originals[original_key]
        purchase = original.purchase
        if purchase is None or (day := _day(purchase.occurred_at, schemes)) is None:
            continue
        after = original.returned_thousandths
        before = _before(after, each)
        spend_minor = _spend_left(purchase, before, original, facts) - _spend_left(purchase, after, original, facts)
        visits = _is_kept(purchase, before) - _is_kept(purchase, after)
        points = sum(one.points for one in each)
        yield Counted(each[0].owner_id, day, Amounts(-points, -spend_minor, -visits))


def _day(occurred_at: datetime, schemes: TierSchemeHistory) -> date | None:
    scheme = schemes.at(occurred_at)
    return day_of(occurred_at, scheme.days_zone) if scheme is not None else None


def _before(after: Mapping[int, int], returns: Collection[ClawedBack]) -> dict[int, int]:
    """Quantities returned before this batch, by line."""
    before = dict(after)
    for one in returns:
        for line_id, quantity in one.returned_thousandths.items():
            before[line_id] -= quantity
    return before


def _spend_left(purchase: PurchaseData, returned: dict[int, int], original: Original, facts: Facts) -> int:
    rule_set = facts.rule_sets.version(original.rule_set_version)
    mapping = facts.mappings.get(purchase.partner_id)
    categories = categories_at(mapping, purchase.occurred_at, original.mapping_version)
    return base_after_returns(purchase, rule_set.exclusions, returned, categories).total_minor


def _is_kept(purchase: PurchaseData, returned: Mapping[int, int]) -> bool:
    """Whether anything of a purchase has not come back."""
    return any(returned.get(line.line_id, 0) < line.quantity_thousandths for line in purchase.lines)
