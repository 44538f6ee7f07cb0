"""Statements on articles. Whoever writes them holds their partner's row. Set-based, in key order."""

from collections.abc import Sequence

from services.coalition.domain.articles import Article, ArticleExclusion
from shared.database import Transaction

_COLUMNS = "partner_id, sku, gtin, brand, category, is_excluded, price_floor_minor, version, floor_version"

FIND_ARTICLES = f"select {_COLUMNS} from articles where partner_id = $1 and sku = any($2::text[])"

LOAD_ARTICLES = f"select {_COLUMNS} from articles where partner_id = $1 and sku > $2 order by sku limit $3"

SAVE_ARTICLES = f"""
    insert into articles ({_COLUMNS}, changed_at)
    select $1, sku, gtin, brand, category, is_excluded, price_floor_minor, version, floor_version, $2
    from unnest(
            $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::bigint[], $9::bigint[], $10::bigint[]
        )
        as incoming (sku, gtin, brand, category, is_excluded, price_floor_minor, version, floor_version)
    order by sku collate "C"
    on conflict (partner_id, sku) do update
        set gtin = excluded.gtin, brand = excluded.brand, category = excluded.category,
            is_excluded = excluded.is_excluded, price_floor_minor = excluded.price_floor_minor,
            version = excluded.version, floor_version = excluded.floor_version, changed_at = excluded.changed_at
"""

INSERT_EXCLUSIONS = """
    insert into article_exclusions (partner_id, version, sku, is_excluded, in_force_from, declared_at)
    select $1, version, sku, is_excluded, in_force_from, $2
    from unnest($3::bigint[], $4::text[], $5::boolean[], $6::timestamptz[])
        as incoming (version, sku, is_excluded, in_force_from)
    order by version
"""


async def find_articles(transaction: Transaction, partner_id: str, skus: Sequence[str]) -> dict[str, Article]:
    """Those of the articles that are there, by their numbers."""
    rows = await transaction.raw.fetch(FIND_ARTICLES, partner_id, list(skus))
    return {row["sku"]: Article(**dict(row)) for row in rows}


async def load_articles(transaction: Transaction, partner_id: str, after: str, rows_max: int) -> list[Article]:
    """A partner's articles in the order of their numbers."""
    rows = await transaction.raw.fetch(LOAD_ARTICLES, partner_id, after, rows_max)
    return [Article(**dict(row)) for row in rows]


async def save_articles(transaction: Transaction, partner_id: str, articles: Sequence[Article]) -> None:
    """Write what articles of one partner, whose numbers differ, are now."""
    await transaction.raw.execute(
        SAVE_ARTICLES,
        partner_id,
        transaction.now,
        [article.sku for article in articles],
        [article.gtin for article in articles],
        [article.brand for article in articles],
        [article.category for article in articles],
        [article.is_excluded for article in articles],
        [article.price_floor_minor for article in articles],
        [article.version for article in articles],
        [article.floor_version for article in articles],
    )


async def insert_exclusions(transaction: Transaction, partner_id: str, exclusions: Sequence[ArticleExclusion]) -> None:
    """Add to what is said of a partner's articles."""
    await transaction.raw.execute(
        INSERT_EXCLUSIONS,
        partner_id,
        transaction.now,
        [exclusion.version for exclusion in exclusions],
        [exclusion.sku for exclusion in exclusions],
        [exclusion.is_excluded for exclusion in exclusions],
        [exclusion.in_force_from for exclusion in exclusions],
    )
