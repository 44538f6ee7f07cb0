"""How much of a basket points may pay, what each line's share of that is, and what stood in the way of more.

Pure and exact: a value is whole minor units, and the lines' values add up to it. Of goods with several prices in points
the cheapest are paid first, so that the same points buy the most.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from services.redemption.domain.write_off.rules import Limit, Rate, WriteOffRules
from shared.money import share_out

THOUSANDTHS = 1_000

BoundCode: TypeAlias = Literal[
    "excluded_goods",
    "price_floor",
    "article_floor",
    "share_of_receipt",
    "points_max",
    "points_asked_for",
    "balance",
    "household_left_out",
    "points_step",
    "points_min",
    "balance_min",
    "days_after_enrolment",
]


@dataclass(frozen=True, slots=True)
class BasketLine:
    """Goods to be paid. ``categories`` are what they count as in the programme's tree, from the root down.

    ``taken_off_minor``: by privileges, before ``amount_minor`` was left. ``unit_floor_minor``: the article's own floor.
    """

    line_id: int
    amount_minor: int
    quantity_thousandths: int = THOUSANDTHS
    sku: str | None = None
    categories: frozenset[str] = frozenset()
    taken_off_minor: int = 0
    unit_floor_minor: int = 0

    def discounted(self, left_minor: int) -> "BasketLine":
        """The same goods at what privileges leave of their price."""
        taken_off_minor = self.taken_off_minor + self.amount_minor - left_minor
        return replace(self, amount_minor=left_minor, taken_off_minor=taken_off_minor)


@dataclass(frozen=True, slots=True)
class Checkout:
    """What is to be paid, where and by whom. ``available`` is what these goods may use, with what others lend where
    the rules let a member spend that, and ``left_out`` what others would lend where they do not; ``points_wanted``: no
    more than these; ``also`` binds beside the rules. ``store``: as the limits of points name it."""

    partner_id: str
    day: date
    lines: Sequence[BasketLine]
    available: int
    tier: str | None = None
    enrolled_on: date | None = None
    points_wanted: int | None = None
    also: Sequence[Limit] = ()
    left_out: int = 0
    store: str | None = None

    @property
    def categories(self) -> frozenset[str]:
        """What any of the goods count as."""
        return frozenset().union(*(line.categories for line in self.lines))


class Bound(NamedTuple):
    """What one rule allows by itself, in points or in minor units; ``limit_id`` is the rule's."""

    code: BoundCode
    limit_id: str | None = None
    points: int | None = None
    value_minor: int | None = None


class LineValue(NamedTuple):
    """What points pay of a line, and how many of them."""

    line_id: int
    value_minor: int
    points: int
    rate_id: str | None


class Quote(NamedTuple):
    """The most that points may pay: ``points`` for ``value_minor``. ``bounds`` are all that is in the way of more."""

    points: int
    value_minor: int
    lines: tuple[LineValue, ...]
    bounds: tuple[Bound, ...]


class _Priced(NamedTuple):
    """A line with the rate that prices it, and how much of it points may pay."""

    line: BasketLine
    rate: Rate | None
    capacity_minor: int


class _Filled(NamedTuple):
    """What a budget of points pays, by rate."""

    points: int
    value_minor: int
    by_rate: dict[str, tuple[int, int]]  # points and value


def quote(checkout: Checkout, rules: WriteOffRules) -> Quote:
    """The most that may be spent on a checkout under these rules."""
    where = checkout.partner_id, checkout.tier, checkout.day
    limits = [limit for limit in (*rules.limits, *checkout.also) if limit.where.holds(*where)]
    priced, bounds = _price(checkout, rules)
    total_minor = sum(line.amount_minor for line in checkout.lines)
    cap_minor = payable_minor = sum(one.capacity_minor for one in priced)
    for limit in limits:
        if limit.share_percent_max is not None:
            share_minor = total_minor * limit.share_percent_max // 100
            if share_minor < payable_minor:  # each that is in the way, whichever of them stands first
                bounds.append(Bound("share_of_receipt", limit.id, value_minor=share_minor))
            cap_minor = min(cap_minor, share_minor)
    whole = _fill(priced, cap_minor, None)
    budget = whole.points
    for bound in _points_bounds(checkout, limits):
        if bound.points is not None and bound.points < whole.points:
            bounds.append(bound)
            budget = min(budget, bound.points)
    filled = _in_steps(priced, cap_minor, budget, limits, bounds)
    for limit in limits:
        if limit.points_min is not None and filled.points < limit.points_min:
            bounds.append(Bound("points_min", limit.id, points=limit.points_min))
            filled = _Filled(0, 0, {})
    return Quote(filled.points, filled.value_minor, _by_line(priced, filled), tuple(bounds))


