"""Keep what receipts that were paid with points sold, and what points paid of each line: goods may come back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from services.redemption.domain.sold_goods import SoldGoods, SoldSale, as_quoted, weighed
from services.redemption.domain.write_off.prices import rules_at, rules_of
from services.redemption.domain.write_off.quoting import BasketLine, Checkout, LineValue, payable_minor, quote
from services.redemption.programme import Programme
from services.redemption.repository import categories, quotes, sold_goods
from shared.database import Transaction


async def keep_sold_goods(transaction: Transaction, sales: Sequence[SoldSale], programme: Programme) -> set[bytes]:
    """Keep what these documents say; gives the receipts of which goods came back before it was known.

    A line's part of the points is what the quote of their hold said, while that is kept and the receipt sells what was
    quoted; else what the rules of the receipt's time let points pay of it. Once a document: read again, nothing
    changes. Call it where the receipts are locked.
    """
    if not sales:
        return set()
    goods = await _weighed(transaction, sales, programme)
    quoted = await _quoted(transaction, goods, programme)
    return await sold_goods.keep(transaction, [as_quoted(one, quoted.get) for one in goods])


async def _weighed(transaction: Transaction, sales: Sequence[SoldSale], programme: Programme) -> list[SoldGoods]:
    history = programme.write_off.history
    priced = [sale for sale in sales if history.at(sale.goods.occurred_at) is not None]
    if not priced:  # before any rules were published points may pay for everything
        return [sale.goods for sale in sales]
    asked = [
        (sale.partner_id, line.category, sale.goods.occurred_at)
        for sale in priced
        for line in sale.lines
        if line.category is not None
    ]
    paths = iter(await categories.load_paths(transaction, asked) if asked else [])
    payable: dict[int, list[int]] = {}
    for sale in priced:
        lines = [
            BasketLine(
                line.line_id,
                line.amount_minor,
                line.quantity_thousandths,
                line.sku,
                frozenset() if line.category is None else next(paths),
            )
            for line in sale.lines
        ]
        day = sale.goods.occurred_at.astimezone(programme.zone).date()
        rules = rules_at(history, sale.goods.occurred_at, programme.pricing)
        payable[id(sale)] = payable_minor(Checkout(sale.partner_id, day, lines, available=0), rules)
    return [weighed(sale.goods, payable[id(sale)]) if id(sale) in payable else sale.goods for sale in sales]


async def _quoted(
    transaction: Transaction, goods: Sequence[SoldGoods], programme: Programme
) -> Mapping[UUID, Sequence[LineValue]]:
    """What the holds' quotes said of each line, by redemption."""
    paying = {one.redemption_id for each in goods for one in each.payments}
    found: dict[UUID, Sequence[LineValue]] = {}
    for redemption_id, held_points, stored in await quotes.find_of_redemptions(transaction, paying):
        try:
            rules = rules_of(programme.write_off.history, stored.rule_set_version, programme.pricing)
        except KeyError:
            continue
        found[redemption_id] = quote(replace(stored.checkout, points_wanted=held_points), rules).lines
    return found
