"""Which facts a rule set needs, so that whoever judges loads these and no others."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from services.accrual.domain.rules.caps import BalanceCap, Campaign, MemberCap, RuleSetCap
from services.accrual.domain.rules.effects import TierMultiplier
from services.accrual.domain.rules.predicates import Predicate
from services.accrual.domain.rules.predicates_of_attributes import AttributeTest
from services.accrual.domain.rules.predicates_of_member import (
    BirthdayNear,
    DaysSincePurchase,
    EnrolledFor,
    FirstPurchase,
    InCampaign,
    InHousehold,
    InSegment,
    NthPurchase,
    Place,
    SpendIs,
    TierIs,
)
from services.accrual.domain.rules.predicates_of_receipt import StoreGroupIs
from services.accrual.domain.rules.rule import Rule
from services.accrual.domain.rules.values import CalendarWindow, RollingWindow, WholeTime, Window, Zone
from services.accrual.domain.rules.walking import predicates_in


class ActivityKey(NamedTuple):
    """What of a member's purchases is counted: everywhere or at the receipt's partner, in which window.

    ``unit`` is ``day``, ``week``, ``month``, ``quarter``, ``year``, ``ever`` or ``rolling``; of the last, ``days``.
    """

    at: Place
    unit: str
    days: int
    zone: Zone


class CountedPlace(NamedTuple):
    """Whose purchases are counted, and by whose days."""

    at: Place
    zone: Zone


class CapKey(NamedTuple):
    """A member's cap: the name that its use is counted under, and its window as ``ActivityKey`` has it."""

    name: str
    unit: str
    days: int
    zone: Zone


class GroupName(NamedTuple):
    """A group of members that rules name."""

    kind: Literal["segment", "campaign"]
    code: str


class Needs(NamedTuple):
    """What a rule set must be handed. Its facts are stored in the order of these tuples."""

    activity: tuple[ActivityKey, ...]
    member_caps: tuple[CapKey, ...]
    budgets: tuple[str, ...]
    balance: bool
    programme_zone: bool
    store_zone: bool
    store_group: bool
    birthdays: tuple[BirthdayNear, ...]
    enrolled_at: bool
    tier: bool
    household: bool
    groups: tuple[GroupName, ...]
    attributes: tuple[AttributeTest, ...]
    tier_percent: bool


def activity_key(predicate: FirstPurchase | NthPurchase | SpendIs | DaysSincePurchase) -> ActivityKey:
    """What a predicate reads of a member's purchases."""
    match predicate:
        case FirstPurchase(at=at):
            return ActivityKey(at, "ever", 0, "programme")
        case DaysSincePurchase(at=at, zone=zone):
            return ActivityKey(at, "ever", 0, zone)
        case NthPurchase(at=at, window=window) | SpendIs(at=at, window=window):
            return ActivityKey(at, *window_parts(window))


def activity_name(at: Place, zone: Zone, partner_id: str) -> str:
    """Under which name a member's purchases are counted."""
    return f"bought/{zone}" if at == "programme" else f"bought/{zone}/{partner_id}"


def cap_name(of: str, window: Window) -> str:
    """Under which name the use of a member's cap is counted. It stays the same from version to version."""
    unit, days, zone = window_parts(window)
    return f"{of}/{unit}{days or ''}/{zone}"


def needs_of(rules: Sequence[Rule], campaigns: Sequence[Campaign], caps: Sequence[RuleSetCap]) -> Needs:
    """What the rules, the campaigns and the caps of a rule set need."""
    predicates = [one for rule in rules for one in predicates_in(rule.condition.when)]
    member_caps = tuple(_member_caps(rules, campaigns, caps))
    in_use = {rule.campaign for rule in rules}
    zones = {zone for one in predicates if (zone := _zone_of(one)) is not None}
    zones |= {campaign.zone for campaign in campaigns} | {cap.zone for cap in member_caps}
    kinds = {one.kind for one in predicates}
    counted = FirstPurchase | NthPurchase | SpendIs | DaysSincePurchase
    tier_percent = any(isinstance(rule.effect, TierMultiplier) for rule in rules)
    return Needs(
        activity=tuple(sorted({activity_key(one) for one in predicates if isinstance(one, counted)})),
        member_caps=member_caps,
        budgets=tuple(one.id for one in campaigns if one.budget is not None and one.id in in_use),
        balance=any(isinstance(cap, BalanceCap) for cap in caps),
        programme_zone="programme" in zones,
        store_zone="store" in zones,
        store_group=_kind(StoreGroupIs) in kinds,
        birthdays=tuple(dict.fromkeys(one for one in predicates if isinstance(one, BirthdayNear))),
        enrolled_at=_kind(EnrolledFor) in kinds,
        tier=tier_percent or _kind(TierIs) in kinds,
        household=_kind(InHousehold) in kinds,
        groups=tuple(sorted({group for one in predicates for group in groups_named(one)})),
        attributes=tuple(dict.fromkeys(one for one in predicates if isinstance(one, AttributeTest))),
        tier_percent=tier_percent,
    )


def groups_named(predicate: Predicate) -> list[GroupName]:
    """The groups of members that a predicate names."""
    match predicate:
        case InSegment(segments=codes):
            return [GroupName("segment", code) for code in codes]
        case InCampaign(campaigns=codes):
            return [GroupName("campaign", code) for code in codes]
        case _:
            return []


def _kind(predicate: type[StoreGroupIs | EnrolledFor | TierIs | InHousehold]) -> str:
    kind: str = predicate.model_fields["kind"].default
    return kind


def _member_caps(rules: Sequence[Rule], campaigns: Sequence[Campaign], caps: Sequence[RuleSetCap]) -> Iterator[CapKey]:
    of_rules = ((f"rule:{rule.id}", rule.caps) for rule in rules)
    of_campaigns = ((f"campaign:{one.id}", one.caps) for one in campaigns)
    owners: Iterable[tuple[str, Sequence[object]]] = (*of_rules, *of_campaigns, ("all", caps))
    for of, theirs in owners:
        for cap in theirs:
            if isinstance(cap, MemberCap):
                yield CapKey(cap_name(of, cap.window), *window_parts(cap.window))


def window_parts(window: Window) -> tuple[str, int, Zone]:
    """A window as ``ActivityKey`` has it: its unit, the days of a rolling one, and its zone."""
    match window:
        case CalendarWindow(unit=unit, zone=zone):
            return unit, 0, zone
        case RollingWindow(days=days, zone=zone):
            return "rolling", days, zone
        case WholeTime():
            return "ever", 0, "programme"


def _zone_of(predicate: Predicate) -> Zone | None:
    if isinstance(predicate, NthPurchase | SpendIs):
        return window_parts(predicate.window)[2]
    zone: Zone | None = getattr(predicate, "zone", None)
    return zone