def payable_minor(checkout: Checkout, rules: WriteOffRules) -> list[int]:
    """How much of each line points may pay: nothing of what is excluded, and of others what lies above their floors."""
    return [one.capacity_minor for one in _price(checkout, rules)[0]]


def keeps_article_floors(found: Quote, lines: Sequence[BasketLine]) -> bool:
    """Whether what was quoted leaves of each of these lines, which are the quoted ones, its article's floor."""
    return all(
        not value.value_minor or line.amount_minor - value.value_minor >= _article_floor_minor(line)
        for value, line in zip(found.lines, lines, strict=True)
    )


def _price(checkout: Checkout, rules: WriteOffRules) -> tuple[list[_Priced], list[Bound]]:
    priced: list[_Priced] = []
    excluded_minor = by_rules_minor = by_articles_minor = 0
    for line in checkout.lines:
        if _is_excluded(checkout.partner_id, line, rules):
            excluded_minor += line.amount_minor
            priced.append(_Priced(line, None, 0))
            continue
        by_rules = min(_rules_floor_minor(checkout.partner_id, line, rules), line.amount_minor)
        by_article = min(_article_floor_minor(line), line.amount_minor)
        by_rules_minor += by_rules
        by_articles_minor += by_article
        priced.append(_Priced(line, _rate_of(checkout, line, rules), line.amount_minor - max(by_rules, by_article)))
    total_minor = sum(line.amount_minor for line in checkout.lines)
    kept: dict[BoundCode, int] = {
        "excluded_goods": excluded_minor,
        "price_floor": by_rules_minor,
        "article_floor": by_articles_minor,
    }
    return priced, [Bound(code, value_minor=total_minor - minor) for code, minor in kept.items() if minor]


def _is_excluded(partner_id: str, line: BasketLine, rules: WriteOffRules) -> bool:
    return not line.categories.isdisjoint(rules.excluded.categories) or any(
        one.partner_id == partner_id and line.sku in one.skus for one in rules.excluded.skus
    )


def floor_minor_of(partner_id: str, line: BasketLine, rules: WriteOffRules) -> int:
    """What is left to be paid in money: the highest of the floors that the rules and the article itself give. A part of
    a minor unit is a whole one.
    """
    return max(_rules_floor_minor(partner_id, line, rules), _article_floor_minor(line))


