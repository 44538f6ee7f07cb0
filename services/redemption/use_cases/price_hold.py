"""What the points of a hold pay: the price that was quoted, kept while the quote holds and asked again afterwards."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.redemption.domain.errors import (
    NotQuotedError,
    PriceChangedError,
    QuoteNeededError,
    UnknownQuoteError,
)
from services.redemption.domain.holding import HoldPrice, HoldRequest
from services.redemption.domain.write_off.prices import rules_at, rules_of
from services.redemption.domain.write_off.quoting import Checkout, Quote, keeps_article_floors, quote
from services.redemption.domain.write_off.rules import WriteOffRules
from services.redemption.programme import Programme
from services.redemption.repository import merges, quotes
from services.redemption.repository.quotes import StoredQuote
from shared.database import Transaction


async def price_hold(
    transaction: Transaction,
    request: HoldRequest,
    member_id: UUID,
    programme: Programme,
    stored: StoredQuote | None,
) -> HoldPrice:
    """What the request's points pay; nothing is said of it where nothing was quoted and nothing needs to be.

    A quote that still holds is kept to, whatever has been published since. An expired one is asked again for the same
    goods, by today's rules and the member's present tier: the same price goes on. Neither goes on where it takes an
    article below the floor that it has by now. ``stored`` is the one that is named.

    Raises:
        QuoteNeededError: write-off rules are in force, which only a quote can know to be kept.
        UnknownQuoteError: there is no such quote of this member at this partner.
        NotQuotedError: the quote allows no hold of so many points.
        PriceChangedError: it has expired, and points pay another amount now; or an article has got a floor meanwhile
            that the quoted price does not keep.
    """
    price = price_at_once(request, member_id, programme, stored, transaction.now)
    if price is not None:
        return price
    if stored is None:
        raise AssertionError("unreachable: only of a quote something more is read")
    if stored.member_id != member_id and await merges.find_survivor(transaction, stored.member_id) != member_id:
        raise UnknownQuoteError
    goods_now = _at_floors(stored.checkout, stored.floors_now or {})
    rules = _rules_of(stored, programme)
    if stored.expires_at <= transaction.now:
        since = await quotes.find_since(transaction, member_id)
        today = transaction.now.astimezone(programme.zone).date()
        goods_now = replace(goods_now, day=today, tier=since.tier)
        rules = rules_at(programme.write_off.history, transaction.now, programme.pricing)
    return _price(request, stored, programme, goods_now, rules, has_expired=stored.expires_at <= transaction.now)


def price_at_once(
    request: HoldRequest, member_id: UUID, programme: Programme, stored: StoredQuote | None, now: datetime
) -> HoldPrice | None:
    """The same where nothing more must be read for it; None where something must: of a quote that has expired, or that
    another member was given. Pure.

    Raises:
        QuoteNeededError, UnknownQuoteError, NotQuotedError, PriceChangedError: as ``price_hold`` does.
    """
    if request.point_type not in (None, programme.point_type):
        return HoldPrice()  # the rules price the programme's own points; others have one price
    if request.quote_id is None:
        if programme.write_off.history.at(now) is not None:
            raise QuoteNeededError
        return HoldPrice()
    if stored is None or stored.partner_id != request.partner_id:
        raise UnknownQuoteError
    if stored.member_id != member_id or stored.expires_at <= now:
        return None
    goods_now = _at_floors(stored.checkout, stored.floors_now or {})
    return _price(request, stored, programme, goods_now, _rules_of(stored, programme), has_expired=False)


def _rules_of(stored: StoredQuote, programme: Programme) -> WriteOffRules:
    """Raises UnknownQuoteError where its rules are not known."""
    try:
        return rules_of(programme.write_off.history, stored.rule_set_version, programme.pricing)
    except KeyError:
        raise UnknownQuoteError from None


def _price(
    request: HoldRequest,
    stored: StoredQuote,
    programme: Programme,
    goods_now: Checkout,
    rules: WriteOffRules,
    *,
    has_expired: bool,
) -> HoldPrice:
    quoted = _of(stored.checkout, request.points, _rules_of(stored, programme))
    _require_same_price(quoted, goods_now, request.points, rules, has_expired=has_expired)
    if quoted.points != request.points:
        raise NotQuotedError(request.points, stored.points)
    may_be_lent = rules.spenders == "household"
    return HoldPrice(quoted.value_minor, may_be_lent, stored.session_id, stored.quote_id, stored.checkout)


def _require_same_price(
    quoted: Quote, goods_now: Checkout, points: int, rules: WriteOffRules, *, has_expired: bool
) -> None:
    """Of a quote that still holds only articles' floors are asked: by line, since lines were told what is paid of them.

    Raises:
        PriceChangedError: another price is found.
    """
    keeps_floors = keeps_article_floors(quoted, goods_now.lines)
    if keeps_floors and not has_expired:
        return
    again = _of(goods_now, points, rules)
    if keeps_floors and (again.points, again.value_minor) == (quoted.points, quoted.value_minor):
        return
    raise PriceChangedError(points, quoted.value_minor, again.points, again.value_minor, is_by_floor=not keeps_floors)


def _of(goods: Checkout, points: int, rules: WriteOffRules) -> Quote:
    """What so many points pay of the quoted goods. That they are there is the ledger's word, not the quote's."""
    return quote(replace(goods, points_wanted=points), rules)


def _at_floors(quoted: Checkout, floors_minor: Mapping[str, int]) -> Checkout:
    """The same goods at the floors that their articles have by now."""
    lines = [
        replace(line, unit_floor_minor=0 if line.sku is None else floors_minor.get(line.sku, 0))
        for line in quoted.lines
    ]
    return replace(quoted, lines=lines)
