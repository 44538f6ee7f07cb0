"""What documents count towards tiers: an award on its receipt's day, and what comes back off that same day.

A receipt counts if a scheme was in force when it occurred, however late it comes; so what comes back of one that did
not count is not taken off either.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, TypeAlias, TypeGuard
from uuid import UUID

from services.accrual.domain.category_mapping import categories_at
from services.accrual.domain.decisions import Awarded, ClawedBack, Decision, Exchanged, Facts, GivenBack, Original
from services.accrual.domain.earning_base import base_after_returns
from services.accrual.domain.settlement import is_visit
from services.accrual.domain.tiers.periods import day_of
from services.accrual.domain.tiers.qualification import Amounts
from services.accrual.domain.tiers.scheme import TierScheme, TierSchemeHistory
from shared.events.purchases import PurchaseData

# A document that takes back, or gives back, and the receipt whose goods these are.
_Side: TypeAlias = tuple[bytes, bytes]

# Each round is a few statements, however many documents it holds.
ROUNDS_MAX = 10


class Counted(NamedTuple):
    """What a document adds to a member's day, or takes off it; ``is_with_next``: at once with what stands behind it."""

    member_id: UUID
    day: date
    amounts: Amounts
    is_with_next: bool = False

    @property
    def is_reversal(self) -> bool:
        """Whether something came back."""
        return min(self.amounts) < 0


def count_decisions(decisions: Sequence[Decision], facts: Facts, schemes: TierSchemeHistory) -> list[Counted]:
    """What a batch counts, in the order of its documents, once they are decided.

    Points are those that the award gave of the scheme's type, whether they wait or not; spend is its base (what is
    excluded from earning is no spend), and every awarded purchase that hands goods over is a visit, until all of them
    have come back.
    """
    before = _returned_before(decisions, facts)
    counted: list[Counted] = []
    for decision in decisions:
        one = None
        if isinstance(decision, Awarded):
            one = _awarded(decision, schemes)
        elif isinstance(decision, ClawedBack):
            one = _taken_back(decision, before[_side_of(decision)], facts, schemes)
        elif isinstance(decision, Exchanged):
            counted += _exchanged(decision, before, facts, schemes)
        if _is_counted(one, facts):
            counted.append(one)
    return counted


def count_move(
    purchase: PurchaseData,
    returned: Mapping[int, int],
    taken: tuple[UUID, int, int],
    given: tuple[UUID, int, int],
    schemes: TierSchemeHistory,
) -> list[Counted]:
    """What a purchase counts less for one member and more for another: each with the points and the spend that are
    left of it.
    """
    scheme = schemes.at(purchase.occurred_at)
    if scheme is None:
        return []
    day = day_of(purchase.occurred_at, scheme.days_zone)
    visits = int(_is_kept(purchase, returned))
    (from_id, taken_points, taken_minor), (to_id, given_points, given_minor) = taken, given
    both = (
        Counted(from_id, day, Amounts(-taken_points, -taken_minor, -visits)),
        Counted(to_id, day, Amounts(given_points, given_minor, visits)),
    )
    return [one for one in both if any(one.amounts)]


def count_given(
    given: Sequence[tuple[UUID, str, int]], own_type: str, at: datetime, schemes: TierSchemeHistory
) -> list[Counted]:
    """What points that people gave or took (member, type, signed points) count: on the day on which they did.

    Status points alone count so, where the scheme is about them. The programme's own are spent, and what is given of
    them makes something good: nobody qualified by that.
    """
    scheme = schemes.at(at)
    if scheme is None or scheme.points_of in (None, own_type):
        return []
    day = day_of(at, scheme.days_zone)
    return [
        Counted(member_id, day, Amounts(points, 0, 0))
        for member_id, point_type, points in given
        if points and point_type == scheme.points_of
    ]


def count_correction(
    owner_id: UUID,
    was: PurchaseData,
    purchase: PurchaseData,
    returned: Mapping[int, int],
    points: int,
    spend_minor: int,
    scheme: TierScheme,
) -> list[Counted]:
    """What a purchase counts more or less as it should have been: what it counts less by itself, and first. It stays
    the visit that it was, unless that was none.
    """
    day = day_of(was.occurred_at, scheme.days_zone)
    changed = (points, spend_minor, int(_is_kept(purchase, returned)) - int(_is_kept(was, returned)))
    both = (Amounts(*(min(0, each) for each in changed)), Amounts(*(max(0, each) for each in changed)))
    return [Counted(owner_id, day, amounts) for amounts in both if any(amounts)]


def in_rounds(counted: Sequence[Counted]) -> list[list[Counted]]:
    """The same in rounds, one after the other: in each a member collects or gives back, never both, but for what one
    document does at once (``is_with_next``).

    So a batch grades a member as its documents would have one by one: points that went before others came never reach
    a tier together with them. Nearly every batch is one round; what a single member does beyond ``ROUNDS_MAX`` is taken
    in the last one.
    """
    rounds: list[list[Counted]] = []
    last: dict[UUID, tuple[int, bool]] = {}
    joined: Counted | None = None  # what is at once with the next one of its member
    for one in counted:
        place, was_reversal = last.get(one.member_id, (0, one.is_reversal))
        is_joined = joined is not None and joined.member_id == one.member_id
        if one.is_reversal != was_reversal and not is_joined:
            place = min(place + 1, ROUNDS_MAX - 1)
        last[one.member_id] = place, one.is_reversal
        joined = one if one.is_with_next else None
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(one)
    return rounds


