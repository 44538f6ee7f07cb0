"""What the points of a hold pay: the price that was quoted, kept while the quote holds and asked again afterwards."""

from dataclasses import replace
from uuid import UUID

from services.redemption.domain.errors import (
    NotQuotedError,
    PriceChangedError,
    QuoteNeededError,
    UnknownQuoteError,
)
from services.redemption.domain.holding import HoldPrice, HoldRequest
from services.redemption.domain.write_off.prices import rules_at, rules_of
from services.redemption.domain.write_off.quoting import Quote, quote
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
    goods, by today's rules and the member's present tier: the same price goes on. ``stored`` is the one that is named.

    Raises:
        QuoteNeededError: write-off rules are in force, which only a quote can know to be kept.
        UnknownQuoteError: there is no such quote of this member at this partner.
        NotQuotedError: the quote allows no hold of so many points.
        PriceChangedError: it has expired, and points pay another amount now.
    """
    history, pricing = programme.write_off.history, programme.pricing
    if request.point_type not in (None, programme.point_type):
        return HoldPrice()  # the rules price the programme's own points; others have one price
    if request.quote_id is None:
        if history.at(transaction.now) is not None:
            raise QuoteNeededError
        return HoldPrice()
    if stored is None or stored.partner_id != request.partner_id:
        raise UnknownQuoteError
    if stored.member_id != member_id and await merges.find_survivor(transaction, stored.member_id) != member_id:
        raise UnknownQuoteError
    try:
        rules = rules_of(history, stored.rule_set_version, pricing)
    except KeyError:
        raise UnknownQuoteError from None
    quoted = _of(stored, request.points, rules)
    if stored.expires_at <= transaction.now:
        since = await quotes.find_since(transaction, member_id)
        today = transaction.now.astimezone(programme.zone).date()
        anew = stored._replace(checkout=replace(stored.checkout, day=today, tier=since.tier))
        rules = rules_at(history, transaction.now, pricing)
        again = _of(anew, request.points, rules)
        if (again.points, again.value_minor) != (quoted.points, quoted.value_minor):
            raise PriceChangedError(request.points, quoted.value_minor, again.points, again.value_minor)
    if quoted.points != request.points:
        raise NotQuotedError(request.points, stored.points)
    return HoldPrice(quoted.value_minor, rules.spenders == "household", stored.session_id, stored.quote_id)


def _of(stored: StoredQuote, points: int, rules: WriteOffRules) -> Quote:
    """What so many points pay of the quoted goods. That they are there is the ledger's word, not the quote's."""
    return quote(replace(stored.checkout, points_wanted=points), rules)
