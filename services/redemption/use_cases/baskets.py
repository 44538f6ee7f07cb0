"""Goods as the limits of points see them: on a day where the programme is, and by the programme's own categories."""

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import TypeAlias

from services.redemption.domain.goods import Goods
from services.redemption.repository import categories
from shared.database import Transaction
from shared.ledger import Basket, store_name

# The partner, and its goods where they are known.
Sold: TypeAlias = tuple[str, Goods | None]


async def baskets_of(transaction: Transaction, sold: Sequence[Sold], zone: tzinfo | None = None) -> list[Basket | None]:
    """The baskets that these goods make, in their order; None where they are not known: nothing limited pays for them.

    One statement, and none where no categories are named. ``zone`` is where days begin and end; else the transaction's.
    """
    asked = [
        (number, partner_id, category, goods)
        for number, (partner_id, goods) in enumerate(sold)
        if goods is not None
        for category in sorted(goods.categories)
    ]
    counted: dict[int, frozenset[str]] = {}
    if asked:
        paths = await categories.load_paths(
            transaction, [(partner_id, category, goods.occurred_at) for _, partner_id, category, goods in asked]
        )
        for (number, *_), path in zip(asked, paths, strict=True):
            counted[number] = counted.get(number, frozenset()) | path
    zone = zone or transaction.zone or UTC
    return [
        None
        if goods is None
        else Basket(
            partner_id,
            goods.occurred_at.astimezone(zone).date(),
            None if goods.store_id is None else store_name(partner_id, goods.store_id),
            counted.get(number, frozenset()),
        )
        for number, (partner_id, goods) in enumerate(sold)
    ]
