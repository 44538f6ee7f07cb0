"""Statements on the tree and on partners' mappings. Whoever declares mappings holds their partner's row."""

from collections.abc import Collection, Sequence

import asyncpg

from services.coalition.domain.categories import Category, CategoryMapping
from shared.database import Transaction

INSERT_CATEGORY = """
    insert into categories (category_id, name, parent_id, path, registered_at) values ($1, $2, $3, $4, $5)
    on conflict (category_id) do nothing
    returning category_id
"""

FIND_CATEGORIES = "select category_id, name, path from categories where category_id = any($1::text[])"

LOAD_CATEGORIES = """
    select category_id, name, path from categories where category_id > $1 order by category_id limit $2
"""

# Mappings and exclusions of articles are numbered together: a receipt is judged by both.
LAST_VERSION = """
    select greatest(
        (select coalesce(max(version), 0) from category_mappings where partner_id = $1),
        (select coalesce(max(version), 0) from article_exclusions where partner_id = $1)
    )
"""

INSERT_MAPPINGS = """
    insert into category_mappings (partner_id, version, partner_category, category_id, in_force_from, declared_at)
    select partner_id, version, partner_category, category_id, in_force_from, $1
    from unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[])
        as incoming (partner_id, version, partner_category, category_id, in_force_from)
    order by version
"""

# Of each of the partner's categories the newest word, in force by now or not.
LOAD_NEWEST = """
    select distinct on (mapping.partner_category) mapping.partner_id, mapping.version, mapping.partner_category,
        mapping.category_id, coalesce(category.path, '{}') as path, mapping.in_force_from
    from category_mappings as mapping
        left join categories as category on category.category_id = mapping.category_id
    where mapping.partner_id = $1 and mapping.partner_category > $2
    order by mapping.partner_category, mapping.version desc
    limit $3
"""


async def insert_category(transaction: Transaction, category: Category) -> bool:
    """Whether the id was free: then the category is written."""
    parent_id = category.path[-2] if len(category.path) > 1 else None
    written = await transaction.raw.fetchval(
        INSERT_CATEGORY, category.category_id, category.name, parent_id, list(category.path), transaction.now
    )
    return written is not None


async def find_categories(transaction: Transaction, category_ids: Collection[str]) -> dict[str, Category]:
    """Those of the categories that are there."""
    rows = await transaction.raw.fetch(FIND_CATEGORIES, list(category_ids))
    return {row["category_id"]: _category(row) for row in rows}


async def load_categories(transaction: Transaction, after: str, rows_max: int) -> list[Category]:
    """The tree in the order of its ids."""
    return [_category(row) for row in await transaction.raw.fetch(LOAD_CATEGORIES, after, rows_max)]


async def last_version(transaction: Transaction, partner_id: str) -> int:
    """How many mappings and exclusions of articles the partner, whose row is locked, has had so far."""
    return int(await transaction.raw.fetchval(LAST_VERSION, partner_id))


async def insert_mappings(transaction: Transaction, mappings: Sequence[CategoryMapping]) -> None:
    """Add mappings to their partner's."""
    await transaction.raw.execute(
        INSERT_MAPPINGS,
        transaction.now,
        [mapping.partner_id for mapping in mappings],
        [mapping.version for mapping in mappings],
        [mapping.partner_category for mapping in mappings],
        [mapping.category_id for mapping in mappings],
        [mapping.in_force_from for mapping in mappings],
    )


async def load_newest(transaction: Transaction, partner_id: str, after: str, rows_max: int) -> list[CategoryMapping]:
    """What the partner's categories count as, in the order of their names."""
    rows = await transaction.raw.fetch(LOAD_NEWEST, partner_id, after, rows_max)
    return [
        CategoryMapping(
            row["partner_id"],
            row["version"],
            row["partner_category"],
            row["category_id"],
            tuple(row["path"]),
            row["in_force_from"],
        )
        for row in rows
    ]


def _category(row: asyncpg.Record) -> Category:
    return Category(row["category_id"], row["name"], tuple(row["path"]))
