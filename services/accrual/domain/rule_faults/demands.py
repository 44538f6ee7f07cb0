"""What predicates and line tests demand, dimension by dimension: a receipt has one store, one day, one hour."""

from collections.abc import Hashable, Iterable, Sequence
from datetime import date
from typing import Any, Final

from services.accrual.domain.rule_faults.conjunctions import Codes, Constraint, Demand, Interval
from services.accrual.domain.rules.line_tests import ArticleTest, BrandTest
from services.accrual.domain.rules.predicates_of_event import PayloadIs, PayloadNumber
from services.accrual.domain.rules.predicates_of_member import (
    DatesAre,
    DaysSincePurchase,
    EnrolledFor,
    FirstPurchase,
    HoursAre,
    InHousehold,
    NthPurchase,
    SpendIs,
    TierIs,
    WeekdayIs,
)
from services.accrual.domain.rules.predicates_of_receipt import (
    AmountIs,
    BasketSizeIs,
    ChannelIs,
    PartnerIs,
    QuantityIs,
    StoreGroupIs,
    StoreIs,
)
from services.accrual.domain.rules.ranges import Range
from services.accrual.domain.rules.values import Zone

PARTNER: Final = "partner"
MINUTES_OF_DAY: Final = 1_440
DAYS_OF_WEEK: Final = 7
# Of two zones: 14 hours ahead of UTC, and 12 behind it.
DAYS_APART_MAX: Final = 2


def demands_of_predicate(leaf: Any, is_wanted: bool) -> Sequence[Demand]:
    """What a predicate demands, or its opposite. What it cannot tell so it leaves out."""
    demands = _demands(leaf)
    if is_wanted:
        return demands
    # The opposite of several demands is a choice, and the opposite of one is certain.
    return [Demand(demands[0].dimension, opposite) for opposite in _opposites(leaf, demands)]


def demands_of_line_test(leaf: Any, is_wanted: bool) -> Sequence[Demand]:
    """What a line test demands, or its opposite: a line is of one article and of one brand."""
    match leaf:
        case ArticleTest(skus=codes):
            return [_codes("article", codes, is_wanted)]
        case BrandTest(brands=codes):
            return [_codes("brand", codes, is_wanted)]
        case _:
            return []


def dates_between(zone: Zone, from_date: date | None, until_date: date | None) -> Demand:
    """The receipt's day lies between two, in this zone."""
    low, high = (None if day is None else day.toordinal() for day in (from_date, until_date))
    return Demand(("dates", zone), Interval(low, high))


def at_partners(partners: Iterable[str]) -> Demand:
    """The receipt is one of these partners'."""
    return _codes(PARTNER, partners)


def days_clash(state: dict[Hashable, Constraint]) -> bool:
    """Whether no day meets what is demanded of dates and weekdays, or less is wanted of the whole than of a part."""
    return any(_no_day(state, zone) for zone in ("programme", "store")) or any(
        _part_above_all(state, kind) for kind in ("amount", "quantity", "basket_size")
    )


def _no_day(state: dict[Hashable, Constraint], zone: Zone) -> bool:
    days, weekdays = state.get(("dates", zone)), state.get(("weekday", zone))
    other = state.get(("dates", "store" if zone == "programme" else "programme"))
    if isinstance(days, Interval) and isinstance(other, Interval):
        apart = (-DAYS_APART_MAX, DAYS_APART_MAX)
        wider = Interval(*(None if day is None else day + by for day, by in zip(other, apart, strict=True)))
        if days.meet(wider).is_empty:
            return True
    if not isinstance(days, Interval) or not isinstance(weekdays, Codes) or None in days:
        return False
    low, high = days
    if low is None or high is None or high - low >= DAYS_OF_WEEK:
        return False
    there = frozenset(date.fromordinal(day).isoweekday() for day in range(low, high + 1))
    return weekdays.meet(Codes(there)).is_empty


def _part_above_all(state: dict[Hashable, Constraint], kind: str) -> bool:
    whole = state.get((kind, None))
    if not isinstance(whole, Interval) or whole.high is None:
        return False
    return any(
        isinstance(one, Interval) and one.low is not None and one.low > whole.high
        for dimension, one in state.items()
        if isinstance(dimension, tuple) and dimension[0] == kind and dimension[1] is not None
    )


