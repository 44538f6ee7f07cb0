"""What partners sold of numbers that no article has, as far as receipts are ticked off in shifts."""

from collections.abc import Sequence

from services.coalition.domain.articles import UnknownArticleSales
from services.coalition.domain.shifts import Arrival
from shared.database import Transaction

# A partner's list is as long as this; what sells of further numbers counts when there is room again.
UNKNOWN_ARTICLES_MAX = 2_000

# Numbers that stand in the list already are counted, others as far as there is room. Two batches at once can each fill
# what is left of it.
ADD_SALES = f"""
    with sold as (
        select partner_id, sku, count(*) as lines, sum(amount_minor)::bigint as amount_minor,
            max(sold_on) as last_sold_on
        from unnest($1::text[], $2::text[], $3::bigint[], $4::date[]) as sold (partner_id, sku, amount_minor, sold_on)
        group by partner_id, sku
    ), unknown as (
        select sold.*, listed.sku is not null as is_listed,
            row_number() over (
                partition by sold.partner_id, listed.sku is null order by sold.amount_minor desc, sold.sku
            ) as place
        from sold
            left join unknown_articles as listed using (partner_id, sku)
        where not exists (
            select from articles where articles.partner_id = sold.partner_id and articles.sku = sold.sku
        )
    ), room as (
        select partner_id, {UNKNOWN_ARTICLES_MAX} - (
            select count(*) from unknown_articles as listed where listed.partner_id = partner.partner_id
        ) as places
        from (select distinct partner_id from unknown where not is_listed) as partner
    )
    insert into unknown_articles (partner_id, sku, lines, amount_minor, last_sold_on)
    select partner_id, sku, lines, amount_minor, last_sold_on
    from unknown
        left join room using (partner_id)
    where is_listed or place <= room.places
    order by partner_id collate "C", sku collate "C"  -- two batches would deadlock otherwise
    on conflict (partner_id, sku) do update
        set lines = unknown_articles.lines + excluded.lines,
            amount_minor = unknown_articles.amount_minor + excluded.amount_minor,
            last_sold_on = greatest(unknown_articles.last_sold_on, excluded.last_sold_on)
"""

# In key order, as batches count.
FORGET = """
    with known as (
        select partner_id, sku from unknown_articles
        where partner_id = $1 and sku = any($2::text[])
        order by sku
        for update
    )
    delete from unknown_articles using known
    where (unknown_articles.partner_id, unknown_articles.sku) = (known.partner_id, known.sku)
"""

# A batch that was counting when an article became known may have left its number here.
LOAD_UNKNOWN = """
    select sku, lines, amount_minor, last_sold_on
    from unknown_articles as unknown
    where partner_id = $1
        and not exists (
            select from articles where articles.partner_id = unknown.partner_id and articles.sku = unknown.sku
        )
    order by amount_minor desc, sku
    limit $2
"""


async def add_sales(transaction: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Add up what receipts sold that never counted before."""
    sold = [(arrival.shift, sale) for arrival in arrivals for sale in arrival.sales]
    if sold:
        await transaction.raw.execute(
            ADD_SALES,
            [name.partner_id for name, _ in sold],
            [sale.sku for _, sale in sold],
            [sale.amount_minor for _, sale in sold],
            [name.business_date for name, _ in sold],
        )


async def forget(transaction: Transaction, partner_id: str, skus: Sequence[str]) -> None:
    """Take numbers from the list that have an article now."""
    await transaction.raw.execute(FORGET, partner_id, list(skus))


async def load_unknown(transaction: Transaction, partner_id: str, rows_max: int) -> list[UnknownArticleSales]:
    """Numbers that no article has, those that sell most first."""
    rows = await transaction.raw.fetch(LOAD_UNKNOWN, partner_id, rows_max)
    return [UnknownArticleSales(*row.values()) for row in rows]
