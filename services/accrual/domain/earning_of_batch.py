"""The facts of a batch of receipts, while they are decided one by one: each sees what those before it have used.

Pure: what the database knows is handed in, what is to be written is kept here. Counters hold what was decided so far,
by the day of the receipt; a receipt that comes late counts in its own window and changes no decision that was made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from services.accrual.domain.counters import (
    NOTHING_COUNTED,
    AsksOfReceipt,
    Counted,
    CountedAsk,
    CountedRow,
    Counter,
    asks_of,
    local_day,
)
from services.accrual.domain.earning_facts import Activity, EarningFacts, Left, Used
from services.accrual.domain.earning_windows import Days
from services.accrual.domain.evaluation import Evaluation
from services.accrual.domain.outcomes import Usage
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import ActivityKey, CountedPlace, activity_name
from services.accrual.domain.settlement import hands_over, is_visit
from shared.events.purchases import PurchaseData


@dataclass(slots=True)
class EarningOfBatch:
    """Facts by receipt, counters as they were, and what this batch adds to them.

    ``facts`` hold what does not change within the batch, by natural key, and ``at_store`` what is known
    of stores alone. ``places`` are what is counted of every purchase, and since when
    (``RuleSetHistory.counted_places``). ``balances`` are members' own where a cap on them asks: available, held and
    pending, less what is owed. ``latest`` is the time of the latest receipt that each counter holds. ``asks`` are those
    that were worked out already, by natural key.
    """

    facts: Mapping[bytes, EarningFacts]
    at_store: Mapping[tuple[str, str], EarningFacts]
    counted: Mapping[CountedAsk, Counted]
    places: Mapping[CountedPlace, datetime]
    budgets_used: Mapping[str, Used]
    balances: Mapping[UUID, int] = field(default_factory=dict)
    latest: Mapping[Counter, datetime] = field(default_factory=dict)
    asks: Mapping[bytes, AsksOfReceipt] = field(default_factory=dict)
    added: dict[Counter, list[CountedRow]] = field(default_factory=dict)
    given_back: dict[Counter, list[CountedRow]] = field(default_factory=dict)
    budgets_taken: dict[str, Used] = field(default_factory=dict)
    balances_moved: dict[UUID, int] = field(default_factory=dict)

    def facts_of(self, key: bytes, member_id: UUID, purchase: PurchaseData, rule_set: RuleSet) -> EarningFacts:
        """The facts of one receipt, those before it in the batch included."""
        facts, needs = self.facts[key], rule_set.needs
        if needs.balance:
            facts = facts._replace(balance=self.balances[member_id] + self.balances_moved.get(member_id, 0))
        if not needs.activity and not needs.member_caps and not needs.budgets:
            return facts
        asks = self._asks_of(key, member_id, purchase, rule_set)
        return EarningFacts(  # in the order of its fields: by name, or by replacing some, it takes three times as long
            facts.programme_zone,
            facts.store_zone,
            facts.store_group,
            facts.member,
            {one: self._activity(one, ask, facts) for one, ask in zip(needs.activity, asks.activity, strict=True)},
            {ask.name: Used(*self._used(ask, self.counted.get(ask, NOTHING_COUNTED))) for ask in asks.caps},
            {name: self._left(name, rule_set) for name in needs.budgets},
            facts.balance,
            self._decided_after(asks),
        )

    def count(self, key: bytes, member_id: UUID, purchase: PurchaseData, evaluation: Evaluation) -> None:
        """A purchase was awarded: count it, and what it used."""
        self.move(member_id, evaluation.points)
        if self.places and hands_over(purchase):
            spend_minor, visits = evaluation.base.total_minor, int(is_visit(purchase))
            for ask in self._asks_of(key, member_id, purchase, evaluation.rule_set).places:
                row = CountedRow(member_id, ask.name, ask.day, spend_minor, visits, purchase.occurred_at)
                _note(self.added, row)
        if not evaluation.usage:
            return
        zones = {cap.name: cap.zone for cap in evaluation.rule_set.needs.member_caps}
        for name, points, receipts in evaluation.usage:
            if name in zones:
                day = local_day(purchase, self.facts[key], zones[name])
                _note(self.added, CountedRow(member_id, name, day, points, receipts, purchase.occurred_at))
            else:
                self._take(name, points, receipts)

    def give_back(
        self,
        member_id: UUID,
        purchase: PurchaseData,
        facts: EarningFacts,
        before: Evaluation,
        after: Evaluation,
        purchases: int = 0,
    ) -> None:
        """Goods came back: what they had used can be used again, on the day of the purchase.

        The visit stays a visit, and the purchase a purchase; but for those ``purchases`` that never were.
        """
        spend = before.base.total_minor - after.base.total_minor
        here = self.at_store.get((purchase.partner_id, purchase.store_id))
        if here is not None and (spend or purchases) and hands_over(purchase):
            for place in self.places:
                name = activity_name(place.at, place.zone, purchase.partner_id)
                day = local_day(purchase, here, place.zone)
                _note(self.given_back, CountedRow(member_id, name, day, -spend, -purchases))
        self.free(member_id, purchase, facts, after.rule_set, usage_less(before.usage, after.usage))

    def take_off(self, member_id: UUID, purchase: PurchaseData, facts: EarningFacts, kept: Evaluation) -> None:
        """A purchase was never this member's: what is still counted of it goes, the purchase and the visit too.

        ``facts`` are those that it was judged by, ``kept`` is what it gives without what came back of it.
        """
        here = self.at_store.get((purchase.partner_id, purchase.store_id))
        for place in self.places if here is not None and hands_over(purchase) else ():
            name = activity_name(place.at, place.zone, purchase.partner_id)
            day = local_day(purchase, here or facts, place.zone)
            _note(self.given_back, CountedRow(member_id, name, day, -kept.base.total_minor, -1))
        self.free(member_id, purchase, facts, kept.rule_set, kept.usage)
        self.move(member_id, -kept.points)

    def free(
        self, member_id: UUID, purchase: PurchaseData, facts: EarningFacts, rule_set: RuleSet, usage: Iterable[Usage]
    ) -> None:
        """What was used of caps, on the day of the purchase, and of budgets can be used again."""
        zones = {cap.name: cap.zone for cap in rule_set.needs.member_caps}
        for name, points, receipts in usage:
            if name in zones:
                day = local_day(purchase, facts, zones[name])
                _note(self.given_back, CountedRow(member_id, name, day, -points, -receipts))
            else:
                self._take(name, -points, -receipts)

    def move(self, member_id: UUID, points: int) -> None:
        """What a member has rose by so many of the programme's own points; by a claw-back it falls."""
        if self.balances:
            self.balances_moved[member_id] = self.balances_moved.get(member_id, 0) + points

    def _asks_of(self, key: bytes, member_id: UUID, purchase: PurchaseData, rule_set: RuleSet) -> AsksOfReceipt:
        found = self.asks.get(key)
        if found is not None and found.are_of(member_id, purchase, rule_set):
            return found
        return asks_of(member_id, purchase, self.facts[key], rule_set, self.places)

    def _decided_after(self, asks: AsksOfReceipt) -> datetime | None:
        """The time of the latest receipt that was counted before this one, where that is of a later time."""
        latest: datetime | None = None
        for counter in asks.of_latest:
            stored, added = self.latest.get(counter), self.added.get(counter, ())
            for moment in (stored, *[row.latest_at for row in added]) if added else (stored,):
                if moment is not None and (latest is None or moment > latest):
                    latest = moment
        return latest if latest is not None and latest > asks.purchase.occurred_at else None

    def _take(self, name: str, points: int, receipts: int) -> None:
        taken = self.budgets_taken.get(name, Used())
        self.budgets_taken[name] = Used(taken.points + points, taken.receipts + receipts)

    def _left(self, name: str, rule_set: RuleSet) -> Left:
        budget = next(one.budget for one in rule_set.campaigns if one.id == name)
        if budget is None:
            return Left()
        used, taken = self.budgets_used.get(name, Used()), self.budgets_taken.get(name, Used())
        return Left(
            None if budget.points_max is None else max(0, budget.points_max - used.points - taken.points),
            None if budget.receipts_max is None else max(0, budget.receipts_max - used.receipts - taken.receipts),
        )

    def _used(self, ask: CountedAsk, found: Counted) -> tuple[int, int]:
        """What was given, or bought, in a window: as it was ``found``, and since."""
        amount, receipts = found.amount, found.receipts
        counter = ask.member_id, ask.name
        for row in (*self.added.get(counter, ()), *self.given_back.get(counter, ())):
            if ask.days.first <= row.day <= ask.days.last:
                amount, receipts = amount + row.amount, receipts + row.receipts
        return max(0, amount), max(0, receipts)

    def _activity(self, key: ActivityKey, ask: CountedAsk, facts: EarningFacts) -> Activity:
        found = self.counted.get(ask, NOTHING_COUNTED)
        spend_minor, purchases = self._used(ask, found)
        days, is_same_day, last_on = found.days, found.is_same_day, found.last_on
        if rows := self.added.get((ask.member_id, ask.name)):
            here = {row.day for row in rows if row.receipts and ask.days.first <= row.day <= ask.days.last}
            is_same_day = is_same_day or ask.day in here
            days += sum(1 for day in here if day != ask.day and not self._was_counted(ask.member_id, ask.name, day))
            last_on = max((day for day in (*here, last_on) if day is not None and day <= ask.day), default=None)
        is_whole = True
        if key.unit == "ever":
            since, enrolled_at = self.places.get(CountedPlace(key.at, key.zone)), facts.member.enrolled_at
            is_whole = since is not None and enrolled_at is not None and enrolled_at >= since
        return Activity(purchases, days, is_same_day, spend_minor, last_on, is_whole)

    def _was_counted(self, member_id: UUID, name: str, day: date) -> bool:
        """Whether the database had counted something on a day of this batch."""
        return self.counted.get(CountedAsk(member_id, name, Days(day, day), day), Counted()).is_same_day


def _note(rows: dict[Counter, list[CountedRow]], row: CountedRow) -> None:
    rows.setdefault((row.member_id, row.name), []).append(row)


def usage_less(before: Iterable[Usage], after: Iterable[Usage]) -> list[Usage]:
    """What was used before and no longer is."""
    kept = {one.name: one for one in after}
    less = [
        Usage(one.name, one.points - kept_one.points, one.receipts - kept_one.receipts)
        for one in before
        for kept_one in (kept.get(one.name, Usage(one.name, 0, 0)),)
    ]
    return [one for one in less if one.points or one.receipts]
