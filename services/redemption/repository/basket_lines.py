"""What is known of the goods in a basket, in one statement: what they count as, and what they do not cost less than."""

from collections.abc import Sequence
from typing import NamedTuple

from services.redemption.repository import categories
from shared.database import Transaction

_PATH = categories.PATH.format(partner_id="$1", category="asked.category", moment="$2")

# limit: each article is looked up by its key, however many rows the planner believes there are.
LOAD = f"""
    select asked.number, mapping.path, article.floor_minor
    from unnest($3::text[], $4::text[]) with ordinality as asked (category, sku, number)
        left join lateral ({_PATH}) as mapping on true
        left join lateral (
            select floor_minor from redemption_price_floors as floor
            where floor.partner_id = $1 and floor.sku = asked.sku
            limit 1
        ) as article on true
    where mapping.path is not null or article.floor_minor is not null
"""


class KnownGoods(NamedTuple):
    """What goods count as, from the root down, and what a unit of them does not cost less than."""

    categories: frozenset[str]
    unit_floor_minor: int = 0


async def load(
    transaction: Transaction, partner_id: str, asked: Sequence[tuple[str | None, str | None]]
) -> list[KnownGoods]:
    """What is known now of goods that a partner calls by a category, by an article's number, by both or by neither."""
    found = [KnownGoods(frozenset() if category is None else frozenset({category})) for category, _ in asked]
    if all(named == (None, None) for named in asked):
        return found
    rows = await transaction.raw.fetch(
        LOAD, partner_id, transaction.now, [category for category, _ in asked], [sku for _, sku in asked]
    )
    for number, path, floor_minor in rows:
        itself = found[number - 1].categories
        found[number - 1] = KnownGoods(frozenset(path) if path else itself, floor_minor or 0)
    return found
