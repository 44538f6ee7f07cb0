"""What discount privileges take off a basket, by line. Pure and exact.

Every amount is whole minor units, and the lines' parts add up to what a privilege gives. That is rounded once, in the
way that its terms name, and shared by largest remainder, the first line winning among equals. No line falls below its
floor, whatever goes together.

Privileges come before points: points pay of what these leave (``services/redemption/domain/write_off``), and for them
the price of a line is the one that is left.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, assert_never

from services.redemption.domain.privileges.terms import (
    DISCOUNTS,
    AmountOff,
    Discount,
    NForM,
    OnGoods,
    PercentOff,
    PrivilegeTerms,
    Rounding,
    UnitPrice,
)
from services.redemption.domain.write_off.quoting import THOUSANDTHS, BasketLine
from shared.money import share_out


@dataclass(frozen=True, slots=True)
class FlooredLine:
    """A line of a basket, and what its price does not fall below."""

    line: BasketLine
    floor_minor: int = 0


class LinePart(NamedTuple):
    """What a privilege takes off a line."""

    line_id: int
    amount_minor: int


class Given(NamedTuple):
    """What one discount gives: its lines' parts, which add up to ``amount_minor``; lines of which it takes nothing do
    not stand in it."""

    privilege_id: str
    amount_minor: int
    lines: tuple[LinePart, ...]


class Discounted(NamedTuple):
    """A basket after all discounts. ``outdone``: a discount of the same group gives more, or as much and comes first.
    ``idle``: there is nothing that it could take off."""

    given: tuple[Given, ...]
    outdone: tuple[str, ...]
    idle: tuple[str, ...]
    left_minor: Mapping[int, int]


def discount(lines: Sequence[FlooredLine], privileges: Collection[PrivilegeTerms]) -> Discounted:
    """All discounts among these privileges, in the order that their terms state, each of what is left by then.

    The order of ``privileges`` does not matter; that of lines only among equals.
    """
    left = [one.line.amount_minor for one in lines]
    given: list[Given] = []
    outdone: list[str] = []
    idle: list[str] = []
    for rivals in _in_turn(privileges):
        offers = [_Offer(one.privilege_id, _parts(lines, left, one.goods, benefit)) for one, benefit in rivals]
        best = max(offers, key=lambda offer: offer.amount_minor)  # of equals the first
        outdone += [offer.privilege_id for offer in offers if offer is not best and offer.amount_minor]
        idle += [offer.privilege_id for offer in offers if not offer.amount_minor]
        if best.amount_minor:
            given.append(best.given(lines))
            left = [amount - part for amount, part in zip(left, best.parts, strict=True)]
    left_minor = {one.line.line_id: amount for one, amount in zip(lines, left, strict=True)}
    return Discounted(tuple(given), tuple(outdone), tuple(idle), left_minor)


class _Offer(NamedTuple):
    """What a discount would take off each line."""

    privilege_id: str
    parts: list[int]

    @property
    def amount_minor(self) -> int:
        return sum(self.parts)

    def given(self, lines: Sequence[FlooredLine]) -> Given:
        taken = (LinePart(one.line.line_id, part) for one, part in zip(lines, self.parts, strict=True) if part)
        return Given(self.privilege_id, self.amount_minor, tuple(taken))


def _in_turn(privileges: Iterable[PrivilegeTerms]) -> list[list[tuple[PrivilegeTerms, Discount]]]:
    """Those that exclude each other together, where the first of them stands."""
    turns: dict[tuple[str, str], list[tuple[PrivilegeTerms, Discount]]] = {}
    for one in sorted(privileges, key=lambda one: (one.order, one.privilege_id)):
        if isinstance(one.benefit, DISCOUNTS):
            turn = ("alone", one.privilege_id) if one.group is None else ("group", one.group)
            turns.setdefault(turn, []).append((one, one.benefit))
    return list(turns.values())


def _parts(lines: Sequence[FlooredLine], left: Sequence[int], goods: OnGoods, benefit: Discount) -> list[int]:
    """What a discount takes off each line; zeros where it gives nothing."""
    meant = [index for index, one in enumerate(lines) if _is_meant(one.line, goods)]
    parts = [0] * len(lines)
    if sum(left[index] for index in meant) < (goods.amount_min_minor or 0):
        return parts
    room = [max(0, left[index] - lines[index].floor_minor) for index in meant]
    shares = _shares([(lines[index].line, left[index]) for index in meant], room, benefit)
    for index, share in zip(meant, shares, strict=True):
        parts[index] = share
    return parts


def _is_meant(line: BasketLine, goods: OnGoods) -> bool:
    if goods.skus is None and goods.categories is None:
        return True
    return (goods.skus is not None and line.sku in goods.skus) or (
        goods.categories is not None and not line.categories.isdisjoint(goods.categories)
    )


def _shares(prices: Sequence[tuple[BasketLine, int]], room: Sequence[int], benefit: Discount) -> list[int]:
    match benefit:
        case PercentOff(percent=percent, discount_max_minor=most, rounding=rounding):
            wanted = [Fraction(amount * percent, 100) for _, amount in prices]
            return _shared(wanted, room, rounding, most)
        case AmountOff(amount_minor=amount_minor):
            return share_out(min(amount_minor, sum(room)), room)
        case UnitPrice(unit_minor=unit_minor, rounding=rounding):
            wanted = [amount - Fraction(unit_minor * line.quantity_thousandths, THOUSANDTHS) for line, amount in prices]
            return _shared(wanted, room, rounding)
        case NForM(rounding=rounding):
            return _shared(_free_units(prices, benefit), room, rounding)
        case _:
            assert_never(benefit)


def _free_units(prices: Sequence[tuple[BasketLine, int]], benefit: NForM) -> list[Fraction]:
    """What the free units of each line cost: the cheapest of all that come by the piece."""
    units = [
        0 if line.quantity_thousandths % THOUSANDTHS else line.quantity_thousandths // THOUSANDTHS for line, _ in prices
    ]
    sets = sum(units) // benefit.take
    if benefit.sets_max is not None:
        sets = min(sets, benefit.sets_max)
    free = sets * (benefit.take - benefit.pay)
    wanted = [Fraction(0)] * len(prices)
    by_the_piece = [index for index, count in enumerate(units) if count]
    for index in sorted(by_the_piece, key=lambda index: (Fraction(prices[index][1], units[index]), index)):
        taken = min(free, units[index])
        wanted[index] = Fraction(prices[index][1] * taken, units[index])
        free -= taken
    return wanted


def _shared(
    wanted: Sequence[Fraction], room: Sequence[int], rounding: Rounding, most_minor: int | None = None
) -> list[int]:
    """What is wanted of each line as far as there is room, in whole minor units: the sum is rounded, and shared."""
    exact = [min(max(one, Fraction(0)), Fraction(most)) for one, most in zip(wanted, room, strict=True)]
    whole = sum(exact, Fraction(0))
    total = _rounded(whole, rounding)
    if most_minor is not None and total > most_minor:
        exact = [one * most_minor / whole for one in exact]
        total = most_minor
    parts = [int(one) for one in exact]
    # No more is missing than lines have a remainder, and a line with one has room for a whole unit in its stead.
    by_remainder = sorted(range(len(exact)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def _rounded(exact: Fraction, rounding: Rounding) -> int:
    match rounding:
        case "down":
            return exact.numerator // exact.denominator
        case "half_up":
            return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
        case "up":
            return -(-exact.numerator // exact.denominator)
        case _:
            assert_never(rounding)