def _awarded(decision: Awarded, schemes: TierSchemeHistory) -> Counted | None:
    occurred_at = decision.document.event.data.occurred_at
    scheme = schemes.at(occurred_at)
    if scheme is None:
        return None
    evaluation = decision.evaluation
    visits = int(is_visit(evaluation.receipt.purchase))
    amounts = Amounts(evaluation.points_of(scheme.points_of), evaluation.base.total_minor, visits)
    return Counted(decision.owner_id, day_of(occurred_at, scheme.days_zone), amounts)


def _taken_back(
    decision: ClawedBack, before: Mapping[int, int], facts: Facts, schemes: TierSchemeHistory
) -> Counted | None:
    original = facts.originals[decision.original_key]
    purchase = original.purchase
    if purchase is None or (scheme := schemes.at(purchase.occurred_at)) is None:
        return None
    day = day_of(purchase.occurred_at, scheme.days_zone)
    points = decision.points
    if scheme.points_of is not None:
        points = sum(part.points for part in decision.parts if part.point_type == scheme.points_of)
    after = dict(before)
    for line_id, quantity in decision.returned_thousandths.items():
        after[line_id] = after.get(line_id, 0) + quantity
    spend_minor = _spend_left(purchase, before, original, facts) - _spend_left(purchase, after, original, facts)
    # Other goods were taken in the stead of what comes back in an exchange: the visit stays.
    visits = _is_kept(purchase, before) - _is_kept(purchase, after) if decision.cause != "exchange" else 0
    return Counted(decision.owner_id, day, Amounts(-points, -spend_minor, -visits))


def _exchanged(
    decision: Exchanged, before: Mapping[_Side, Mapping[int, int]], facts: Facts, schemes: TierSchemeHistory
) -> list[Counted]:
    """Both sides of an exchange, or of its void, which are graded at once."""
    taken, given, given_back = decision.taken, decision.given, decision.given_back
    sides = [_taken_back(taken, before[_side_of(taken)], facts, schemes)]
    if given is not None:
        sides.append(_awarded(given, schemes))
    if given_back is not None:
        sides.append(_given_back(given_back, before[_side_of(given_back)], facts, schemes))
    counts = [one for one in sides if _is_counted(one, facts)]
    return [*(one._replace(is_with_next=True) for one in counts[:-1]), *counts[-1:]]


def _is_counted(one: Counted | None, facts: Facts) -> TypeGuard[Counted]:
    return one is not None and any(one.amounts) and facts.members.get(one.member_id) != "erased"


def _given_back(
    decision: GivenBack, before: Mapping[int, int], facts: Facts, schemes: TierSchemeHistory
) -> Counted | None:
    """Goods are not back after all: what had been taken off for them is put there again."""
    as_taken = ClawedBack(
        decision.document,
        decision.owner_id,
        decision.original_key,
        -decision.points,
        {line_id: -quantity for line_id, quantity in decision.returned_thousandths.items()},
        tuple(part._replace(points=-part.points) for part in decision.parts),
        "exchange",
    )
    return _taken_back(as_taken, before, facts, schemes)


def _side_of(decision: ClawedBack | GivenBack) -> _Side:
    return decision.document.natural_key, decision.original_key


def _returned_before(decisions: Sequence[Decision], facts: Facts) -> dict[_Side, dict[int, int]]:
    """By what takes back, or gives back, the quantities that had come back before it, by line: what stands now, undone
    from the last one on.
    """
    returned: dict[bytes, dict[int, int]] = {}
    before: dict[_Side, dict[int, int]] = {}
    for decision in reversed(decisions):
        sides: list[tuple[ClawedBack | GivenBack, int]] = []
        if isinstance(decision, ClawedBack):
            sides = [(decision, 1)]
        elif isinstance(decision, Exchanged):
            sides = [(decision.taken, 1)]
            if decision.given_back is not None:
                sides.append((decision.given_back, -1))
        for side, sign in sides:
            key = side.original_key
            left = dict(returned.get(key, facts.originals[key].returned_thousandths))
            for line_id, quantity in side.returned_thousandths.items():
                left[line_id] = left.get(line_id, 0) - sign * quantity
            returned[key] = before[_side_of(side)] = left
    return before


def _spend_left(purchase: PurchaseData, returned: Mapping[int, int], original: Original, facts: Facts) -> int:
    rule_set = facts.rule_sets.version(original.rule_set_version)
    mapping = facts.mappings.get(purchase.partner_id)
    categories = categories_at(mapping, purchase.occurred_at, original.mapping_version)
    return base_after_returns(purchase, rule_set.exclusions, returned, categories, rule_set.counted).total_minor


def _is_kept(purchase: PurchaseData, returned: Mapping[int, int]) -> bool:
    """Whether a purchase was a visit, and anything of it has not come back."""
    return is_visit(purchase) and any(
        returned.get(line.line_id, 0) < line.quantity_thousandths for line in purchase.lines
    )
