"""What partners sold of each of their own categories, as far as receipts are ticked off in shifts."""

from collections.abc import Sequence

from services.coalition.domain.categories import CategorySales
from services.coalition.domain.shifts import Arrival
from shared.database import Transaction

ADD_SALES = """
    insert into category_sales (partner_id, partner_category, lines, amount_minor, last_sold_on)
    select partner_id, partner_category, count(*), sum(amount_minor)::bigint, max(sold_on)
    from unnest($1::text[], $2::text[], $3::bigint[], $4::date[])
        as sold (partner_id, partner_category, amount_minor, sold_on)
    group by partner_id, partner_category
    order by partner_id collate "C", partner_category collate "C"  -- two batches would deadlock otherwise
    on conflict (partner_id, partner_category) do update
        set lines = category_sales.lines + excluded.lines,
            amount_minor = category_sales.amount_minor + excluded.amount_minor,
            last_sold_on = greatest(category_sales.last_sold_on, excluded.last_sold_on)
"""

LOAD_UNMAPPED = """
    select sales.partner_category, sales.lines, sales.amount_minor, sales.last_sold_on
    from category_sales as sales
        left join lateral (
            select category_id from category_mappings as mapping
            where mapping.partner_id = sales.partner_id and mapping.partner_category = sales.partner_category
            order by version desc
            limit 1
        ) as newest on true
    where sales.partner_id = $1 and newest.category_id is null
    order by sales.amount_minor desc, sales.partner_category
    limit $2
"""


async def add_sales(transaction: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Add up what receipts sold that never counted before."""
    sold = [
        (arrival.shift, sale) for arrival in arrivals for sale in arrival.sales if sale.partner_category is not None
    ]
    if sold:
        await transaction.raw.execute(
            ADD_SALES,
            [name.partner_id for name, _ in sold],
            [sale.partner_category for _, sale in sold],
            [sale.amount_minor for _, sale in sold],
            [name.business_date for name, _ in sold],
        )


async def load_unmapped(transaction: Transaction, partner_id: str, rows_max: int) -> list[CategorySales]:
    """Categories without a mapping by the newest word, those that sell most first."""
    rows = await transaction.raw.fetch(LOAD_UNMAPPED, partner_id, rows_max)
    return [CategorySales(*row.values()) for row in rows]
