"""Say how much of a basket points may pay, and keep it: a hold that names the quote is priced by it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from services.redemption.domain.errors import UnknownMemberError
from services.redemption.domain.holding import DeclineReason, why_not_at_all
from services.redemption.domain.partner_funds import Funds
from services.redemption.domain.write_off.prices import rules_at
from services.redemption.domain.write_off.quoting import BasketLine, Checkout, Quote, quote
from services.redemption.domain.write_off.rules import Limit, WriteOffRules
from services.redemption.programme import Programme
from services.redemption.repository import basket_lines, partner_funds, projections, quotes
from services.redemption.repository.quotes import Since, StoredQuote
from services.redemption.use_cases.hold_points import Spender
from services.redemption.use_cases.read_member import read_balances, read_spendable
from shared import ledger
from shared.database import Transaction
from shared.database.reads import Reads
from shared.ids import new_id
from shared.ledger import Basket, Usable, store_name


@dataclass(frozen=True, slots=True)
class Asked:
    """A basket at a till. Lines name the partner's own ``category``."""

    partner_id: str
    lines: Sequence[BasketLine]
    categories: Sequence[str | None]
    store_id: str | None = None
    points_wanted: int | None = None


class Quoted(NamedTuple):
    """The quote, with what each line is worth and what bounds it, and how it is called."""

    stored: StoredQuote
    quote: Quote
    rules: WriteOffRules


class _OfGoods(NamedTuple):
    """What may be spent on whatever goods: as the rules let a member, and with all that others lend."""

    spends: Sequence[Usable]
    with_others: Sequence[Usable]


class _Known(NamedTuple):
    """What is known of the partner's contract, the goods, the member and its points."""

    funds: Funds
    lines: Sequence[BasketLine]
    since: Since
    usable: _OfGoods


class NotSpendingError(Exception):
    """This member spends no points here now, whatever is in the basket."""

    def __init__(self, reason: DeclineReason) -> None:
        super().__init__(reason)
        self.reason = reason


async def quote_points(
    transaction: Transaction,
    shown: Spender,
    asked: Asked,
    programme: Programme,
    valid_for: timedelta,
) -> Quoted:
    """The most that the member may spend on these goods, as last committed. Locks nobody: the hold has the last word.

    What a partner's contract and an identifier allow bounds it as the rules do.

    Raises:
        UnknownMemberError: nobody is known by this.
        InvalidQrTokenError: the token has expired.
        OtherSessionError: the token is of another till conversation.
        NotSpendingError: a hold of any amount would be declined.
    """
    shown.presented.require_fresh(transaction.now)
    today = transaction.now.astimezone(programme.zone).date()
    rules = rules_at(programme.write_off.history, transaction.now, programme.pricing)
    member = await projections.find_spender(
        transaction, shown.member_id, shown.identifier_hashes, asked.partner_id, today
    )
    if member is None:
        raise UnknownMemberError
    known = await _find_out(transaction, member.member_id, asked, programme, rules)
    reason = why_not_at_all(replace(member, presented=shown.presented, funds=known.funds))
    if reason is not None:
        raise NotSpendingError(reason)
    checkout = _checkout(shown, asked, known, today, programme)
    found = quote(checkout, rules)
    stored = StoredQuote(
        new_id(),
        member.member_id,
        asked.partner_id,
        rules.version,
        checkout,
        found.points,
        found.value_minor,
        transaction.now + valid_for,
        shown.presented.session_with(None),
    )
    await quotes.save(transaction, stored)
    return Quoted(stored, found, rules)


async def _find_out(
    transaction: Transaction, member_id: UUID, asked: Asked, programme: Programme, rules: WriteOffRules
) -> _Known:
    """What a quote needs to know of member, partner and goods, in as few round trips as that takes."""
    reads = Reads(transaction, sharing_trips=True)
    funds = reads.ask(partner_funds.find_funds, asked.partner_id, programme.point_type)
    lines = reads.ask(known_lines, asked)
    since = reads.ask(quotes.find_since, member_id)
    usable = reads.ask(_usable, member_id, programme, rules)
    await reads.answered()
    return _Known(funds.value, lines.value, since.value, usable.value)


def _checkout(shown: Spender, asked: Asked, known: _Known, today: date, programme: Programme) -> Checkout:
    """What the rules judge: the goods, and what the member may spend on just these."""
    enrolled_at = known.since.enrolled_at
    checkout = Checkout(
        partner_id=asked.partner_id,
        day=today,
        lines=known.lines,
        available=0,
        tier=known.since.tier,
        enrolled_on=None if enrolled_at is None else enrolled_at.astimezone(programme.zone).date(),
        points_wanted=asked.points_wanted,
        also=tuple(_also(known.funds, shown)),
        store=None if asked.store_id is None else store_name(asked.partner_id, asked.store_id),
    )
    basket = Basket(asked.partner_id, today, checkout.store, checkout.categories)
    spends, with_others = (sum(one.available for one in some if one.pays_for(basket)) for some in known.usable)
    # Others' points were read after the member's own: they may be fewer by then.
    return replace(checkout, available=spends, left_out=max(with_others - spends, 0))


async def known_lines(transaction: Transaction, asked: Asked) -> list[BasketLine]:
    """The lines with what their categories count as in the programme's tree now, and their articles' floors."""
    named = [(category, line.sku) for category, line in zip(asked.categories, asked.lines, strict=True)]
    known = await basket_lines.load(transaction, asked.partner_id, named)
    return [
        replace(line, categories=goods.categories, unit_floor_minor=goods.unit_floor_minor)
        for line, goods in zip(asked.lines, known, strict=True)
    ]


async def _usable(transaction: Transaction, member_id: UUID, programme: Programme, rules: WriteOffRules) -> _OfGoods:
    """What others lend is read also where the rules leave it out: a quote says so."""
    owner_id, balances = await read_balances(transaction, member_id, [programme.point_type])
    spendable = await read_spendable(
        transaction,
        owner_id,
        balances,
        [programme.point_type],
        debt_stops_spending=programme.debt_stops_spending,
    )
    found = spendable[programme.point_type]
    if rules.spenders == "household" or not found.pooled:
        return _OfGoods(found.usable, found.usable)
    return _OfGoods(await ledger.load_usable(transaction, [owner_id], programme.point_type), found.usable)


def _also(funds: Funds, shown: Spender) -> Sequence[Limit]:
    """What bounds a hold beside the rules: the partner's contract, and how the member was named."""
    bounds = []
    if funds.is_bound and (funds.minimum_points > 1 or funds.step_points > 1):
        bounds.append(
            Limit(id="contract", name="Contract", points_min=funds.minimum_points, points_step=funds.step_points)
        )
    capability = shown.presented.capability
    if capability is not None and capability.spend_points_max:
        bounds.append(Limit(id="identifier", name="Identifier", points_max=capability.spend_points_max))
    return bounds
