"""What a receipt earns as it should have been, and what that changes of what it had earned. Pure.

It is judged by the rules, the mapping and the facts that it was awarded by. Only what caps, budgets and the balance let
it have is bounded by what is free now, too: what others have used since is not theirs to lose.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.accrual.domain.award_parts import EarnedPart, PartKey, every_part
from services.accrual.domain.awarding_anew import FrozenAward
from services.accrual.domain.capping import cap_steps
from services.accrual.domain.counters import CountedRow, local_day
from services.accrual.domain.earning_facts import EarningFacts, Left, Used
from services.accrual.domain.earning_of_batch import EarningOfBatch
from services.accrual.domain.evaluation import Evaluation, evaluate_purchase, evaluate_what_is_kept
from services.accrual.domain.outcomes import Usage
from services.accrual.domain.rules.caps import MemberCap
from services.accrual.domain.rules.needs import activity_name
from services.accrual.domain.settlement import hands_over
from shared.events.purchases import PurchaseData


class JudgedAnew(NamedTuple):
    """``before`` is what the award held without the goods that came back. ``whole`` is what the receipt earns as it
    should have been, ``after`` the same without those goods.
    """

    before: Evaluation
    whole: Evaluation
    after: Evaluation


class PartNow(NamedTuple):
    """A part of an award: how much is left of it. ``is_gone``: it waited in vain, and is as if nobody had earned it."""

    number: int
    key: PartKey
    left: int
    is_gone: bool = False


class PartThen(NamedTuple):
    """A part once its receipt is corrected: ``was`` left of it, and ``left`` is. ``earned`` is what the receipt earns
    of it in all; None where it earns nothing of it any more.
    """

    number: int
    key: PartKey
    was: int
    left: int
    earned: EarnedPart | None

    @property
    def change(self) -> int:
        """What is given, or below zero taken."""
        return self.left - self.was


def judge_anew(award: FrozenAward, purchase: PurchaseData, now: EarningFacts | None) -> JudgedAnew:
    """Judge ``purchase``, which is what the award's should have been. ``now`` are facts by what is counted now, this
    award included; None: its rules ask for nothing that is looked up.

    Raises:
        MissingFactError: a rule needs a fact that was not handed in.
    """
    rule_set, categories, facts, returned = award.rule_set, award.categories, award.facts, award.returned_thousandths

    def kept(of: PurchaseData, by: EarningFacts) -> Evaluation:
        if not returned:
            return evaluate_purchase(of, rule_set, categories, by)
        return evaluate_what_is_kept(of, rule_set, returned, categories, by)

    before = kept(award.purchase, facts)
    own = facts if now is None else _bounded(facts, now, before)
    whole = evaluate_purchase(purchase, rule_set, categories, own)
    return JudgedAnew(before, whole, kept(purchase, own) if returned else whole)


def parts_then(parts: Sequence[PartNow], judged: JudgedAnew, award: FrozenAward) -> list[PartThen]:
    """The award's parts as the correction leaves them, what is new numbered after what was there; what is gone aside.

    Each changes by what the receipt earns more or less of it, and holds nothing below zero: what a part lacks for that
    is taken of others of its type that hold more than is earned.
    """
    before, after = (
        {part.key: part.points for part in every_part(one, award.earned_on)} for one in (judged.before, judged.after)
    )
    earned = {part.key: part for one in (judged.after, judged.whole) for part in every_part(one, award.earned_on)}
    gone = {part.key for part in parts if part.is_gone}
    there = {part.key: part for part in parts if not part.is_gone}
    keys = [*there, *(key for key in earned if key not in there and key not in gone)]
    was = {key: there[key].left if key in there else 0 for key in keys}
    left = {key: was[key] + after.get(key, 0) - before.get(key, 0) for key in keys}
    for point_type in {key.point_type for key in keys}:
        _cover([key for key in keys if key.point_type == point_type], left, after)
    number = max((part.number for part in parts), default=-1)
    found = []
    for key in keys:
        if key not in there:
            number += 1
        found.append(PartThen(there[key].number if key in there else number, key, was[key], left[key], earned.get(key)))
    return found


def count_difference(earning: EarningOfBatch, award: FrozenAward, purchase: PurchaseData, judged: JudgedAnew) -> None:
    """Count what windows, caps and budgets hold more or less, on the receipt's day. It stays one purchase: only where
    goods are handed over that were not, or the other way round, it becomes one or is one no more.
    """
    before, _, after = judged
    owner_id, facts, first = award.owner_id, award.facts, award.purchase
    here = earning.at_store.get((first.partner_id, first.store_id))
    was, is_purchase = hands_over(first), hands_over(purchase)
    spend = after.base.total_minor - before.base.total_minor
    if here is not None and (spend or was != is_purchase):
        for place in earning.places:
            name, day = activity_name(place.at, place.zone, first.partner_id), local_day(first, here, place.zone)
            receipts = int(is_purchase) - int(was)
            latest = first.occurred_at if receipts > 0 else None
            _note(earning, CountedRow(owner_id, name, day, spend, receipts, latest), is_new=receipts > 0)
    zones = {cap.name: cap.zone for cap in award.rule_set.needs.member_caps}
    for name, points, receipts in _usage_changed(before.usage, after.usage):
        if name in zones:
            row = CountedRow(owner_id, name, local_day(first, facts, zones[name]), points, receipts)
            _note(earning, row, is_new=points > 0)
        else:
            taken = earning.budgets_taken.get(name, Used())
            earning.budgets_taken[name] = Used(taken.points + points, taken.receipts + receipts)


def _bounded(then: EarningFacts, now: EarningFacts, held: Evaluation) -> EarningFacts:
    """The facts of then, with no more room under caps, budgets and the balance's cap than there is now beside what the
    award holds itself: that it may keep, whatever has become of the room.
    """
    rule_set = held.rule_set
    own = {one.name: Used(one.points, one.receipts) for one in held.usage}
    used = dict(then.used)
    for step in cap_steps(rule_set):
        if isinstance(step.cap, MemberCap) and step.name is not None and step.name in used:
            by_then, by_now, mine = used[step.name], now.used[step.name], own.get(step.name, Used())
            used[step.name] = Used(
                max(by_then.points, _by_others(by_now.points, mine.points, step.cap.points_max)),
                max(by_then.receipts, _by_others(by_now.receipts, mine.receipts, step.cap.receipts_max)),
            )
    budgets = {
        name: Left(
            _granted(left.points, now.budgets[name].points, own.get(name, Used()).points),
            _granted(left.receipts, now.budgets[name].receipts, own.get(name, Used()).receipts),
        )
        for name, left in then.budgets.items()
    }
    balance = then.balance
    if balance is not None and now.balance is not None:
        balance = max(balance, _by_others(now.balance, held.points, rule_set.balance_max))
    return then._replace(used=used, budgets=budgets, balance=balance)


def _by_others(now: int, own: int, most: int | None) -> int:
    """What others have used, but no more than leaves one's own."""
    return (now if most is None else min(now, most)) - own


