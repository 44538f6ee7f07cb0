"""Judges receipts of the past by a draft, in the order in which they were decided, and what came back of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID

from services.accrual.domain.backtests.counters import BacktestTooLargeError
from services.accrual.domain.backtests.facts import Before, CountedFacts
from services.accrual.domain.backtests.receipts import AwardedReceipt, TakenReturn
from services.accrual.domain.backtests.told import Counter, Told, places_of
from services.accrual.domain.capping import cap_steps
from services.accrual.domain.counters import local_day
from services.accrual.domain.earning_facts import EarningFacts, Used
from services.accrual.domain.earning_of_batch import usage_less
from services.accrual.domain.earning_windows import days_of
from services.accrual.domain.evaluation import Evaluation, evaluate_purchase, evaluate_what_is_kept
from services.accrual.domain.outcomes import Applied
from services.accrual.domain.prepayments import pays_ahead, prepaid_keys
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import CapKey, activity_name
from services.accrual.domain.settlement import hands_over, is_visit
from shared.events.purchases import PurchaseData

MEMBERS_MAX = 2_000_000
NEVER = datetime.max.replace(tzinfo=UTC)  # when what the draft alone takes was decided


class Judged(NamedTuple):
    """A receipt by the draft: the points of each rule, those in all, and which caps left less."""

    receipt: AwardedReceipt
    points: int
    applied: tuple[Applied, ...]


class JudgedReturn(NamedTuple):
    """What came back of a receipt of the period: the points that its rules took, those that the draft would have taken,
    and both by rule; whatever had become of the points by then.
    """

    receipt: AwardedReceipt
    awarded_points: int
    drafted_points: int
    awarded_by_rule: Mapping[str, int]
    drafted_by_rule: Mapping[str, int]


@dataclass(slots=True)
class _Original:
    """A receipt of which goods come back, as it stands under the draft."""

    receipt: AwardedReceipt
    facts: EarningFacts
    points: int
    taken_back: int = 0
    awarded_back: int = 0
    returned: dict[int, int] = field(default_factory=dict)
    handed_over: dict[int, int] = field(default_factory=dict)  # of what was paid ahead, under the draft alone

    @property
    def drafted_returned(self) -> dict[int, int]:
        """All that is gone under the draft."""
        return self.returned | self.handed_over


class Judge:
    """A draft, and what has come of it so far. Receipts and returns go in in the order in which they were decided."""

    def __init__(self, draft: RuleSet, begins_on: date, told: Told) -> None:
        self.counted = CountedFacts(draft, begins_on, told)
        self.points_ahead: dict[UUID, int] = {}
        self._draft = draft
        self._told = told
        self._caps = {cap.name: cap for cap in draft.needs.member_caps}
        self._places = places_of(draft)
        # Then a purchase changes nothing that is counted, but for what it earns on.
        self._tells_of_places = told.always.issuperset(self._places)
        self._counts = bool(self._caps or self._places or draft.needs.budgets)
        self._takes_ahead = draft.counted.prepayments == "at_payment"
        self._handed_over: set[bytes] = set()  # receipts that took money ahead for goods that were handed over by now
        self._originals: dict[bytes, _Original] = {}
        self._steps: dict[int, tuple[tuple[str, frozenset[str]], ...]] = {}

    def judge(self, receipt: AwardedReceipt, before: Before) -> Judged:
        """What the receipt would have earned.

        Raises:
            ArithmeticError, LookupError, TypeError, ValueError: the draft cannot be applied to it.
            BacktestTooLargeError: too much is to be counted.
        """
        facts = self.counted.of(receipt, self.points_ahead.get(receipt.owner_id, 0), before)
        evaluation = evaluate_purchase(receipt.purchase, self._draft, receipt.categories, facts)
        if self._counts:
            self._count(receipt, facts, evaluation)
        self._move(receipt.owner_id, evaluation.points - receipt.points)
        if receipt.comes_back or (self._takes_ahead and pays_ahead(receipt.purchase)):
            self._originals[receipt.natural_key] = _Original(receipt, facts, evaluation.points)
        return Judged(receipt, evaluation.points, evaluation.applied)

    def hand_over(self, receipt: AwardedReceipt) -> list[JudgedReturn]:
        """What the draft takes of receipts in which this one's goods were paid ahead, where rules in force had let them
        earn nothing: to be asked before it is judged. Nothing of a handover that was voided later.

        Raises:
            ArithmeticError, LookupError, TypeError, ValueError: the draft cannot be applied to it.
        """
        if not self._takes_ahead or receipt.is_voided:
            return []
        taken = []
        for key in prepaid_keys(receipt.purchase):
            self._handed_over.add(key)
            taken += self._take_ahead(key)
        return taken

    def give_to_handover(self, receipt: AwardedReceipt) -> list[JudgedReturn]:
        """The same of a receipt that took money ahead, where its goods had been handed over before it was judged."""
        if receipt.natural_key not in self._handed_over:
            return []
        return self._take_ahead(receipt.natural_key)

    def _take_ahead(self, key: bytes) -> list[JudgedReturn]:
        original = self._originals.get(key)
        if original is None or original.receipt.rule_set.counted.prepayments == "at_payment":
            return []  # what rules in force took of it was decided, and is judged where it was
        receipt, before = original.receipt, original.drafted_returned
        ahead = [line for line in receipt.purchase.lines if line.settlement == "prepayment"]
        original.handed_over = {line.line_id: line.quantity_thousandths for line in ahead}
        awarded = self._kept(original, receipt.rule_set, receipt.stored, original.returned)
        drafted = (
            self._kept(original, self._draft, original.facts, before),
            self._kept(original, self._draft, original.facts, original.drafted_returned),
        )
        return [self._taken(TakenReturn(key, key, receipt.owner_id, {}, NEVER), original, drafted, (awarded, awarded))]

    def take_back(self, taken: TakenReturn) -> JudgedReturn | None:
        """What the draft would have taken back; None for goods that were not bought in the period: both take the same.

        Raises:
            ArithmeticError, LookupError, TypeError, ValueError: the draft cannot be applied to it.
        """
        original = self._originals.get(taken.original_key)
        if original is None:
            return None
        receipt = original.receipt
        returned_before, drafted_before = dict(original.returned), original.drafted_returned
        for line_id, quantity in taken.returned_thousandths.items():
            original.returned[line_id] = original.returned.get(line_id, 0) + quantity
        drafted = (
            self._kept(original, self._draft, original.facts, drafted_before),
            self._kept(original, self._draft, original.facts, original.drafted_returned),
        )
        awarded = (
            self._kept(original, receipt.rule_set, receipt.stored, returned_before),
            self._kept(original, receipt.rule_set, receipt.stored, original.returned),
        )
        return self._taken(taken, original, drafted, awarded)

    def _kept(
        self, original: _Original, rule_set: RuleSet, facts: EarningFacts, returned: Mapping[int, int]
    ) -> Evaluation:
        receipt = original.receipt
        return evaluate_what_is_kept(receipt.purchase, rule_set, returned, receipt.categories, facts)

    def _taken(
        self,
        taken: TakenReturn,
        original: _Original,
        drafted: tuple[Evaluation, Evaluation],
        awarded: tuple[Evaluation, Evaluation],
    ) -> JudgedReturn:
        receipt = original.receipt
        points = max(0, original.points - original.taken_back - drafted[1].points)
        was = max(0, receipt.points - original.awarded_back - awarded[1].points)
        original.taken_back += points
        original.awarded_back += was
        if self._counts:
            self._give_back(taken, original, drafted, awarded)
        self._move(taken.owner_id, was - points)
        return JudgedReturn(receipt, was, points, _less_by_rule(*awarded), _less_by_rule(*drafted))

    def _move(self, owner_id: UUID, points: int) -> None:
        self.points_ahead[owner_id] = self.points_ahead.get(owner_id, 0) + points
        if len(self.points_ahead) > MEMBERS_MAX:
            raise BacktestTooLargeError(f"more than {MEMBERS_MAX} members")

    def _count(self, receipt: AwardedReceipt, facts: EarningFacts, evaluation: Evaluation) -> None:
        spent, was = evaluation.base.total_minor, receipt.base_minor
        if spent != was or not self._tells_of_places:
            visits = int(is_visit(receipt.purchase))
            self._note_purchase(receipt.owner_id, receipt.purchase, facts, Used(spent, visits), Used(was, visits))
        drafted, awarded = evaluation.usage, self._used_by(receipt)
        if drafted or awarded:
            used = {name: Used(points, receipts) for name, points, receipts in drafted}
            self._note_usage(receipt.owner_id, receipt.purchase, facts, used, awarded)

    def _give_back(
        self,
        taken: TakenReturn,
        original: _Original,
        drafted: tuple[Evaluation, Evaluation],
        awarded: tuple[Evaluation, Evaluation],
    ) -> None:
        purchase, facts = original.receipt.purchase, original.facts
        spent, was = (after.base.total_minor - before.base.total_minor for before, after in (drafted, awarded))
        purchases = -1 if taken.is_void and is_visit(purchase) else 0
        self._note_purchase(taken.owner_id, purchase, facts, Used(spent, purchases), Used(was, purchases))
        self._note_usage(taken.owner_id, purchase, facts, _less(*drafted), _less(*awarded))

    def _note_purchase(
        self, owner_id: UUID, purchase: PurchaseData, facts: EarningFacts, drafted: Used, awarded: Used
    ) -> None:
        for place in self._places if hands_over(purchase) else ():
            day, name = local_day(purchase, facts, place.zone), activity_name(place.at, place.zone, purchase.partner_id)
            self._add(place, owner_id, name, day, drafted, awarded)

    def _note_usage(
        self,
        owner_id: UUID,
        purchase: PurchaseData,
        facts: EarningFacts,
        drafted: Mapping[str, Used],
        awarded: Mapping[str, Used],
    ) -> None:
        for name in drafted.keys() | awarded.keys():
            cap, used, was = self._caps.get(name), drafted.get(name, Used()), awarded.get(name, Used())
            if cap is not None:
                self._add(name, owner_id, name, _day_of(cap, purchase, facts), used, was)
            elif name in self._draft.needs.budgets:
                self.counted.take(name, used, was)

    def _add(self, counter: Counter, owner_id: UUID, name: str, day: date, drafted: Used, awarded: Used) -> None:
        """What every version in force tells of needs the difference alone, which is mostly nothing."""
        if counter not in self._told.always:
            self.counted.drafted.add(owner_id, name, day, drafted.points, drafted.receipts)
        if counter in self._told.ever:
            points, receipts = drafted.points - awarded.points, drafted.receipts - awarded.receipts
            self.counted.ahead.add(owner_id, name, day, points, receipts)

    def _used_by(self, receipt: AwardedReceipt) -> dict[str, Used]:
        """What an award had used of caps and budgets, from the points of its rules."""
        rule_set = receipt.rule_set
        steps = self._steps.get(rule_set.version)
        if steps is None:
            counted = [(step.name, step.rule_ids) for step in cap_steps(rule_set) if step.name is not None]
            steps = self._steps[rule_set.version] = tuple(counted)
        used = {}
        for name, rule_ids in steps:
            applied = receipt.applied
            if len(rule_ids) < len(applied):  # most caps are of one rule
                points = sum([applied[rule_id] for rule_id in rule_ids if rule_id in applied])
            else:
                points = sum([points for rule_id, points in applied.items() if rule_id in rule_ids])
            if points:
                used[name] = Used(points, 1)
        return used


def _day_of(cap: CapKey, purchase: PurchaseData, facts: EarningFacts) -> date:
    """Where the use of a cap is counted: a window of the calendar takes one place, a run of days one a day."""
    day = local_day(purchase, facts, cap.zone)
    return day if cap.unit == "rolling" else days_of(cap.unit, cap.days, day).first


def _less(before: Evaluation, after: Evaluation) -> dict[str, Used]:
    """What is no longer used, below zero."""
    return {name: Used(-points, -receipts) for name, points, receipts in usage_less(before.usage, after.usage)}


def _less_by_rule(before: Evaluation, after: Evaluation) -> dict[str, int]:
    """By rule, how many points are no longer earned."""
    left = {one.rule_id: one.points for one in after.applied}
    less = {one.rule_id: one.points - left.pop(one.rule_id, 0) for one in before.applied}
    less |= {rule_id: -more for rule_id, more in left.items()}
    return {rule_id: points for rule_id, points in less.items() if points}
