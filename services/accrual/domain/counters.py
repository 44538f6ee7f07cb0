"""What is counted of members, day by day, for rules and caps; and what a receipt asks of it."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

from services.accrual.domain.earning_facts import EarningFacts
from services.accrual.domain.earning_windows import Days, day_on, days_of
from services.accrual.domain.rules import RuleSet
from services.accrual.domain.rules.needs import ActivityKey, CapKey, CountedPlace, activity_name
from services.accrual.domain.rules.values import Zone
from shared.events.purchases import PurchaseData

Counter: TypeAlias = tuple[UUID, str]


class CountedAsk(NamedTuple):
    """What a receipt needs to know of one counter: its window, and the receipt's own day."""

    member_id: UUID
    name: str
    days: Days
    day: date


class Counted(NamedTuple):
    """What the database knows. ``days`` are other days with something counted; ``last_on`` is up to the own day."""

    amount: int = 0
    receipts: int = 0
    days: int = 0
    is_same_day: bool = False
    last_on: date | None = None


NOTHING_COUNTED = Counted()


class AsksOfReceipt(NamedTuple):
    """All that a receipt asks of the counters, worked out once: what its rules need, in the order in which they say
    so, and of each place whether its day is a new one.
    """

    member_id: UUID
    purchase: PurchaseData
    rule_set: RuleSet
    activity: tuple[CountedAsk, ...]
    caps: tuple[CountedAsk, ...]
    places: tuple[CountedAsk, ...]

    def are_of(self, member_id: UUID, purchase: PurchaseData, rule_set: RuleSet) -> bool:
        """Whether they were worked out for the very same."""
        return self.purchase is purchase and self.rule_set is rule_set and self.member_id is member_id

    @property
    def of_latest(self) -> list[Counter]:
        """The counters that tell whether a receipt of a later time was decided before: of purchases, else of caps."""
        if not self.activity and not self.caps:
            return []
        return [(ask.member_id, ask.name) for ask in self.places or self.caps]


class CountedRow(NamedTuple):
    """What is to be added to a counter, on a day. ``latest_at`` is the time of the receipt that it was counted for."""

    member_id: UUID
    name: str
    day: date
    amount: int
    receipts: int
    latest_at: datetime | None = None


def local_day(purchase: PurchaseData, facts: EarningFacts, zone: Zone) -> date:
    """The receipt's day on the clocks of a zone."""
    return day_on(purchase.occurred_at, facts.zone(zone))


def activity_ask(member_id: UUID, key: ActivityKey, purchase: PurchaseData, facts: EarningFacts) -> CountedAsk:
    """What a predicate asks of the counters."""
    day = local_day(purchase, facts, key.zone)
    name = activity_name(key.at, key.zone, purchase.partner_id)
    return CountedAsk(member_id, name, days_of(key.unit, key.days, day), day)


def cap_ask(member_id: UUID, cap: CapKey, purchase: PurchaseData, facts: EarningFacts) -> CountedAsk:
    """What a member's cap asks of the counters."""
    day = local_day(purchase, facts, cap.zone)
    return CountedAsk(member_id, cap.name, days_of(cap.unit, cap.days, day), day)


def asks_of(
    member_id: UUID, purchase: PurchaseData, facts: EarningFacts, rule_set: RuleSet, places: Iterable[CountedPlace]
) -> AsksOfReceipt:
    """All that a receipt asks of the counters: what its rules need, and whether its day is a new one."""
    needs = rule_set.needs
    return AsksOfReceipt(
        member_id,
        purchase,
        rule_set,
        tuple([activity_ask(member_id, key, purchase, facts) for key in needs.activity]),
        tuple([cap_ask(member_id, cap, purchase, facts) for cap in needs.member_caps]),
        tuple([activity_ask(member_id, ActivityKey(at, "day", 0, zone), purchase, facts) for at, zone in places]),
    )
