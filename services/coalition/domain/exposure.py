"""What a partner owes and is owed for points, and how far that is from its limit. Pure, and exact.

Every sum is kept in whole points by contract and point type. Money is worked out from the sums: points times prices in
whole millionths, added up, and rounded once, half to even, at the partner's sum. So a partner's money does not depend
on how many events its points came in, nor on their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from services.coalition.domain.contracts import Contract, Funding, Rate, in_force

PRICE_PLACES = 6
PUBLISHED_APART = timedelta(seconds=1)
# A receipt is refused only by what was told of a time after it came: so what refuses is told again while it holds.
EXHAUSTED_TOLD_AGAIN = timedelta(seconds=10)
NO_CONTRACT = 0  # the number under which points are counted that no contract priced
NOT_LOW = 100  # the alert level while none has been reached; with nothing left it is 0

Standing: TypeAlias = Literal["open", "low", "reserve", "exhausted"]


@dataclass(frozen=True, slots=True)
class PointSums:
    """Points of one type under one contract: issued, taken back for returns, redeemed at the partner, and of those that
    it had issued, how many were redeemed anywhere (``spent_points``). Of what was redeemed at the partner
    ``refunded_points`` were given back, and of ``spent_points`` ``restored_points``."""

    contract_number: int
    point_type: str
    issued_points: int = 0
    returned_points: int = 0
    redeemed_points: int = 0
    spent_points: int = 0
    refunded_points: int = 0
    restored_points: int = 0


class Change(NamedTuple):
    """Points to add to a partner's sums."""

    partner_id: str
    sums: PointSums


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partner stands, in minor units of its currency and without VAT.

    ``left_minor`` is what it may still issue for: the credit limit, plus what it has paid, less what it owes. None
    while no contract is in force. ``overshoot_minor`` is how far it is past the point where it is refused.
    """

    contract: Contract | None
    currency: str | None
    payable_minor: int
    receivable_minor: int
    paid_minor: int
    left_minor: int | None
    overshoot_minor: int
    standing: Standing
    alert_percent: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was last told of a partner, in what version; ``is_due`` where the sums have moved on since."""

    partner_id: str
    version: int = 0
    standing: Standing = "open"
    alert_percent: int = NOT_LOW
    published_at: datetime | None = None
    reviewed_at: datetime | None = None
    is_due: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """The exposure as it is now, and what is to be told."""

    exposure: Exposure
    position: Position
    is_published: bool = False
    is_low: bool = False
    is_exhausted: bool = False


def position_of(
    contracts: Sequence[Contract],
    sums: Iterable[PointSums],
    paid_minor: int,
    paid_currency: str | None,
    exponent_of: Mapping[str, int],
    at: datetime,
) -> Position:
    """Where a partner stands at a moment, from all that was counted and paid. ``contracts`` are its approved ones."""
    contract = in_force(contracts, at)
    currency = contracts[0].terms.currency if contracts else paid_currency
    exponent = exponent_of[currency] if currency is not None else 0
    rates = {(each.number, rate.point_type): rate for each in contracts for rate in each.terms.rates}
    payable = receivable = 0
    for each in sums:
        rate = rates.get((each.contract_number, each.point_type))
        if rate is not None:
            payable += _charged_points(rate, each) * millionths(rate.issue_price)
            receivable += (each.redeemed_points - each.refunded_points) * millionths(rate.redemption_price)
    payable_minor, receivable_minor = to_minor(payable, exponent), to_minor(receivable, exponent)
    if contract is None:
        return Position(None, currency, payable_minor, receivable_minor, paid_minor, None, 0, "open", NOT_LOW)
    funding = contract.terms.funding
    left = (funding.amount_minor if funding.kind == "postpaid" else 0) + paid_minor - payable_minor
    return Position(
        contract,
        currency,
        payable_minor,
        receivable_minor,
        paid_minor,
        left,
        max(0, -funding.reserve_minor - left),
        standing_of(funding, left),
        alert_level(funding, left),
    )


def _charged_points(rate: Rate, sums: PointSums) -> int:
    match rate.settle_on:
        case "issue":
            return sums.issued_points - sums.returned_points
        case "redemption":
            return sums.spent_points - sums.restored_points


def standing_of(funding: Funding, left_minor: int) -> Standing:
    """What ``left_minor`` means under a contract: with nothing left, refused, or on until the reserve is used up."""
    if left_minor <= 0:
        return "exhausted" if left_minor <= -funding.reserve_minor else "reserve"
    return "low" if alert_level(funding, left_minor) < NOT_LOW else "open"


def alert_level(funding: Funding, left_minor: int) -> int:
    """The deepest alert level that was reached, in percent of the block or limit; 0 with nothing left."""
    if left_minor <= 0:
        return 0
    reached = [level for level in funding.alert_percents if left_minor * 100 <= level * funding.amount_minor]
    return min(reached, default=NOT_LOW)


def judge(exposure: Exposure, position: Position, now: datetime) -> Judged:
    """What to tell of a partner whose sums, payments or contracts may have changed.

    Told at once when a threshold was crossed, in either direction; else at most once in ``PUBLISHED_APART``. Going
    down, an alert level and exhaustion are told once each, and again only after they were left upwards. A partner that
    never had a contract is counted and not told of.
    """
    is_crossing = (position.standing, position.alert_percent) != (exposure.standing, exposure.alert_percent)
    is_rested = exposure.published_at is None or exposure.published_at + PUBLISHED_APART <= now
    reviewed = replace(exposure, reviewed_at=now)
    if position.contract is None and exposure.version == 0:
        return Judged(reviewed, position)
    if not (is_crossing or is_rested):
        return Judged(replace(reviewed, is_due=True), position)
    told = replace(
        reviewed,
        version=exposure.version + 1,
        standing=position.standing,
        alert_percent=position.alert_percent,
        published_at=now,
        is_due=False,
    )
    is_prepaid = position.contract is not None and position.contract.terms.funding.kind == "prepaid"
    was_empty, is_empty = exposure.alert_percent == 0, position.alert_percent == 0
    return Judged(
        told,
        position,
        is_published=True,
        is_low=is_prepaid and not is_empty and position.alert_percent < exposure.alert_percent,
        is_exhausted=is_prepaid and is_empty and not was_empty,
    )


def millionths(price: Decimal) -> int:
    """A price of at most six places as a whole number of millionths."""
    scaled = price.scaleb(PRICE_PLACES)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"a price has at most {PRICE_PLACES} places")
    return whole


def to_minor(amount_millionths: int, exponent: int) -> int:
    """Millionths of a major unit as whole minor units, half to even."""
    scale = 1_000_000
    whole, rest = divmod(amount_millionths * int(10**exponent), scale)
    if rest * 2 > scale or (rest * 2 == scale and whole % 2 == 1):
        whole += 1
    return whole