def _granted(then: int | None, now: int | None, own: int) -> int | None:
    return then if then is None or now is None else min(then, now + own)


def _cover(keys: Sequence[PartKey], left: dict[PartKey, int], after: Mapping[PartKey, int]) -> None:
    """Let no part of one type hold less than nothing: what is missing is taken of those that hold too much, what waits
    first.
    """
    missing = 0
    for key in keys:
        if left[key] < 0:
            missing, left[key] = missing - left[key], 0
    for key in sorted(keys, key=lambda one: one.wait is None):
        taken = min(missing, max(0, left[key] - after.get(key, 0)))
        left[key], missing = left[key] - taken, missing - taken


def _usage_changed(before: Iterable[Usage], after: Iterable[Usage]) -> list[Usage]:
    was, now = ({one.name: one for one in usage} for usage in (before, after))
    changed = []
    for name in {**was, **now}:
        had, has = was.get(name, Usage(name, 0, 0)), now.get(name, Usage(name, 0, 0))
        if had != has:
            changed.append(Usage(name, has.points - had.points, has.receipts - had.receipts))
    return changed


def _note(earning: EarningOfBatch, row: CountedRow, *, is_new: bool) -> None:
    """What is new lays a counter's day where there is none; all else changes only what was counted."""
    rows = earning.added if is_new else earning.given_back
    rows.setdefault((row.member_id, row.name), []).append(row)
