"""What a purchase earns another member than the one it was awarded to: by the rules and goods that it was awarded by,
and by that member's own facts of its time. Pure.
"""

from collections.abc import Mapping
from datetime import date, tzinfo
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.award_parts import (
    EarnedPart,
    KnownPart,
    TakenPart,
    earned_parts,
    own_points,
    points_kept,
    take_back,
)
from services.accrual.domain.category_mapping import Categories
from services.accrual.domain.earning_facts import EarningFacts, facts_of_zone
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.evaluation import Evaluation, evaluate_purchase, evaluate_what_is_kept
from services.accrual.domain.rules import RuleSet
from shared.events.purchases import PurchaseData


class FrozenAward(NamedTuple):
    """All that an award was judged by, and what came back of it since. ``earned_on`` is where the programme is."""

    natural_key: bytes
    owner_id: UUID
    purchase: PurchaseData
    rule_set: RuleSet
    categories: Categories
    facts: EarningFacts
    returned_thousandths: Mapping[int, int]
    earned_on: date


class AwardedAnew(NamedTuple):
    """``kept`` is what its former member had of it without the goods that came back. ``evaluation`` is what the whole
    purchase earns the new one, ``left`` the same without those goods.

    ``parts`` of the whole are there where it is more than one lot, and ``taken`` of them what the goods would have
    taken.
    """

    kept: Evaluation
    evaluation: Evaluation
    left: Evaluation
    parts: tuple[EarnedPart, ...]
    taken: tuple[TakenPart, ...]

    @property
    def taken_back(self) -> int:
        """How much of what is awarded anew counts as taken back from the start, for what had come back before."""
        return own_points(self.taken) if self.parts else max(0, self.evaluation.points - self.left.points)

    @property
    def given_points(self) -> int:
        """What the new member gets of the programme's own points."""
        return self.evaluation.points - self.taken_back

    def given_of(self, point_type: str | None) -> int:
        """The same of one type; None: the programme's own."""
        if point_type is None:
            return self.given_points
        return sum(part.points - self.taken_of(part) for part in self.parts if part.key.point_type == point_type)

    def taken_of(self, part: EarnedPart) -> int:
        """How much of a part counts as taken back from the start."""
        return sum(one.points for one in self.taken if one.number == part.number)


def award_anew(award: FrozenAward, owner_id: UUID, zone: tzinfo, earning: EarningOfBatch | None) -> AwardedAnew:
    """Take a purchase off what its member's windows, caps and budgets hold, and judge and count it for ``owner_id``.

    What it had used of a budget is there again for the same purchase. Without ``earning`` no rules ask for facts that
    are looked up, and nothing is counted. ``zone`` is where the programme's days end.

    Raises:
        MissingFactError: a rule needs a fact that was not handed in.
    """
    key, _, purchase, rule_set, categories, facts, returned, earned_on = award
    kept = evaluate_what_is_kept(purchase, rule_set, returned, categories, facts)
    if earning is None:
        own = facts_of_zone(zone)
    else:
        earning.take_off(award.owner_id, purchase, facts, kept)
        own = earning.facts_of(key, owner_id, purchase, rule_set)
    evaluation = evaluate_purchase(purchase, rule_set, categories, own)
    left = evaluate_what_is_kept(purchase, rule_set, returned, categories, own) if returned else evaluation
    if earning is not None:
        earning.count(key, owner_id, purchase, evaluation)
        if returned:
            earning.give_back(owner_id, purchase, own, evaluation, left)
    parts = earned_parts(evaluation, earned_on)
    known = [KnownPart(part.number, part.key, part.points, 0) for part in parts]
    taken = take_back(known, points_kept(left, earned_on)) if parts and returned else ()
    return AwardedAnew(kept, evaluation, left, parts, taken)