def _demands(leaf: Any) -> list[Demand]:
    match leaf:
        case PartnerIs(partners=partners):
            return [_codes(PARTNER, partners)]
        case StoreIs(stores=stores):
            named = [(store.partner_id, store.store_id) for store in stores]
            return [_codes("store", named), _codes(PARTNER, [partner for partner, _ in named])]
        case StoreGroupIs(groups=groups):
            named = [(group.partner_id, group.group) for group in groups]
            return [_codes("store group", named), _codes(PARTNER, [partner for partner, _ in named])]
        case ChannelIs(channels=channels):
            return [_codes("channel", channels)]
        case TierIs(tiers=tiers):
            return [_codes("tier", tiers)]
        case InHousehold():
            return [_codes("household", [True])]
        case AmountIs(lines=lines) | QuantityIs(lines=lines) | BasketSizeIs(lines=lines):
            return [Demand((leaf.kind, lines), _interval(leaf))]
        case WeekdayIs() | HoursAre() | DatesAre() | EnrolledFor():
            return [_of_time(leaf)]
        case _:
            return _of_event(leaf)


def _of_time(leaf: WeekdayIs | HoursAre | DatesAre | EnrolledFor) -> Demand:
    match leaf:
        case WeekdayIs(weekdays=weekdays, zone=zone):
            return _codes(("weekday", zone), weekdays)
        case HoursAre(from_minute=since, until_minute=until, zone=zone):
            minutes = range(since, until if since < until else until + MINUTES_OF_DAY)
            return _codes(("hour", zone), [minute % MINUTES_OF_DAY for minute in minutes])
        case DatesAre(from_date=since_day, until_date=until_day, zone=zone):
            return dates_between(zone, since_day, until_day)
        case EnrolledFor(zone=zone):
            return Demand(("enrolled", zone), _interval(leaf))


def _of_event(leaf: Any) -> list[Demand]:
    match leaf:
        case PayloadIs(property=name, values=values):
            return [_codes(("payload", name), values)]
        case PayloadNumber(property=name):
            return [Demand(("payload number", name), _interval(leaf))]
        case _:
            return _of_history(leaf)


def _of_history(leaf: Any) -> list[Demand]:
    match leaf:
        case FirstPurchase(at=at):
            # Nothing anywhere is nothing at this partner either.
            return [_codes(("bought before", each), [False]) for each in ({at, "partner"})]
        case NthPurchase(nth=nth, counted=counted, repeats=repeats, at=at, window=window):
            exactly = [] if repeats else [_codes(("nth", counted, at, window), [nth])]
            return exactly + (_bought_before(at) if nth > 1 and counted == "purchases" else [])
        case SpendIs(at=at, window=window):
            return [Demand(("spend", at, window), _interval(leaf))]
        case DaysSincePurchase(at=at, zone=zone):
            return [Demand(("days since", at, zone), _interval(leaf)), *_bought_before(at)]
        case _:
            return []


def _bought_before(at: str) -> list[Demand]:
    return [_codes(("bought before", each), [True]) for each in ({at, "programme"})]


def _opposites(leaf: Any, demands: Sequence[Demand]) -> list[Constraint]:
    if len(demands) != 1 or not isinstance(demands[0].constraint, Codes):
        return []
    if isinstance(leaf, NthPurchase):  # another nth is one of many
        return []
    codes = demands[0].constraint.allowed or frozenset()
    match leaf:
        case WeekdayIs():
            return [Codes(frozenset(range(1, DAYS_OF_WEEK + 1)), codes)]
        case HoursAre():
            return [Codes(frozenset(range(MINUTES_OF_DAY)), codes)]
        case InHousehold():
            return [Codes(frozenset({False}))]
        case _:
            return [Codes(None, codes)]


def _codes(dimension: Hashable, codes: Iterable[Any], is_wanted: bool = True) -> Demand:
    named = frozenset(codes)
    return Demand(dimension, Codes(named) if is_wanted else Codes(None, named))


def _interval(leaf: Range) -> Interval:
    least, most = (
        next((value for name, value in leaf if name.startswith(prefix)), None) for prefix in ("at_least", "at_most")
    )
    return Interval(least, most)