def _article_floor_minor(line: BasketLine) -> int:
    return -(-line.unit_floor_minor * line.quantity_thousandths // THOUSANDTHS)


def _rules_floor_minor(partner_id: str, line: BasketLine, rules: WriteOffRules) -> int:
    price_minor = line.amount_minor + line.taken_off_minor
    floors_minor = [0]
    for floor in rules.floors:
        if floor.partner_id not in (None, partner_id):
            continue
        if floor.skus is not None and line.sku not in floor.skus:
            continue
        if floor.categories is not None and line.categories.isdisjoint(floor.categories):
            continue
        if floor.unit_minor is not None:
            floors_minor.append(-(-floor.unit_minor * line.quantity_thousandths // THOUSANDTHS))
        if floor.percent is not None:
            floors_minor.append(-(-price_minor * floor.percent // 100))
    return max(floors_minor)


def _rate_of(checkout: Checkout, line: BasketLine, rules: WriteOffRules) -> Rate:
    return next(
        rate
        for rate in rules.rates
        if (rate.categories is None or not line.categories.isdisjoint(rate.categories))
        and rate.where.holds(checkout.partner_id, checkout.tier, checkout.day)
    )


def _points_bounds(checkout: Checkout, limits: Sequence[Limit]) -> list[Bound]:
    bounds = [Bound("balance", points=checkout.available + checkout.left_out)]
    if checkout.left_out:
        bounds.append(Bound("household_left_out", points=checkout.available))
    if checkout.points_wanted is not None:
        bounds.append(Bound("points_asked_for", points=checkout.points_wanted))
    for limit in limits:
        if limit.points_max is not None:
            bounds.append(Bound("points_max", limit.id, points=limit.points_max))
        if limit.balance_min is not None and checkout.available < limit.balance_min:
            bounds.append(Bound("balance_min", limit.id, points=0))
        if limit.days_after_enrolment is not None and not _has_waited(checkout, limit.days_after_enrolment):
            bounds.append(Bound("days_after_enrolment", limit.id, points=0))
    return bounds


def _has_waited(checkout: Checkout, days: int) -> bool:
    """Nobody is let through of whom nobody knows since when they are a member."""
    return checkout.enrolled_on is not None and checkout.day >= checkout.enrolled_on + timedelta(days=days)


def _fill(priced: Sequence[_Priced], cap_minor: int, budget: int | None) -> _Filled:
    """What a budget of points pays, of no more than ``cap_minor``; without a budget, what it takes to pay all that."""
    capacities: dict[str, int] = {}
    rates: dict[str, Rate] = {}
    for one in priced:
        if one.rate is not None and one.capacity_minor:
            capacities[one.rate.id] = capacities.get(one.rate.id, 0) + one.capacity_minor
            rates[one.rate.id] = one.rate
    spent = value_minor = 0
    by_rate: dict[str, tuple[int, int]] = {}
    for rate in sorted(rates.values(), key=lambda rate: Fraction(rate.points, rate.per_minor)):
        pays_minor = min(capacities[rate.id], cap_minor - value_minor)
        if budget is not None:
            pays_minor = min(pays_minor, (budget - spent) * rate.per_minor // rate.points)
        if pays_minor:
            points = -(-pays_minor * rate.points // rate.per_minor)
            by_rate[rate.id] = points, pays_minor
            spent, value_minor = spent + points, value_minor + pays_minor
    return _Filled(spent, value_minor, by_rate)


def _in_steps(
    priced: Sequence[_Priced], cap_minor: int, budget: int, limits: Sequence[Limit], bounds: list[Bound]
) -> _Filled:
    """What whole steps of a budget pay, and no step more than that takes. What a step gives beyond whole minor units is
    spent all the same: the step says so. Asked again with just these points, it is the same."""
    filled = _fill(priced, cap_minor, budget)
    stepping = [limit for limit in limits if limit.points_step is not None]
    step = math.lcm(*(limit.points_step or 1 for limit in stepping))
    if step == 1:
        return filled
    again = _fill(priced, cap_minor, budget - budget % step)
    points = -(-again.points // step) * step
    if again.value_minor < filled.value_minor:
        bounds.extend(Bound("points_step", limit.id, points=points) for limit in stepping)
    if again.points == points:
        return again
    *_, last = again.by_rate
    of_last, value_minor = again.by_rate[last]
    return _Filled(points, again.value_minor, again.by_rate | {last: (of_last + points - again.points, value_minor)})


def _by_line(priced: Sequence[_Priced], filled: _Filled) -> tuple[LineValue, ...]:
    """The lines of one rate share its value by what points may pay of each, and its points by their values."""
    values: dict[int, tuple[int, int]] = {}
    for rate_id, (points, value_minor) in filled.by_rate.items():
        places = [place for place, one in enumerate(priced) if one.rate is not None and one.rate.id == rate_id]
        of_lines = share_out(value_minor, [priced[place].capacity_minor for place in places])
        for place, value, cost in zip(places, of_lines, share_out(points, of_lines), strict=True):
            values[place] = value, cost
    return tuple(
        LineValue(one.line.line_id, *values.get(place, (0, 0)), None if one.rate is None else one.rate.id)
        for place, one in enumerate(priced)
    )
